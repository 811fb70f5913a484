"""The three gating checks of a candidate against a baseline: failed runs, spread, mean.

Each asks two questions. Is the candidate *worse*: is a one-sided test significant, and the effect at least the
practical floor? Is it *non-inferior*: is the confidence bound of the effect within the margin? Where neither is true
there are too few runs.

In spread and mean a permutation test must confirm what a t-test finds. Welch's and Brown and Forsythe's tests keep
their level where the recipes differ in what is not tested, but they alarm falsely where the smaller sample has by
chance none of the occasional collapsed runs. Permutation tests keep their level wherever the recipes are the same.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from stabbench import statistics
from stabbench.gate.looks import Look
from stabbench.gate.rules import Rules
from stabbench.statistics import DirectedTest, Effect, Sample

ROUNDING = 1e-9


@dataclass(frozen=True)
class Check:
    """One gating check.

    Attributes:
        name: ``failed runs``, ``spread`` or ``mean``.
        test: One-sided tests that the candidate is worse, and that it is better.
        effect: The difference of rates, the ratio of mean absolute deviations from the median, or the difference of
            means, with 95% bounds.
        exceeds_floor: The candidate is worse by enough to fail on.
        improves: The candidate is better by as much.
        bound: With confidence 1 - alpha the effect is not worse than this; None where it is not defined.
        margin: The limit on ``bound``.
        non_inferior: The bound is within the margin, or the spread is too small to matter.
        note: What is special about this check.
        small_deviation: Where the spread is non-inferior only because it is small: the upper bound of the candidate's
            mean absolute deviation from the median.
    """

    name: str
    test: DirectedTest
    effect: Effect
    exceeds_floor: bool
    improves: bool
    bound: float | None
    margin: float
    non_inferior: bool
    note: str = ""
    small_deviation: float | None = None


def measure(candidate: Sample, baseline: Sample, rules: Rules, look: Look) -> list[Check]:
    """All three checks of a candidate against a baseline, at a look's level."""
    level = look.level(rules.alpha, baseline.planned)
    failed_runs = _failed_runs(candidate, baseline, rules, level)
    spread = _spread(candidate, baseline, rules, level)
    p_better = failed_runs.test.p_better
    wider = spread.bound is not None and (spread.exceeds_floor or not spread.non_inferior)
    if wider and p_better is not None and p_better <= rules.alpha:
        # Failures decide first: scores of runs that now succeed are wider than those of collapsed ones.
        note = "fewer runs fail: a wider spread is no harm"
        spread = dataclasses.replace(spread, exceeds_floor=False, non_inferior=True, note=note, small_deviation=None)
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
        exceeds_floor=effect.estimate is not None and effect.estimate >= rules.rate_floor - ROUNDING,
        improves=effect.estimate is not None and effect.estimate <= -rules.rate_floor + ROUNDING,
        bound=bound,
        margin=rules.rate_margin,
        non_inferior=bound is not None and bound <= rules.rate_margin + ROUNDING,
        note=_collapsed(candidate, baseline),
    )


def _spread(candidate: Sample, baseline: Sample, rules: Rules, level: float) -> Check:
    x, y = candidate.finite, baseline.finite
    test = statistics.spread_test(x, y)
    if any(p is not None and p <= rules.alpha for p in (test.p_worse, test.p_better)):
        test = _both(test, statistics.permuted_spread_test(x, y))
    bound = statistics.spread_ratio(x, y, level).high
    new, old = statistics.summarise(candidate).std, statistics.summarise(baseline).std
    non_inferior = bound is not None and bound <= rules.spread_margin + ROUNDING
    small_deviation = None
    if not non_inferior and (most := statistics.mean_deviation(x, level).high) is not None and most <= rules.std_floor:
        non_inferior, small_deviation = True, most
    return Check(
        name="spread",
        test=test,
        effect=statistics.spread_ratio(x, y),
        exceeds_floor=_wider(new, old, rules),
        # A small spread of collapsed runs is no improvement.
        improves=_wider(old, new, rules) and not candidate.collapsed,
        bound=bound,
        margin=rules.spread_margin,
        non_inferior=non_inferior,
        note=test.note if small_deviation is None else "",
        small_deviation=small_deviation,
    )


def _mean(candidate: Sample, baseline: Sample, rules: Rules, level: float) -> Check:
    x, y = candidate.finite, baseline.finite
    test = statistics.mean_test(x, y)
    if test.p_worse is not None:
        test = _both(test, statistics.permuted_mean_test(x, y))
    effect = _outer(statistics.mean_difference(x, y), statistics.permuted_mean_difference(x, y))
    bound = _outer(statistics.mean_difference(x, y, level), statistics.permuted_mean_difference(x, y, level)).low
    return Check(
        name="mean",
        test=test,
        effect=effect,
        exceeds_floor=effect.estimate is not None and effect.estimate <= -rules.mean_floor + ROUNDING,
        improves=effect.estimate is not None and effect.estimate >= rules.mean_floor - ROUNDING,
        bound=bound,
        margin=-rules.mean_margin,
        non_inferior=bound is not None and bound >= -rules.mean_margin - ROUNDING,
        note=test.note,
    )


def _both(test: DirectedTest, permuted: DirectedTest) -> DirectedTest:
    """The larger p-values of two tests: only what both find is significant."""
    worse, better = (
        None if p is None or q is None else max(p, q)
        for p, q in ((test.p_worse, permuted.p_worse), (test.p_better, permuted.p_better))
    )
    return DirectedTest(worse, better, f"{test.method}, permuted", test.note)


def _outer(effect: Effect, permuted: Effect) -> Effect:
    """The wider bounds of two intervals."""
    if effect.low is None or effect.high is None or permuted.low is None or permuted.high is None:
        return effect
    return Effect(effect.estimate, min(effect.low, permuted.low), max(effect.high, permuted.high))


def _wider(wide: float | None, narrow: float | None, rules: Rules) -> bool:
    """Whether one standard deviation is larger than another by enough to count, as a ratio and as a difference."""
    if wide is None or narrow is None:
        return False
    return wide >= rules.spread_floor * narrow - ROUNDING and wide - narrow >= rules.std_floor - ROUNDING


def _collapsed(candidate: Sample, baseline: Sample) -> str:
    if not candidate.collapsed:
        return ""
    also = ", and every run of the baseline: there is nothing left to lose" if baseline.collapsed else ""
    return f"every run of the candidate failed{also}"
