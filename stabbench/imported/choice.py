"""What a user says about results measured elsewhere."""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass
from enum import StrEnum

from stabbench.errors import excerpt, unknown
from stabbench.imported.found import ResultsError
from stabbench.records.scoring import Scoring


class Crashed(StrEnum):
    """What a run is that gave no score where it was measured: the user's decision, never a default."""

    #: Unknown: nothing is tested or judged as long as there is one.
    MISSING = "missing"
    #: Its training broke down: a failed run.
    FAILED = "failed"
    #: The machine broke down: no run; what is left out is said beside the source.
    LEFT_OUT = "left-out"


@dataclass(frozen=True)
class Choice:
    """What to take as score, seed and failure, where the results do not say it themselves.

    Attributes:
        metric: The name of the score; None takes the only one, or ``score``.
        seed_from: The parameter or column that is the seed, or a regular expression that finds it in the name of a
            run or folder; None takes ``seed``.
        constant_score: Of the best constant predictor, in the metric's own units: a run that is no better has failed.
        lower_is_better: The metric is a loss: scores are its negatives, and so is the metric's name (``neg_loss``).
        task: The task, where the results have several; None takes the only one.
        crashed: What a run without a score is: one of :class:`Crashed`.

    Raises:
        ResultsError: A constant score that is not finite, an invalid regular expression, or an unknown ``crashed``.
    """

    metric: str | None = None
    seed_from: str | None = None
    constant_score: float | None = None
    lower_is_better: bool = False
    task: str | None = None
    crashed: str = Crashed.MISSING

    def __post_init__(self) -> None:
        if self.constant_score is not None and not math.isfinite(self.constant_score):
            raise ResultsError(f"the constant score cannot be {self.constant_score}", "give a finite number")
        if self.crashed not in list(Crashed):
            raise ResultsError(unknown("way to take a crashed run", str(self.crashed), [way.value for way in Crashed]))
        try:
            with warnings.catch_warnings(action="ignore"):  # of what another Python will read in another way
                re.compile(self.seed_from or "")
        except (re.error, OverflowError, RecursionError) as error:
            raise ResultsError(
                f"{excerpt(self.seed_from)} is no regular expression: {error}", r"such as 'seed-(\d+)'"
            ) from error

    def scoring(self, metric: str) -> Scoring:
        """How the values of the metric that was found become scores."""
        return Scoring(metric, self.constant_score, self.lower_is_better)
