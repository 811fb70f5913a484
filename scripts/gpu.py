"""Everything that is to be measured on a GPU, in parts that can be run one by one and again.

    python scripts/gpu.py --out gpu                                     all parts, with model and data from the hub
    python scripts/gpu.py speed --out gpu                               the speed table and a profile
    python scripts/gpu.py deep --out gpu                                pretrain a deep lab model, record its baselines
    python scripts/gpu.py baselines --out gpu --model MINILM --data-dir GLUE
    python scripts/gpu.py --out trial --tiny --device cpu --model MINILM --data-dir GLUE
                                                                        does all of it work? (a test does this)

Runs stay in the folder's run store, so baselines that were stopped go on where they were; the speed table and the
pretraining begin again. What a command had printed by then is in a file that ends in .part. What fails does not keep
the rest from being run. The baselines of the real tasks belong into the project's file:
--baselines baselines.json
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import torch

ROOT = Path(__file__).parent.parent
RECIPES = ["devlin", "bias-correction", "mosbach", "mixout", "reinit", "cwgnc"]
TASKS = ["glue/rte", "glue/mrpc", "glue/cola"]
LAB = ["lab/entailment", "lab/paraphrase", "lab/acceptability", "lab/similarity"]
SHAPES = ["bert-base", "bert-large"]
# Twice as deep as the embedded model and four times as wide, with the learning rate that the ratio of widths gives it
# (docs/lab.md): 2e-5 x 1024 / 128.
DEEP = ["--layers", "24", "--hidden", "128", "--heads", "4", "--lr", "5e-4", "--steps", "20000"]
DEEP_LR = "lr=1.6e-4"
TINY_DEEP = ["--layers", "2", "--hidden", "8", "--heads", "2", "--steps", "2"]


def speed(args: argparse.Namespace) -> None:
    """The table of every shape, and where a step goes."""
    # A Trainer would take all GPUs of a machine, and larger batches; stabbench's commands find them by themselves.
    one_gpu = {"CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]}
    for shape in SHAPES[:1] if args.tiny else SHAPES:
        common = [sys.executable, "-m", "benchmarks.speed", "--model", shape, *(["--tiny"] if args.tiny else [])]
        size, name = ["--seeds", str(args.seeds)], f"{args.seeds}-seeds"
        if args.steps is not None:
            size, name = [*size, "--steps", str(args.steps)], f"{name}-{args.steps}-steps"
        _run(args, [*common, *size], f"speed-{shape}-{name}", one_gpu)
        _run(args, [*common, "--profile"], f"profile-{shape}", one_gpu)


def baselines(args: argparse.Namespace) -> None:
    """Every recipe on real tasks."""
    data = [] if args.data_dir is None else ["--data-dir", str(args.data_dir.resolve())]
    for task in TASKS[:1] if args.tiny else TASKS:
        _record(args, RECIPES, task, args.model, data)


def deep(args: argparse.Namespace) -> None:
    """A deep lab model, pretrained here, and every recipe on the tasks of the lab."""
    model = args.out / "deep-lab"
    size = TINY_DEEP if args.tiny else DEEP
    script = str(ROOT / "scripts" / "pretrain_lab.py")
    pretrain = [sys.executable, script, "--out", str(model), *size, "--device", args.device]
    if not _run(args, pretrain, "deep-lab"):
        return
    for task in LAB[:1] if args.tiny else LAB:
        _record(args, [f"{recipe}:{DEEP_LR}" for recipe in RECIPES], task, str(model), [])


def _record(args: argparse.Namespace, recipes: list[str], task: str, model: str, data: list[str]) -> None:
    command = [sys.executable, "-m", "stabbench", "baseline", "record", *recipes, "--task", task, "--model", model]
    size = ["--seeds", str(args.seeds), *(["--max-steps", "2"] if args.tiny else [])]
    where = ["--device", args.device, "--store", str(args.out / "store"), "--baselines", str(args.baselines)]
    _run(args, [*command, *data, *size, *where], f"{Path(model).name}-{task.replace('/', '-')}-{args.seeds}-seeds")


def _run(args: argparse.Namespace, command: list[str], name: str, environment: Mapping[str, str] = {}) -> bool:
    """Run a command, unless its log is there; what it prints is shown, and kept at once. Says whether it is done."""
    log = args.out / f"{name}.txt"
    if log.is_file():
        print(f"done already: {log} (delete it to do that again)", flush=True)
        return True
    print("$", *command, flush=True)
    part = log.with_name(f"{log.name}.part")
    with part.open("w", encoding="utf-8") as kept, subprocess.Popen(
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:  # fmt: skip
        assert running.stdout is not None
        for line in running.stdout:
            print(line, end="", flush=True)
            kept.write(line)
            kept.flush()
    if running.returncode:
        args.failures.append(f"exit code {running.returncode}: {name} (what it printed: {part})")
        return False
    part.rename(log)
    return True


PARTS = {"speed": speed, "deep": deep, "baselines": baselines}


def number(text: str) -> int:
    """A whole number from 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1")
    return int(text)


def main() -> None:
    """Read the command line and run the parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without it")
    parser.add_argument("--out", type=Path, required=True, help="folder of everything that is measured")
    parser.add_argument("--model", default="sentence-transformers/all-MiniLM-L6-v2", help="of the real tasks")
    parser.add_argument("--data-dir", type=Path, help="folder of the official GLUE TSV files; else from the hub")
    parser.add_argument("--baselines", type=Path, help="the baselines file [default: OUT/baselines.json]")
    parser.add_argument("--seeds", type=number, default=25)
    parser.add_argument("--steps", type=number, help="cut the trainings of the speed table to so many updates")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--tiny", action="store_true", help="everything as small as can be, in a folder of its own")
    args = parser.parse_args()
    unknown = [part for part in args.parts if part not in PARTS]
    if unknown:
        parser.error(f"no part {unknown[0]!r}: {', '.join(PARTS)}")
    # What would otherwise come to light after hours.
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("PyTorch sees no GPU here; --tiny --device cpu tries everything without one")
    if args.data_dir is not None and not args.data_dir.is_dir():
        parser.error(f"{args.data_dir} is no folder")
    args.out = args.out.resolve()
    if args.tiny:
        args.out, args.seeds = args.out / "tiny", 2
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out: {error}")
    args.baselines = (args.baselines or args.out / "baselines.json").resolve()
    # Commands run in the project's folder.
    if Path(args.model).is_dir():
        args.model = str(Path(args.model).resolve())
    args.failures = []
    for part in args.parts or PARTS:
        PARTS[part](args)
    if args.failures:
        sys.exit("\n".join([*args.failures, "gpu.py: give the same command again to go on from there"]))


if __name__ == "__main__":
    main()
