"""Baselines: for each cell the raw scores by seed, their fingerprint, and their date.

A *cell* is one recipe on one task and model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stabbench._version import __version__
from stabbench.errors import StabbenchError, unknown
from stabbench.records.run import Outcome, RunRecord
from stabbench.records.setting import NO_TASK, TRAINING_TASK, cell_name
from stabbench.statistics import Sample


class BaselineError(StabbenchError):
    """A baselines file that is missing, truncated or edited, or a cell that is not there or there already."""


@dataclass(frozen=True)
class Loosening:
    """A baseline was replaced by one that is easier to pass.

    Attributes:
        date: The day, ``2026-11-20``.
        reason: Why, in the user's words.
        before: The former baseline: runs, failed, mean and std.
    """

    date: str
    reason: str
    before: Mapping[str, int | float | None]


@dataclass(frozen=True)
class Baseline:
    """One cell of the file.

    Attributes:
        recipe: The recipe's label, as on the command line.
        task: The task's name.
        model: The model's name: a preset, a hub id, or a folder as seen from the current directory.
        revision: The commit of a hub model.
        metric: The name of the score.
        constant_score: The score of the best constant predictor; None where the runs themselves say which failed.
        experiment: What defines the runs (see :class:`stabbench.records.run.Fingerprint`).
        environment: Library versions, device and code of the runs.
        recorded: The day of the last run.
        stabbench: The version that wrote the cell.
        scores: The score of each seed, in the order of the seeds.
        failed: The reason for each failed seed.
        loosened: Every time the baseline was made easier to pass.
        task_file: The task file or data file behind the task's name, or the training file behind the recipe's, as seen
            from the current directory; None for a task that is known by its name.
    """

    recipe: str
    task: str
    model: str
    revision: str | None
    metric: str
    constant_score: float | None
    experiment: Mapping[str, Any]
    environment: Mapping[str, Any]
    recorded: str
    stabbench: str
    scores: Mapping[int, float | None]
    failed: Mapping[int, str]
    loosened: tuple[Loosening, ...] = ()
    task_file: str | None = None

    @property
    def name(self) -> str:
        """``mosbach on lab/entailment, lab``: unique in the file."""
        return cell_name(self.recipe, self.task, self.model)

    @property
    def measured_elsewhere(self) -> bool:
        """Whether its runs were measured by another program: they cannot be trained again here."""
        return self.experiment.get("measured") is not None

    @property
    def training(self) -> str | None:
        """``"command"`` or ``"function"`` where its runs are those of training code."""
        return self.experiment.get("training")

    @property
    def weights(self) -> str | None:
        """The hash of the model's weights, configuration and tokenizer."""
        return self.experiment.get("model")

    @property
    def sample(self) -> Sample:
        """The scores and outcomes, in the order of the seeds."""
        return Sample(tuple(self.scores.values()), tuple(seed in self.failed for seed in self.scores))

    @classmethod
    def of(cls, records: Sequence[RunRecord], loosened: Sequence[Loosening] = ()) -> Baseline:
        """The baseline that these records make, all of one fingerprint."""
        ordered = sorted(records, key=lambda r: r.seeds.seed)
        first = ordered[0]
        return cls(
            recipe=first.recipe,
            task=first.task,
            model=first.model,
            revision=first.revision,
            metric=first.metric,
            constant_score=first.constant_score,
            experiment=first.fingerprint.experiment,
            environment=first.fingerprint.environment,
            # Other tools need not say when a run ended.
            recorded=max(r.finished for r in ordered)[:10] or datetime.now(UTC).date().isoformat(),
            stabbench=__version__,
            scores={r.seeds.seed: r.score for r in ordered},
            failed={r.seeds.seed: r.reason for r in ordered if r.outcome is Outcome.FAILED},
            loosened=tuple(loosened),
        )

    def fresh_seeds(self, count: int) -> list[int]:
        """The first ``count`` seeds that this baseline has not used, for an independent sample."""
        free = (seed for seed in range(len(self.scores) + count) if seed not in self.scores)
        return [seed for seed, _ in zip(free, range(count), strict=False)]


def find(cells: Mapping[str, Baseline], recipe: str, task: str, model: str, weights: str | None) -> Baseline | None:
    """The cell of a recipe on a task with these weights, however their folder is named; None where there is none.

    Args:
        cells: All cells of a file.
        recipe: Its label.
        task: The task's name.
        model: The model's name. Where no cell has the weights, the cell of this name is found: its model has changed.
        weights: The model's hash.
    """
    named = cells.get(cell_name(recipe, task, model))
    if weights is None or (named is not None and named.weights == weights):
        return named
    same = (c for c in cells.values() if (c.recipe, c.task, c.weights) == (recipe, task, weights))
    return next(same, named)


def select(cells: Mapping[str, Baseline], recipes: Sequence[str] = (), task: str | None = None) -> list[Baseline]:
    """The cells of these recipes and this task; all of them where nothing is named.

    Raises:
        BaselineError: There are none, or none of one of the recipes on this task.
    """
    on_task = [cell for cell in cells.values() if task in (None, cell.task)]
    if not on_task:
        what = "the baselines file has no cells" if task is None or not cells else _unknown_task(cells, task)
        own = any(cell.recipe in recipes and cell.task == TRAINING_TASK for cell in cells.values())
        hint = NO_TASK if own else "see: stabbench baseline show; to add some: stabbench baseline record"
        raise BaselineError(what, hint)
    for recipe in recipes:
        if not any(cell.recipe == recipe for cell in on_task):
            where = "" if task is None else f" on {task}"
            known = {cell.recipe for cell in on_task}
            own = any((cell.recipe, cell.task) == (recipe, TRAINING_TASK) for cell in cells.values())
            hint = NO_TASK if own else "see: stabbench baseline show"
            raise BaselineError(unknown(f"baseline{where} of recipe", recipe, known), hint)
    return [cell for cell in on_task if not recipes or cell.recipe in recipes]


def _unknown_task(cells: Mapping[str, Baseline], task: str) -> str:
    return unknown("baseline of task", task, {cell.task for cell in cells.values()})
