"""Measure what keeping more of a run costs: the share of a training's processor time, and bytes in the store.

    python scripts/history_cost.py

One training of the lab model with --detail usual, in this process. What that keeps beyond --detail brief is timed
where it happens; processor time, so that other programs on the machine do not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import click

from stabbench.engine.curve import Curve
from stabbench.engine.job import Job
from stabbench.engine.observers import Distances
from stabbench.engine.run import run_job
from stabbench.models.source import find_model
from stabbench.recipes import parse_recipe
from stabbench.records.history import History
from stabbench.records.seeds import Seeds
from stabbench.runner.plan import Plan
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources

# What is done for --detail usual alone, or, for packing, more of it.
TIMED: list[tuple[type, str]] = [
    (Distances, "__init__"),
    (Distances, "probed"),
    (Distances, "components"),
    (Curve, "predictions"),
    (History, "packed"),
]


@contextmanager
def timed(spent: dict[str, float]) -> Iterator[None]:
    """Adds up the processor time of every call of what is timed."""

    def watched(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            started = time.process_time()
            try:
                return method(*args, **kwargs)
            finally:
                spent[name] = spent.get(name, 0.0) + time.process_time() - started

        return call

    before = [(cls, name, getattr(cls, name)) for cls, name in TIMED]
    for cls, name, method in before:
        setattr(cls, name, watched(f"{cls.__name__}.{name}", method))
    try:
        yield
    finally:
        for cls, name, method in before:
            setattr(cls, name, method)


@click.command(help=__doc__)
@click.option("--recipe", default="devlin", show_default=True)
@click.option("--seeds", type=click.IntRange(min=1), default=5, show_default=True, help="In one stack.")
def main(recipe: str, seeds: int) -> None:  # noqa: D103
    plan = Plan([parse_recipe(recipe)], "lab/entailment", "lab", [Seeds.of(number) for number in range(seeds)])
    resolved = resolve(plan, Resources(device="cpu"))
    (cell,) = resolved.cells
    job = Job(
        recipe=cell.recipe, label=cell.label, task=cell.source, model=find_model("lab"), seeds=tuple(cell.seeds),
        stacked=True, device="cpu", max_steps=None, fingerprint=cell.fingerprint,
    )  # fmt: skip
    spent: dict[str, float] = {}
    with timed(spent):
        started = time.process_time()
        runs = run_job(job, cell.task, lambda _: None)
        usual = [history.packed() for _, history in runs]
        total = time.process_time() - started
    brief = [replace(history, components=None, predictions=None).packed() for _, history in runs]
    for name, seconds in [*spent.items(), ("together", sum(spent.values()))]:
        click.echo(f"{name:<24} {1e3 * seconds:8.1f} ms  {seconds / total:7.2%}")
    click.echo(f"{'the whole training':<24} {1e3 * total:8.0f} ms")
    sizes = {"usual": usual, "brief": brief}
    shown = ", ".join(f"{name} {sum(map(len, packed)) / seeds:,.0f}" for name, packed in sizes.items())
    click.echo(f"bytes a run: {shown}")


if __name__ == "__main__":
    main()
