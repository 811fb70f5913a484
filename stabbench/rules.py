"""What a verdict may be, and the rules that it is found by. Plain data: the command line shows it without numpy."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stabbench.errors import StabbenchError


class Verdict(StrEnum):
    """The outcome of a gate. Too little data is ``INCONCLUSIVE``, never ``PASS``."""

    #: Shown to be no worse than the baseline, within the margins.
    PASS = "PASS"
    #: Shown to be worse, by more than the practical floor; or a limit is broken.
    FAIL = "FAIL"
    #: Neither is shown with so many seeds.
    INCONCLUSIVE = "INCONCLUSIVE"
    #: The runs are not complete, or could not be made.
    ERROR = "ERROR"
    #: The baseline was made of something else.
    INCOMPARABLE = "INCOMPARABLE"

    @property
    def exit_code(self) -> int:
        """Of the process that ends with this verdict."""
        return {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 2}.get(self, 3)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of several cells. A known regression is not hidden by another cell's error."""
    order = [Verdict.FAIL, Verdict.ERROR, Verdict.INCOMPARABLE, Verdict.INCONCLUSIVE, Verdict.PASS]
    return min(verdicts, key=order.index)


@dataclass(frozen=True)
class Rules:
    """When a candidate counts as worse, and when as no worse.

    Attributes:
        alpha: The rate of false alarms of the whole family of tests; and, separately, that of a false "no worse".
        rate_floor: A significant rise of the rate of failed runs under this is too small to fail on.
        spread_floor: Likewise the ratio of standard deviations.
        mean_floor: Likewise the loss of mean score (a fraction: .01 is one point).
        rate_margin: "No worse" in failed runs: the rate is higher by this at most.
        spread_margin: In spread: at most so many times the baseline's.
        mean_margin: In mean score: lower by this at most.
        max_std: A hard limit on the standard deviation of the candidate's scores.
        max_failed: A hard limit on its number of failed runs.

    Raises:
        StabbenchError: A value out of range.
    """

    alpha: float = 0.05
    rate_floor: float = 0.1
    spread_floor: float = 1.5
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
            if value is not None and not (math.isfinite(value) and value >= low):
                raise StabbenchError(f"{spec.name} must be at least {low:g}, got {value:g}")
        if not 0 < self.alpha < 0.5:
            raise StabbenchError(f"alpha must be between 0 and .5, got {self.alpha:g}")

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        return dataclasses.asdict(self)
