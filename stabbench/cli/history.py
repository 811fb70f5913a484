"""`stabbench history`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from stabbench.cli.options import baselines_option
from stabbench.cli.streams import say
from stabbench.errors import StabbenchError
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
    from stabbench.gate.history import find_changes, load_history
    from stabbench.records.setting import NO_TASK, TRAINING_TASK
    from stabbench.report.history import LEGEND, history_tables, steps_text
    from stabbench.report.wrapping import wrapped
    from stabbench.runner.methods import label_of
    from stabbench.tasks.registry import record_name

    Rules(alpha=alpha)  # its bounds
    wanted = None if task is None else record_name(task)
    gates, notes = load_history(baselines_file)
    for note in notes:
        say(f"note: {note}", err=True)
    every = {cell.name: cell for gate in gates for cell in gate.cells}
    known = {cell.recipe for cell in every.values()}
    labels = [label_of(text, known) for text in recipes]
    cells = [
        name for name, cell in every.items() if (not labels or cell.recipe in labels) and wanted in (None, cell.task)
    ]
    if not cells:
        own = any(cell.recipe in labels and cell.task == TRAINING_TASK for cell in every.values())
        hint = NO_TASK if own else f"there are: {'; '.join(every) or 'none'}"
        raise StabbenchError("no past gate had such a cell", hint)
    changes = [change for change in find_changes(gates, alpha) if change.cell in cells]
    parts = [table.text() for table in history_tables(gates, changes, cells)]
    say("\n\n".join([*parts, wrapped(LEGEND), steps_text(changes, gates, alpha)]))
