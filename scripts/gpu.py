"""Everything that is to be measured on a GPU, in parts that can be run one by one and again.

    python scripts/gpu.py --out gpu                                     all parts, with model and data from the hub
    python scripts/gpu.py speed --out gpu                               the speed table and a profile
    python scripts/gpu.py baselines --out gpu --model MINILM --data-dir GLUE
    python scripts/gpu.py deep --out gpu                                pretrain a deep lab model, record its baselines
    python scripts/gpu.py --out trial --tiny --device cpu               does all of it work? (a test does this)

What is recorded stays in the folder's run store, so a part that was stopped goes on where it was. The baselines of the
real tasks belong into the project's file: --baselines benchmarks/baselines.json
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

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
    for shape in SHAPES[:1] if args.tiny else SHAPES:
        common = [sys.executable, "-m", "benchmarks.speed", "--model", shape, *(["--tiny"] if args.tiny else [])]
        steps = [] if args.tiny or not args.steps else ["--steps", str(args.steps)]
        _run([*common, *steps], args.out / f"speed-{shape}.txt")
        _run([*common, "--profile"], args.out / f"profile-{shape}.txt")


def baselines(args: argparse.Namespace) -> None:
    """Every recipe on real tasks."""
    data = [] if args.data_dir is None else ["--data-dir", str(args.data_dir.resolve())]
    for task in TASKS[:1] if args.tiny else TASKS:
        _record(args, RECIPES, task, args.model, data)


def deep(args: argparse.Namespace) -> None:
    """A deep lab model, pretrained here, and every recipe on the tasks of the lab."""
    model = args.out / "deep-lab"
    if not (model / "config.json").is_file():
        size = TINY_DEEP if args.tiny else DEEP
        script = str(ROOT / "scripts" / "pretrain_lab.py")
        _run([sys.executable, script, "--out", str(model), *size, "--device", args.device], args.out / "deep-lab.txt")
    for task in LAB[:1] if args.tiny else LAB:
        _record(args, [f"{recipe}:{DEEP_LR}" for recipe in RECIPES], task, str(model), [])


def _record(args: argparse.Namespace, recipes: list[str], task: str, model: str, data: list[str]) -> None:
    log = args.out / f"{Path(model).name}-{task.replace('/', '-')}.txt"
    if log.is_file():
        return
    command = [sys.executable, "-m", "stabbench", "baseline", "record", *recipes, "--task", task, "--model", model]
    size = ["--seeds", "2", "--max-steps", "2"] if args.tiny else ["--seeds", str(args.seeds)]
    where = ["--device", args.device, "--store", str(args.out / "store"), "--baselines", str(args.baselines)]
    _run([*command, *data, *size, *where], log)


def _run(command: list[str], log: Path) -> None:
    """Run a command; its output is shown, and kept once it has ended well."""
    print("$", *command, flush=True)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout, flush=True)
    if done.returncode:
        sys.exit(
            f"gpu.py: that ended with exit code {done.returncode}; give the same command again to go on from there"
        )
    log.write_text(done.stdout, encoding="utf-8")


PARTS = {"speed": speed, "baselines": baselines, "deep": deep}


def main() -> None:
    """Read the command line and run the parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without it")
    parser.add_argument("--out", type=Path, required=True, help="folder of everything that is measured")
    parser.add_argument("--model", default="sentence-transformers/all-MiniLM-L6-v2", help="of the real tasks")
    parser.add_argument("--data-dir", type=Path, help="folder of the official GLUE TSV files; else from the hub")
    parser.add_argument("--baselines", type=Path, help="the baselines file [default: OUT/baselines.json]")
    parser.add_argument("--seeds", type=int, default=25)
    parser.add_argument("--steps", type=int, help="cut the trainings of the speed table to so many updates")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="everything as small as can be")
    args = parser.parse_args()
    unknown = [part for part in args.parts if part not in PARTS]
    if unknown:
        parser.error(f"no part {unknown[0]!r}: {', '.join(PARTS)}")
    args.out = args.out.resolve()
    args.out.mkdir(parents=True, exist_ok=True)
    args.baselines = (args.baselines or args.out / "baselines.json").resolve()
    for part in args.parts or PARTS:
        PARTS[part](args)


if __name__ == "__main__":
    main()
