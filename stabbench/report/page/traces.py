"""What happened during the runs of a recipe, reduced to what a picture can show: thousands of runs fit in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stabbench.records.history import History
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Outcome, RunRecord

#: Points of a loss curve, and columns of a map of gradient norms.
LOSS_BINS, NORM_BINS = 60, 24
# Of more runs the first failed ones and the first others are read: so many have the same median.
MOST_READ = 400
# Histories that are read at a time.
_AT_ONCE = 200

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trace:
    """One run.

    Attributes:
        record: Its record.
        losses: Mean training loss in each of ``LOSS_BINS`` equal parts of the training; NaN where nothing is finite.
        norms: ``[parts, NORM_BINS]``, the mean of log10 of the gradient norms; NaN where nothing is kept.
        evaluation_steps: After how many updates it was scored.
        scores: Its scores there; NaN where not finite.
        right: Which examples of the evaluation set it predicted right; None where that was not kept.
    """

    record: RunRecord
    losses: Floats
    norms: Floats
    evaluation_steps: Sequence[int]
    scores: Floats
    right: NDArray[np.bool_] | None

    @property
    def failed(self) -> bool:
        """Whether the run failed."""
        return self.record.outcome is Outcome.FAILED


@dataclass(frozen=True)
class Traces:
    """The runs of a recipe of which histories are kept.

    Attributes:
        runs: One a run.
        steps: The updates of a run.
        parts: The names of the model's parts, from the input to the output.
        constant_loss: The training loss of the best constant predictor; None where it is not known.
        lacking: The number of runs of which no history is kept.
        unread: The number of runs whose histories were not read, as there are many.
    """

    runs: Sequence[Trace]
    steps: int
    parts: Sequence[str]
    constant_loss: float | None
    lacking: int
    unread: int

    @property
    def loss_steps(self) -> Floats:
        """The middle of each part of the training, in steps."""
        return (np.arange(self.loss_bins) + 0.5) * self.steps / self.loss_bins + 0.5

    @property
    def loss_bins(self) -> int:
        """Points of a curve."""
        return len(self.runs[0].losses) if self.runs else 0

    def of(self, *, failed: bool) -> list[Trace]:
        """The failed ones or the others."""
        return [trace for trace in self.runs if trace.failed is failed]


def read_traces(runs: RecipeRuns) -> Traces:
    """The traces of a recipe's runs.

    Raises:
        StoreError: The store cannot be read.
    """
    steps = max((record.steps for record in runs.records), default=0)
    found: list[Trace] = []
    parts: list[str] = []
    constant_loss = None
    failed = [record for record in runs.records if record.outcome is Outcome.FAILED]
    others = [record for record in runs.records if record.outcome is not Outcome.FAILED]
    chosen = {record.id for record in (*failed[:MOST_READ], *others[:MOST_READ])}
    records = [record for record in runs.records if record.id in chosen]
    for record, history in _histories(runs, records):
        own = max(steps, len(history.losses), *history.probe_steps, *history.loss_steps, 1)
        parts = parts or list(history.gradient_norms)
        constant_loss = history.constant_loss if constant_loss is None else constant_loss
        found.append(
            Trace(
                record,
                _losses(history, own),
                _norms(history, parts, own),
                history.evaluation_steps,
                _floats(history.scores),
                _right(history),
            )
        )
    unread = len(runs.records) - len(records)
    return Traces(found, max(steps, 1), parts, constant_loss, len(records) - len(found), unread)


def _histories(runs: RecipeRuns, records: Sequence[RunRecord]) -> Iterator[tuple[RunRecord, History]]:
    """Some at a time, so that they are never all in memory."""
    for first in range(0, len(records), _AT_ONCE):
        some = records[first : first + _AT_ONCE]
        histories = runs.histories(some)
        yield from ((record, histories[record.id]) for record in some if record.id in histories)


def _losses(history: History, steps: int) -> Floats:
    at = tuple(history.loss_steps) or tuple(range(1, len(history.losses) + 1))
    return _means(_floats(history.losses), at, steps, LOSS_BINS)


def _norms(history: History, parts: Sequence[str], steps: int) -> Floats:
    at = tuple(history.probe_steps)
    norms = np.full((len(parts), len(at)), np.nan)
    for row, part in enumerate(parts):
        own = _floats(history.gradient_norms.get(part, ()))[: len(at)]
        norms[row, : len(own)] = own
    logs = np.log10(norms, where=norms > 0, out=np.full_like(norms, np.nan))
    return _means(logs, at, steps, NORM_BINS)


def _right(history: History) -> NDArray[np.bool_] | None:
    found = None if history.predictions is None else history.predictions.right
    return None if found is None or len(found) == 0 else np.asarray(found, bool)


def _means(values: Floats, at: tuple[int, ...], steps: int, most: int) -> Floats:
    """The mean of the finite values in each of ``most`` equal parts of the training, or of each step where it is short.

    Args:
        values: ``[..., steps]``.
        at: The step, from 1, of each value.
        steps: Of the whole training.
        most: Parts.
    """
    places = _places(at[: values.shape[-1]], steps, min(most, steps))
    known = np.isfinite(values)
    counts = known @ places
    sums = np.where(known, values, 0.0) @ places
    return np.asarray(np.divide(sums, counts, where=counts > 0, out=np.full(counts.shape, np.nan)))


@lru_cache(maxsize=8)
def _places(at: tuple[int, ...], steps: int, bins: int) -> Floats:
    """``[values, bins]``: 1 where a value belongs. Runs of one recipe share it."""
    places = np.zeros((len(at), bins))
    places[np.arange(len(at)), np.minimum((np.asarray(at, int) - 1) * bins // steps, bins - 1)] = 1
    return places


def _floats(values: Sequence[float | None]) -> Floats:
    """None is NaN."""
    return np.array(values, float)
