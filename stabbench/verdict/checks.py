"""The three gating checks of a candidate against a baseline: failed runs, spread, mean.

Each asks two questions. Is it *worse*: a one-sided test, and an effect over the practical floor? Is it *no worse*: the
bound of the effect within the margin? Neither need be true; then there are too few runs.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from stabbench import statistics
from stabbench.rules import Rules
from stabbench.statistics import DirectedTest, Effect, Sample
from stabbench.verdict.look import Look

ROUNDING = 1e-9


@dataclass(frozen=True)
class Check:
    """One gating check.

    Attributes:
        name: ``failed runs``, ``spread`` or ``mean``.
        test: Whether the candidate is worse, and whether it is better.
        effect: Difference of rates, ratio of mean absolute deviations from the median, or difference of means;
            with 95% bounds.
        over_floor: The effect is large enough to fail on.
        better_over_floor: Likewise in the other direction.
        bound: The effect is no worse than this, with confidence 1 - alpha; None where it is not defined.
        margin: What it is compared with.
        holds: The bound is within the margin.
        note: What is special here.
    """

    name: str
    test: DirectedTest
    effect: Effect
    over_floor: bool
    better_over_floor: bool
    bound: float | None
    margin: float
    holds: bool
    note: str = ""


def measure(candidate: Sample, baseline: Sample, rules: Rules, look: Look) -> list[Check]:
    """All three checks."""
    level = look.level(rules.alpha, max(1, baseline.planned))
    failed_runs = _failed_runs(candidate, baseline, rules, level)
    spread = _spread(candidate, baseline, rules, level)
    p_better = failed_runs.test.p_better
    wider = spread.bound is not None and (spread.over_floor or not spread.holds)
    if wider and p_better is not None and p_better <= rules.alpha:
        # Failures decide first: scores of runs that now succeed are wider than those of collapsed ones.
        note = "fewer runs fail: a wider spread is no harm"
        spread = dataclasses.replace(spread, over_floor=False, holds=True, note=note)
    return [failed_runs, spread, _mean(candidate, baseline, rules, level)]


def _failed_runs(candidate: Sample, baseline: Sample, rules: Rules, level: float) -> Check:
    counts = (candidate.failures, candidate.planned, baseline.failures, baseline.planned)
    test = statistics.failure_test(*counts)
    effect = statistics.rate_difference(*counts)
    bound = statistics.rate_difference(*counts, level).high
    return Check(
        name="failed runs",
        test=test,
        effect=effect,
        over_floor=effect.estimate is not None and effect.estimate >= rules.rate_floor - ROUNDING,
        better_over_floor=effect.estimate is not None and effect.estimate <= -rules.rate_floor + ROUNDING,
        bound=bound,
        margin=rules.rate_margin,
        holds=bound is not None and bound <= rules.rate_margin + ROUNDING,
        note=_collapsed(candidate, baseline),
    )


def _spread(candidate: Sample, baseline: Sample, rules: Rules, level: float) -> Check:
    x, y = candidate.finite, baseline.finite
    test = statistics.spread_test(x, y)
    if test.p_worse is not None and test.p_worse <= rules.alpha:
        # Only what both tests find: a single collapsed run among a few is no spread yet.
        permuted = statistics.permuted_spread_test(x, y)
        p_worse = max(test.p_worse, 1.0 if permuted is None else permuted)
        test = DirectedTest(p_worse, test.p_better, "Brown-Forsythe, permuted", test.note)
    bound = statistics.spread_ratio(x, y, level).high
    ratio = _ratio(statistics.summarise(candidate).std, statistics.summarise(baseline).std)
    return Check(
        name="spread",
        test=test,
        effect=statistics.spread_ratio(x, y),
        over_floor=ratio is not None and ratio >= rules.spread_floor - ROUNDING,
        # The spread of collapsed runs is no virtue.
        better_over_floor=ratio is not None and ratio <= 1 / rules.spread_floor and not candidate.collapsed,
        bound=bound,
        margin=rules.spread_margin,
        holds=bound is not None and bound <= rules.spread_margin + ROUNDING,
        note=test.note,
    )


def _mean(candidate: Sample, baseline: Sample, rules: Rules, level: float) -> Check:
    x, y = candidate.finite, baseline.finite
    effect, bound = statistics.mean_difference(x, y), statistics.mean_difference(x, y, level).low
    test = statistics.mean_test(x, y)
    return Check(
        name="mean",
        test=test,
        effect=effect,
        over_floor=effect.estimate is not None and effect.estimate <= -rules.mean_floor + ROUNDING,
        better_over_floor=effect.estimate is not None and effect.estimate >= rules.mean_floor - ROUNDING,
        bound=bound,
        margin=-rules.mean_margin,
        holds=bound is not None and bound >= -rules.mean_margin - ROUNDING,
        note=test.note,
    )


def _collapsed(candidate: Sample, baseline: Sample) -> str:
    if not candidate.collapsed:
        return ""
    also = ", and every run of the baseline: there is nothing left to lose" if baseline.collapsed else ""
    return f"every run of the candidate failed{also}"


def _ratio(candidate: float | None, baseline: float | None) -> float | None:
    if candidate is None or baseline is None:
        return None
    if baseline == 0:
        return math.inf if candidate > 0 else 1.0
    return candidate / baseline
