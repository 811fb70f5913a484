"""`stabbench baseline show`, `stabbench baseline verify` and `stabbench history` as functions: nothing is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stabbench.api.arguments import some
from stabbench.errors import check_count
from stabbench.gate.baselines_file import load
from stabbench.gate.calibration import MOST_TRIALS, same_against_same
from stabbench.gate.history import chosen_cells, find_changes, load_history
from stabbench.gate.plans import chosen
from stabbench.gate.rules import Rules
from stabbench.report.baselines import FalseAlarms, PrintedBaselines
from stabbench.report.history import PrintedHistory
from stabbench.runner.resources import DEFAULT_BASELINES
from stabbench.tasks.task import Task


def show_baselines(
    recipes: Sequence[str] = (), baselines: str | Path = DEFAULT_BASELINES, *, task: str | Task | None = None
) -> PrintedBaselines:
    """The cells of a baselines file: their scores by seed, when and on what they were recorded.

    Args:
        recipes: As for :func:`gate`, and so are the others.
        baselines: The file.
        task: Only the cells of this task.

    Raises:
        StabbenchError: No such cell, or a file that is not there, is truncated or was edited.
    """
    return PrintedBaselines(chosen(load(Path(baselines)), some(recipes, "recipes"), task))


def verify_baselines(
    recipes: Sequence[str] = (),
    baselines: str | Path = DEFAULT_BASELINES,
    *,
    task: str | Task | None = None,
    trials: int = 500,
    seed: int = 0,
    rules: Rules | None = None,
) -> FalseAlarms:
    """Check that a baselines file is whole, and how often the gate would alarm falsely (A/A check).

    Args:
        recipes: As for :func:`gate`, and so are ``task`` and ``rules``.
        baselines: The file.
        task: Only the cells of this task.
        trials: Random splits of each cell's runs, one half judged against the other.
        seed: Of the splits.
        rules: When a cell fails; None takes the defaults.

    Raises:
        StabbenchError: As :func:`show_baselines`.
    """
    check_count("trials", trials, MOST_TRIALS)
    cells = show_baselines(recipes, baselines, task=task)
    used, banks = rules or Rules(), {cell.name: cell.sample for cell in cells}
    return FalseAlarms(str(baselines), same_against_same(banks, used, trials=trials, seed=seed), used, banks)


def history(
    recipes: Sequence[str] = (),
    baselines: str | Path = DEFAULT_BASELINES,
    *,
    task: str | Task | None = None,
    alpha: float = Rules.alpha,
) -> PrintedHistory:
    """What past gates found, and the steps in failed runs, spread and mean.

    Args:
        recipes: As for :func:`gate`, and so are ``baselines`` and ``task``.
        baselines: The baselines file; each gate adds a line to a file beside it.
        task: Only the cells of this task.
        alpha: The rate at which flat series show a step.

    Raises:
        StabbenchError: No gate has left a history, or none had such a cell.
    """
    Rules(alpha=alpha)  # its bounds
    gates, notes = load_history(Path(baselines))
    cells = chosen_cells(gates, some(recipes, "recipes"), task)
    return PrintedHistory(gates, [c for c in find_changes(gates, alpha) if c.cell in cells], cells, alpha, notes)
