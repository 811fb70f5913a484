"""One seed in a process of its own, as a shell loop over a training script has it."""

from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path

import click
import torch

from .by_trainer import TrainerLoop


@click.command()
@click.argument("workload", type=click.Path(path_type=Path))
@click.option("--seed", type=int, required=True)
@click.option("--steps", type=int, required=True)
@click.option("--threads", type=int, required=True)
def main(workload: Path, seed: int, steps: int, threads: int) -> None:
    (outcome,) = TrainerLoop(pickle.loads(workload.read_bytes()), threads)([seed], steps)
    memory = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
    print(json.dumps(dataclasses.asdict(dataclasses.replace(outcome, memory=memory))))


if __name__ == "__main__":
    main()
