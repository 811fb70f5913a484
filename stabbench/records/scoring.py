"""From the value of a metric to a score, of which higher is better; and from a score to how a run ended."""

from __future__ import annotations

from dataclasses import dataclass

from stabbench.records.run import Outcome, finite

#: A score beyond this is a mistake, and a variance of such numbers would be infinite.
LARGEST_SCORE = 1e12


def outcome_of(score: float, constant_score: float) -> tuple[Outcome, str]:
    """How a run with a finite score ended, and why: it fails if it is no better than the best constant predictor."""
    if score <= constant_score:
        return Outcome.FAILED, "no better than the best constant predictor"
    return Outcome.OK, ""


@dataclass(frozen=True)
class Scoring:
    """How the values of other people's metrics become scores.

    Attributes:
        metric: The metric's name.
        constant: Its value for the best constant predictor; None where nobody knows.
        lower_is_better: It is a loss: scores are its negatives, and so is its name (``neg_loss``).
    """

    metric: str
    constant: float | None
    lower_is_better: bool

    @property
    def name(self) -> str:
        """The metric's name in records."""
        return f"neg_{self.metric}" if self.lower_is_better else self.metric

    @property
    def constant_score(self) -> float | None:
        """The score of the best constant predictor."""
        return None if self.constant is None else self.score(self.constant)

    def score(self, value: float | None) -> float | None:
        """The score of a value; None where it is not finite."""
        found = None if value is None else finite(value)
        return None if found is None else (-found if self.lower_is_better else found) + 0.0  # no -0.0

    def outcome(self, score: float | None) -> tuple[Outcome, str]:
        """How a run with that score ended, and why."""
        if score is None:
            return Outcome.FAILED, f"its {self.metric} is not finite"
        if self.constant_score is None:
            return Outcome.UNKNOWN, "no score of the best constant predictor was given"
        return outcome_of(score, self.constant_score)
