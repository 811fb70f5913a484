"""`stabbench history`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from stabbench.cli.options import baselines_option
from stabbench.cli.output_streams import say
from stabbench.gate.rules import Rules


@click.command()
@click.argument("recipes", nargs=-1, metavar="[RECIPE ...]")
@baselines_option
@click.option("--task", help="Only the cells of this task; training code has none.")
@click.option(
    "--alpha", type=float, default=Rules.alpha, show_default=True, help="Rate at which flat series show a step."
)
def history(recipes: Sequence[str], baselines_file: Path, task: str | None, alpha: float) -> None:
    """Show what past gates found, commit by commit.

    Each `stabbench gate` adds a line to a file beside the baselines. Steps in failed runs, spread and mean are marked:
    where something became less stable little by little, no single gate need have failed.

    \b
    Example:
      stabbench history
      stabbench history mosbach --task lab/entailment
    """
    from stabbench.api.past import history as read_history

    found = read_history(recipes, baselines_file, task=task, alpha=alpha)
    for note in found.notes:
        say(f"note: {note}", err=True)
    say(str(found))
