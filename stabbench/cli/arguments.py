"""What commands get as arguments: several options as one value."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from stabbench.runner.plan import Plan

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class PlanOptions:
    """The options that say which runs a command is about; with recipes they are a plan."""

    task: str
    model: str
    revision: str | None
    seeds: Sequence[int]
    max_steps: int | None
    data_dir: Path | None
    initialisation_seed: int | None = None
    order_seed: int | None = None
    dropout_seed: int | None = None

    def plan(self, recipes: Sequence[str], plugins: Sequence[str]) -> Plan:
        """The plan of these recipes, which ``plugins`` may define.

        Raises:
            StabbenchError: Bad input.
        """
        from stabbench.recipes import load_plugin
        from stabbench.records.seeds import Seeds
        from stabbench.runner.methods import find_method
        from stabbench.runner.plan import Plan

        for plugin in plugins:
            load_plugin(plugin)
        held = {"initialisation": self.initialisation_seed, "order": self.order_seed, "dropout": self.dropout_seed}
        return Plan(
            recipes=[find_method(text) for text in recipes],
            task=self.task,
            model=self.model,
            seeds=[Seeds.of(number, **held) for number in self.seeds],
            revision=self.revision,
            data_dir=self.data_dir,
            max_steps=self.max_steps,
        )


@dataclass(frozen=True)
class Outputs:
    """The options that say which files to write."""

    json_file: Path | None
    csv_file: Path | None
    plot_file: Path | None
    report_file: Path | None

    @property
    def named(self) -> dict[str, Path | None]:
        """By the name of their option."""
        files = {"--json": self.json_file, "--csv": self.csv_file, "--plot": self.plot_file}
        return {**files, **report_files(self.report_file)}


def report_files(report: Path | None) -> dict[str, Path | None]:
    """The files of a page: itself, and where ``report`` is a folder its style sheet."""
    if report is None:
        return {}
    from stabbench.report.page.html import page_files

    return dict(zip(("--report", "the style of --report"), page_files(report), strict=False))


def decorated(options: Sequence[Callable[[Any], Any]]) -> Callable[[Command], Command]:
    """One decorator for several options, shown in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def as_one(
    name: str, made: Callable[..., Any], options: Sequence[Callable[[Any], Any]]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Options whose values a command gets as one argument: ``name=made(...)``."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters = inspect.signature(made).parameters

        @functools.wraps(command)
        def with_one(**values: object) -> None:
            taken = {key: values.pop(key) for key in parameters if key in values}
            command(**values, **{name: made(**taken)})

        return decorated(options)(with_one)

    return decorate
