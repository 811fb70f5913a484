"""Verdicts, and the rules that decide on them. Plain data: the command line loads it without numpy."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypedDict

from stabbench.errors import StabbenchError, excerpt

# The largest value of a rule: there are no more runs than that.
MOST = 1_000_000


class Verdict(StrEnum):
    """The outcome of a gate. Too little data is ``INCONCLUSIVE``, never ``PASS``."""

    #: Shown to be non-inferior to the baseline, within the margins.
    PASS = "PASS"
    #: Shown to be worse, by at least the practical floor; or a hard limit is broken.
    FAIL = "FAIL"
    #: Too few runs to show harm or non-inferiority.
    INCONCLUSIVE = "INCONCLUSIVE"
    #: Runs are missing, or could not be trained.
    ERROR = "ERROR"
    #: The baseline was trained on other data, weights or hardware.
    INCOMPARABLE = "INCOMPARABLE"

    @property
    def exit_code(self) -> int:
        """The exit code of a command with this verdict."""
        return {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 2}.get(self, 3)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of several cells together. A known regression is not hidden by another cell's error."""
    order = [Verdict.FAIL, Verdict.ERROR, Verdict.INCOMPARABLE, Verdict.INCONCLUSIVE, Verdict.PASS]
    return min(verdicts, key=order.index)


class RuleOptions(TypedDict, total=False):
    """The fields of :class:`Rules` as keyword arguments."""

    alpha: float
    rate_floor: float
    spread_floor: float
    std_floor: float
    mean_floor: float
    rate_margin: float
    spread_margin: float
    mean_margin: float
    max_std: float | None
    max_failed: int | None


@dataclass(frozen=True)
class Rules:
    """When a candidate counts as worse (floors), and when as non-inferior (margins).

    Attributes:
        alpha: The rate of false alarms of the whole family of tests; and, separately, of false non-inferiority.
        rate_floor: The smallest rise of the rate of failed runs that counts as worse.
        spread_floor: The smallest ratio of standard deviations that counts as worse.
        std_floor: The smallest rise of the standard deviation that counts as worse, whatever its ratio. A spread that
            is surely below this does not prevent PASS.
        mean_floor: The smallest fall of the mean score that counts as worse (a fraction: .01 is one point).
        rate_margin: Non-inferior: the rate of failed runs rises by at most this.
        spread_margin: Non-inferior: the spread is at most this many times the baseline's.
        mean_margin: Non-inferior: the mean score falls by at most this.
        max_std: A hard limit on the standard deviation of the candidate's scores.
        max_failed: A hard limit on the candidate's number of failed runs.

    Raises:
        StabbenchError: A value out of range.
    """

    alpha: float = 0.05
    rate_floor: float = 0.1
    spread_floor: float = 1.5
    std_floor: float = 0.002
    mean_floor: float = 0.01
    rate_margin: float = 0.2
    spread_margin: float = 2.0
    mean_margin: float = 0.02
    max_std: float | None = None
    max_failed: int | None = None

    def __post_init__(self) -> None:
        least = {"spread_floor": 1.0, "spread_margin": 1.0}
        for spec in dataclasses.fields(self):
            value = getattr(self, spec.name)
            low = least.get(spec.name, 0.0)
            if value is not None and not low <= value <= MOST:
                raise StabbenchError(f"{spec.name} must be at least {low:g} and at most {MOST:,}, got {excerpt(value)}")
        if not 0 < self.alpha < 0.5:
            raise StabbenchError(f"alpha must be between 0 and .5, got {self.alpha:g}")

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        return dataclasses.asdict(self)
