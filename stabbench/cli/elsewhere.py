"""``--from``: results measured elsewhere in place of recipes to train."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from stabbench.cli.arguments import as_one

if TYPE_CHECKING:
    from stabbench.records.recipe_runs import RecipeRuns


class Source(click.ParamType):  # type: ignore[type-arg]  # generic in new versions only
    """``NAME=PATH``, or a path alone; a path that is there may have an equals sign in it."""

    name = "[NAME=]PATH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path]:
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        label, equals, path = value.partition("=")
        if not equals or Path(value).exists():
            label, path = "", value
        elif not label:
            self.fail(f"{value!r} has no name before the equals sign", param, ctx)
        if not path:
            self.fail("the path is empty: is a variable not set?", param, ctx)
        return label, Path(path)


@dataclass(frozen=True)
class Elsewhere:
    """The options that say where results measured elsewhere are, and how to read them."""

    sources: Sequence[tuple[str, Path]]
    metric: str | None
    seed_from: str | None
    constant_score: float | None
    lower_is_better: bool
    crashed: str

    @property
    def paths(self) -> list[Path]:
        """The files and folders."""
        return [path for _, path in self.sources]

    def check(self, recipes: Sequence[str], also: Sequence[str]) -> None:
        """Refuse a command line that asks for both, and options without effect.

        Args:
            recipes: Those that the command names.
            also: Names of the command's own parameters that mean something with ``--from``, too.

        Raises:
            click.UsageError: What has no effect.
        """
        context = click.get_current_context()
        own = {field.name for field in dataclasses.fields(self)}
        given = [p for p in context.command.params if _is_given(context, p)]
        if not self.sources:
            if useless := [p for p in given if p.name in own]:
                raise click.UsageError(f"{useless[0].opts[0]} has no effect without --from")
            return
        if recipes:
            raise click.UsageError("either recipes are trained, or results are read --from a path: give one of the two")
        if useless := [p for p in given if p.name not in {*own, *also}]:
            raise click.UsageError(f"{useless[0].opts[0]} has no effect with --from: nothing is trained")

    def read(self, task: str | None) -> list[RecipeRuns]:
        """All runs, of one task and metric.

        Raises:
            StabbenchError: They cannot be read, or lack a seed or a score.
        """
        from stabbench.imported.choice import Choice
        from stabbench.imported.runs import read_all

        choice = Choice(self.metric, self.seed_from, self.constant_score, self.lower_is_better, task, self.crashed)
        return read_all(self.sources, choice)


def _is_given(context: click.Context, parameter: click.Parameter) -> bool:
    return context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE


def task_given(task: str | None) -> str | None:
    """The task that the command line names; None where it is the default."""
    return task if click.get_current_context().get_parameter_source("task") is ParameterSource.COMMANDLINE else None


_OPTIONS = [
    click.option(
        "--from",
        "sources",
        type=Source(),
        multiple=True,
        help="Results measured elsewhere, in place of recipes: a file or folder of another tool. May be repeated.",
    ),
    click.option("--metric", metavar="M", help="With --from: the name of the score [default: the only one]."),
    click.option(
        "--seed-from",
        metavar="NAME|REGEX",
        help="With --from: the seed's column or parameter, or what finds it in the name of a run: 'seed-(\\d+)'.",
    ),
    click.option(
        "--constant-score",
        type=float,
        metavar="X",
        help="With --from: the score of the best constant predictor. A run that is no better has failed.",
    ),
    click.option("--lower-is-better", is_flag=True, help="With --from: the metric is a loss."),
    click.option(
        "--crashed",
        type=click.Choice(["missing", "failed", "left-out"]),
        default="missing",
        help="With --from: what a run without a score is. missing: an error; failed: a failed run; left-out: no run.",
    ),
]
#: ``elsewhere``: results measured elsewhere.
elsewhere_options = as_one("elsewhere", Elsewhere, _OPTIONS)
