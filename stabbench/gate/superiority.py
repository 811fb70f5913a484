"""Whether one recipe is more stable than another on the same seeds: fewer failed runs, or a smaller spread."""

from __future__ import annotations

from dataclasses import dataclass

from stabbench import statistics
from stabbench.gate.checks import Check, measure
from stabbench.gate.looks import FIXED
from stabbench.gate.rules import Rules, Verdict
from stabbench.statistics import Sample


@dataclass(frozen=True)
class Superiority:
    """The tests of "more stable than", and their verdict.

    Attributes:
        candidate: The scores of the recipe that should be more stable.
        reference: The scores of the other recipe.
        alpha: The rate of false alarms of all four one-sided tests together.
        checks: Failed runs and spread.
        p_better: For each check the p-value for "better", after Holm's correction over the four tests.
        p_worse: For each check the p-value for "worse", after the same correction.
    """

    candidate: Sample
    reference: Sample
    alpha: float
    checks: tuple[Check, ...]
    p_better: tuple[float | None, ...]
    p_worse: tuple[float | None, ...]

    @property
    def less_stable(self) -> bool:
        """One of the two is significantly worse, by at least the practical floor."""
        return any(
            p is not None and p <= self.alpha and check.exceeds_floor
            for p, check in zip(self.p_worse, self.checks, strict=True)
        )

    @property
    def verdict(self) -> Verdict:
        """PASS: one is significantly better and neither worse. INCONCLUSIVE: too few runs to tell."""
        if self.candidate.collapsed or self.less_stable:
            return Verdict.FAIL
        if any(p is not None and p <= self.alpha for p in self.p_better):
            return Verdict.PASS
        new, old = statistics.summarise(self.candidate), statistics.summarise(self.reference)
        # More runs are no remedy where the candidate is not even better in this sample.
        not_even_better = new.failed >= old.failed and (new.std or 0) >= (old.std or 0)
        return Verdict.FAIL if not_even_better else Verdict.INCONCLUSIVE


def more_stable(candidate: Sample, reference: Sample, *, alpha: float) -> Superiority:
    """Test a candidate against a reference in failed runs and spread, in both directions.

    Raises:
        StabbenchError: ``alpha`` is out of range.
    """
    checks = tuple(measure(candidate, reference, Rules(alpha=alpha), FIXED)[:2])
    adjusted = statistics.holm([p for check in checks for p in (check.test.p_better, check.test.p_worse)])
    return Superiority(candidate, reference, alpha, checks, tuple(adjusted[::2]), tuple(adjusted[1::2]))
