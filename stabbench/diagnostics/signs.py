"""What a run's history shows: curves without noise, levels to compare with, and how far things are from them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stabbench.records.history import History
from stabbench.records.run import Outcome, RunRecord

Curve = NDArray[np.float64]

# A curve is looked at in windows of a twentieth of it.
WINDOWS = 20
# The loss of a new head is that of guessing; so many steps at the start stand for it where nothing else is kept.
FIRST = 5
# Of fewer a curve shows nothing.
FEWEST_STEPS = 20
# So many times what chance may add to a score.
FAR = 3


@dataclass(frozen=True)
class Signs:
    """A run and its history, and what can be read from them.

    Attributes:
        record: The run.
        history: What was kept of it.
    """

    record: RunRecord
    history: History

    @cached_property
    def losses(self) -> Curve:
        """The training losses; NaN where one is not finite."""
        return as_curve(self.history.losses)

    def step(self, place: int) -> int:
        """The step, from 1, of a place in the losses."""
        return self.history.loss_steps[place] if self.history.loss_steps else place + 1

    @property
    def steps(self) -> int:
        """The last step of which a loss is known, or else the run's number of steps; 0 where nobody said it."""
        return self.step(len(self.losses) - 1) if len(self.losses) else self.record.steps

    @property
    def too_short(self) -> bool:
        """Whether so few steps were made that how they went says nothing."""
        return 0 < self.steps < FEWEST_STEPS

    @property
    def window(self) -> int:
        """The number of losses of a window."""
        return max(1, len(self.losses) // WINDOWS)

    @cached_property
    def smooth(self) -> Curve:
        """Means of a window's losses, one for each place at which a window ends."""
        if len(self.losses) < self.window:
            return self.losses
        return np.convolve(self.losses, np.full(self.window, 1 / self.window), "valid")

    @property
    def final_loss(self) -> float:
        """The mean loss of the last window; NaN where there is none."""
        return float(self.smooth[-1]) if len(self.smooth) else math.nan

    @cached_property
    def constant_loss(self) -> float:
        """The training loss of the best constant predictor; where it was not kept, that of the first steps."""
        if self.history.constant_loss is not None:
            return self.history.constant_loss
        first = 1 if self.history.loss_steps else FIRST  # a logged loss is a mean of many
        return float(np.median(self.losses[:first])) if len(self.losses) else math.nan

    @property
    def constant_level(self) -> str:
        """What :attr:`constant_loss` is, in words: ``the best constant predictor's being 0.69``."""
        if self.history.constant_loss is not None:
            return f"the best constant predictor's being {self.constant_loss:.2f}"
        first = "the first" if self.history.loss_steps else f"that of the first {FIRST} steps"
        return f"{first} being {self.constant_loss:.2f}"

    @property
    def at_constant(self) -> bool:
        """Whether it scores no better than the best constant predictor but for chance.

        Chance is twice the largest standard error of a rate over the examples, where their number is known.
        """
        r, predictions = self.record, self.history.predictions
        if r.outcome is Outcome.FAILED:
            return True
        if predictions is None or r.score is None or r.constant_score is None:
            return False
        return r.score - r.constant_score <= 1 / math.sqrt(len(predictions.values))

    @property
    def succeeded(self) -> bool:
        """Whether it is better than the best constant predictor by far more than chance: one to compare others with."""
        r, predictions = self.record, self.history.predictions
        if r.outcome is not Outcome.OK or r.score is None or r.constant_score is None:
            return False
        chance = 0.0 if predictions is None else 1 / math.sqrt(len(predictions.values))
        return r.score - r.constant_score > FAR * chance

    @cached_property
    def late(self) -> slice:
        """The probes of the second half."""
        return slice(len(self.history.probe_steps) // 2, None)

    @cached_property
    def blocks(self) -> list[str]:
        """The blocks whose gradient norms were kept, the lowest first."""
        found = [part for part in self.history.gradient_norms if part.startswith("block ")]
        return sorted(found, key=lambda part: int(part.split()[1]))

    def norm(self, part: str) -> Curve:
        """A part's gradient norms at the probes; NaN where one is not finite or not kept."""
        return as_curve(self.history.gradient_norms.get(part, ()))

    @cached_property
    def largest_update(self) -> float | None:
        """The root mean square of the update of the component that moved most; None where that was not kept."""
        components = self.history.components
        if components is None or not len(components.distances):
            return None
        last = components.update_rms[-1]
        return float(np.nanmax(last)) if np.isfinite(last).any() else math.inf


def as_curve(values: Sequence[float | None]) -> Curve:
    """NaN for None."""
    return np.array([math.nan if value is None else value for value in values], float)


def highest(values: Iterable[float]) -> float:
    """The largest of what is finite; NaN where nothing is."""
    return max((value for value in values if math.isfinite(value)), default=math.nan)


def middle(values: Iterable[float]) -> float:
    """The median of what is finite; NaN where nothing is."""
    finite = [value for value in values if math.isfinite(value)]
    return float(np.median(finite)) if finite else math.nan
