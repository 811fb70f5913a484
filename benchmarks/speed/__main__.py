"""Train the same model with the same seeds in several ways, and print what each of them took.

The table has stabbench's engine (K seeds in one pass of one process), the whole of stabbench as its command runs it, a
plain PyTorch loop, and the HF Trainer: a loop in one process, a loop a core, and a process a seed. All make the same
number of updates on the same examples and evaluate once. Loading the model is not counted where it is done once for all
seeds; the start of processes is.
"""

from __future__ import annotations

import platform
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
import torch
import transformers
from tabulate import tabulate

from stabbench._system.machine import cores

from .by_trainer import is_available as trainer_is_available
from .contender import Measured, measure
from .floor import Floor, floor
from .profiling import profiled
from .rows import CONTENDERS, REFERENCE, rows
from .workload import LAB_TASK, SHAPES, Precision, Workload, device, make_workload

SEEDS = {"cpu": 25, "cuda": 8}
MODELS = {"cpu": ("lab",), "cuda": ("bert-base", "bert-large")}
PRECISION: dict[str, Precision] = {"cpu": "fp32", "cuda": "bf16"}
TINY_SEEDS, TINY_STEPS = 2, 3
HEADERS = ["contender", "times a Trainer loop", "trained by", "seconds", "seed-steps/s", "share of the floor"]
HEADERS += ["memory", "accuracy"]


def numbers(context: click.Context, parameter: click.Parameter, text: str) -> list[int]:  # noqa: ARG001
    """``1,2,4`` as a list."""
    try:
        found = [int(number) for number in text.split(",")]
    except ValueError:
        found = [0]
    if min(found) < 1:
        raise click.BadParameter(f"{text!r} is no list of numbers of seeds such as 1,2,4,8")
    return found


@click.command(help=__doc__)
@click.option("--model", "models", type=click.Choice(["lab", *SHAPES]), multiple=True,
              help="Repeatable. On a CPU the lab's, on a GPU both shapes of BERT.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(1), help=f"{SEEDS['cpu']} on a CPU, {SEEDS['cuda']} on a GPU.")
@click.option("--stacks", default="1,2,4,8", show_default=True, callback=numbers,
              help="Seeds that the engine trains in one pass: a row each.")  # fmt: skip
@click.option("--only", type=click.Choice(list(CONTENDERS)), multiple=True, help="Repeatable. All without it.")
@click.option("--steps", type=click.IntRange(1), help="Cut every training to so many updates.")
@click.option("--precision", type=click.Choice(["fp32", "bf16"]), help="fp32 on a CPU, bf16 on a GPU.")
@click.option("--tiny", is_flag=True, help="Everything as small as can be, to see whether it works.")
@click.option("--profile", is_flag=True, help="Where a step of the engine goes, at the largest of the stacks.")
def main(
    models: Sequence[str],
    seeds: int | None,
    stacks: list[int],
    only: Sequence[str],
    steps: int | None,
    precision: Precision | None,
    tiny: bool,
    profile: bool,
) -> None:
    if torch.cuda.device_count() > 1:
        raise click.UsageError("a Trainer would take all GPUs, and larger batches: set CUDA_VISIBLE_DEVICES=0")
    kind = device().type
    models = models or MODELS[kind]
    if set(only) == {"compare"} and set(models) != {"lab"}:
        raise click.UsageError("stabbench compare takes part on the lab alone, whose task has texts: --model lab")
    seeds = seeds or (TINY_SEEDS if tiny else SEEDS[kind])
    steps = steps or (TINY_STEPS if tiny else None)
    for model in models:
        with tempfile.TemporaryDirectory() as folder:
            workload = make_workload(
                model, Path(folder), tiny=tiny, precision=precision or PRECISION[kind], steps=steps
            )
            print(f"\n{title(workload)}")
            if profile:
                print(profiled(workload, min(max(stacks), seeds)))
            else:
                compare(workload, stacks, seeds, only or list(CONTENDERS))


def compare(workload: Workload, stacks: Sequence[int], seeds: int, only: Sequence[str]) -> None:
    cut = f", CUT SHORT from {workload.whole_steps}: starting and evaluating weigh more than they should"
    print(f"{seeds} seeds of {workload.steps} updates{cut if workload.steps < workload.whole_steps else ''}\n")
    least = floor(workload)
    done: list[Measured] = []
    for row in rows(workload, stacks, seeds, only):
        measured = measure(row, workload, seeds)
        if measured is None:
            print(f"{CONTENDERS[row.name]}, {row.how}: does not fit into the GPU's memory")
        else:
            print(f"{CONTENDERS[row.name]}, {row.how}: {measured.seconds:.1f} s", flush=True)
            done.append(measured)
    whole = least.step_seconds * workload.steps * seeds
    print(f"\n{table(done, least)}\n\nfloor: {whole:.3g} s, {least}")
    if not trainer_is_available():
        print('no Trainer: it needs accelerate (pip install "accelerate>=1")')


def table(done: Sequence[Measured], least: Floor) -> str:
    reference = next((measured.rate for measured in done if measured.row.name == REFERENCE), None)
    lines = [
        (
            CONTENDERS[measured.row.name],
            "-" if reference is None else f"{measured.rate / reference:.2f}",
            measured.row.how,
            f"{measured.seconds:.1f}",
            f"{measured.rate:.1f}",
            f"{measured.rate * least.step_seconds:.1%}",
            f"{measured.memory / 2**30:.1f} GiB" if measured.memory else "-",
            f"{statistics.mean(outcome.score for outcome in measured.outcomes):.3f}",
        )
        for measured in done
    ]
    return tabulate(lines, HEADERS, disable_numparse=True, colalign=["left", "right", "left", *["right"] * 5])


def title(workload: Workload) -> str:
    data = f"{len(workload.train)} training and {len(workload.evaluation)} evaluation examples"
    what = LAB_TASK if workload.name == "lab" else "random weights and tokens"
    on_gpu = device().type == "cuda"
    machine = torch.cuda.get_device_name() if on_gpu else f"{platform.machine()}, {cores()} cores"
    return (
        f"{workload.name}, {what}: {data} of {workload.mean_length:.1f} tokens on average, "
        f"batches of {workload.recipe.batch_size}, {workload.recipe.precision}\n"
        f"{machine}; torch {torch.__version__}, transformers {transformers.__version__}"
    )


if __name__ == "__main__":
    main()
