"""`stabbench doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from stabbench.cli.options import plan_options
from stabbench.cli.runs import made_plan


@click.command()
@click.argument("recipes", nargs=-1, metavar="[RECIPE ...]")
@plan_options
def doctor(recipes: Sequence[str], store: Path, **options: Any) -> None:
    """What this machine is, and how recipes would be trained on it.

    Prints versions and devices; with recipes also whether the model can be stacked, how many seeds are trained
    together, what memory a seed takes, and about how long the runs take that the store lacks. A few steps of each
    recipe are tried for it; nothing is stored.

    \b
    Example:
      stabbench doctor
      stabbench doctor devlin mosbach --task glue/rte --data-dir GLUE --model path/to/encoder --seeds 25
    """
    from stabbench.doctor import diagnose, machine

    source = click.get_current_context().get_parameter_source
    if not recipes and any(source(option) is ParameterSource.COMMANDLINE for option in (*options, "store")):
        raise click.UsageError("the options say how recipes would be trained: name some")
    click.echo(machine())
    if not recipes:
        return
    from stabbench.progress import watcher

    plan = made_plan(recipes, **options)
    with watcher() as watching:
        diagnosis = diagnose(plan, store, watching)
    click.echo(f"\n{diagnosis}")
