"""The verdict of every candidate of a family: first proven harm and broken limits, then proven harmlessness."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from stabbench import statistics
from stabbench.rules import Rules, Verdict
from stabbench.statistics import Sample
from stabbench.verdict.checks import Check, measure
from stabbench.verdict.look import FIXED, Look

# As far as `more_seeds` looks.
MOST_SEEDS = 200


@dataclass(frozen=True)
class Pair:
    """A candidate and the baseline it is judged against.

    Attributes:
        candidate: Its runs.
        baseline: Its runs.
        look: Which look this is.
        same_seeds: Both have the same seeds, so that more seeds are more runs of both.
    """

    candidate: Sample
    baseline: Sample
    look: Look = FIXED
    same_seeds: bool = False


@dataclass(frozen=True)
class Judgement:
    """A verdict with everything that led to it.

    Attributes:
        verdict: PASS, FAIL or INCONCLUSIVE.
        reason: In one sentence.
        pair: What was judged.
        rules: By which rules.
        checks: The three gating checks.
        adjusted: For each of them the p-value for "worse", adjusted for the family (Holm); None if not defined.
        family: The number of tests in the family.
        level: What an unadjusted p-value had to be below, at least, to fail.
    """

    verdict: Verdict
    reason: str
    pair: Pair
    rules: Rules
    checks: tuple[Check, ...]
    adjusted: tuple[float | None, ...]
    family: int
    level: float

    @cached_property
    def detectable(self) -> dict[str, float | None]:
        """For each check the smallest effect that would have been found with power .8 at so many seeds."""
        n, baseline = self.pair.candidate.planned, self.pair.baseline
        drop = statistics.detectable_drop(n, baseline.finite, self.level)
        return {
            "failed runs": statistics.detectable_rate(n, baseline.failures, baseline.planned, self.level),
            "spread": statistics.detectable_spread(n, baseline.finite, self.level),
            "mean": None if drop is None else 0.0 - drop,
        }

    @cached_property
    def more_seeds(self) -> int | None:
        """About how many more seeds would decide, if they are like the ones so far; None where 200 in all would not."""
        if self.verdict is not Verdict.INCONCLUSIVE:
            return 0
        planned = self.pair.candidate.planned
        if not 0 < planned <= MOST_SEEDS:
            return None
        undecided, decided = planned, planned
        while not self._would_decide(decided):
            if decided == MOST_SEEDS:
                return None
            undecided, decided = decided, min(MOST_SEEDS, max(decided + 1, decided * 3 // 2))
        while decided - undecided > 1:
            middle = (undecided + decided) // 2
            undecided, decided = (undecided, middle) if self._would_decide(middle) else (middle, decided)
        return decided - planned

    def _would_decide(self, seeds: int) -> bool:
        if seeds <= self.pair.candidate.planned:
            return False
        baseline = _stretched(self.pair.baseline, seeds) if self.pair.same_seeds else self.pair.baseline
        checks = measure(_stretched(self.pair.candidate, seeds), baseline, self.rules, FIXED)
        worse = any(c.over_floor and c.test.p_worse is not None and c.test.p_worse <= self.level for c in checks)
        return worse or all(c.holds for c in checks)

    @property
    def stale(self) -> bool:
        """The candidate is clearly better, and in nothing worse: the baseline could be tightened."""
        if self.verdict is Verdict.FAIL:
            return False
        found = statistics.holm([c.test.p_better for c in self.checks])
        return any(
            p is not None and p <= self.rules.alpha and check.better_over_floor
            for p, check in zip(found, self.checks, strict=True)
        )


def judge(pairs: Mapping[str, Pair], rules: Rules, *, family_cells: int | None = None) -> dict[str, Judgement]:
    """The verdict of every pair. All their tests are one family.

    Args:
        pairs: By name.
        rules: The rules.
        family_cells: The number of cells in the family, where only some of them are judged here: alpha is shared out.
    """
    share = 1.0 if family_cells is None else len(pairs) / max(family_cells, len(pairs))
    measured = {name: measure(p.candidate, p.baseline, rules, p.look) for name, p in pairs.items()}
    everything = [(name, i) for name, checks in measured.items() for i in range(len(checks))]
    p_values = {key: measured[key[0]][key[1]].test.p_worse for key in everything}
    sequential = any(p.look.sequential for p in pairs.values())
    # In a sequential design the family is fixed in advance: what is not defined yet may be, later.
    family = len(everything) if sequential else sum(p is not None for p in p_values.values())
    if sequential:
        adjusted, remaining = _step_down(pairs, p_values, rules.alpha * share, family)
        adjusted = {key: None if p is None else min(1.0, p / share) for key, p in adjusted.items()}
    else:
        values = statistics.holm(list(p_values.values()))
        adjusted = {k: None if p is None else min(1.0, p / share) for k, p in zip(everything, values, strict=True)}
        remaining = family
    whole = family if family_cells is None else max(family, 3 * family_cells)
    judged = {}
    for name, pair in pairs.items():
        own = tuple(adjusted[name, i] for i in range(len(measured[name])))
        verdict, reason = _decide(pair, rules, measured[name], own, whole)
        level = pair.look.level(rules.alpha * share / max(1, remaining), pair.baseline.planned)
        judged[name] = Judgement(verdict, reason, pair, rules, tuple(measured[name]), own, whole, level)
    return judged


def _step_down(
    pairs: Mapping[str, Pair], p_values: Mapping[tuple[str, int], float | None], alpha: float, family: int
) -> tuple[dict[tuple[str, int], float | None], int]:
    """Holm's procedure where every test has its own level at its look (Maurer and Bretz 2013).

    Returns:
        p-values on the scale of ``alpha``, and the number of tests that were not rejected.
    """

    def scaled(key: tuple[str, int], p: float, remaining: int) -> float:
        pair = pairs[key[0]]
        return p * alpha / pair.look.level(alpha / remaining, pair.baseline.planned)

    adjusted: dict[tuple[str, int], float | None] = dict.fromkeys(p_values)
    open_tests = {key: p for key, p in p_values.items() if p is not None}
    remaining = family
    while hits := {k: scaled(k, p, remaining) for k, p in open_tests.items() if scaled(k, p, remaining) <= alpha}:
        adjusted.update(hits)
        remaining -= len(hits)
        open_tests = {k: p for k, p in open_tests.items() if k not in hits}
    adjusted.update({k: scaled(k, p, remaining) for k, p in open_tests.items()})
    return adjusted, remaining


def _decide(
    pair: Pair, rules: Rules, checks: list[Check], adjusted: tuple[float | None, ...], family: int
) -> tuple[Verdict, str]:
    candidate, baseline = pair.candidate, pair.baseline
    std = statistics.summarise(candidate).std
    broken = []
    if rules.max_failed is not None and candidate.failures > rules.max_failed:
        broken.append(f"{candidate.failures} of {candidate.planned} runs failed, the limit is {rules.max_failed}")
    if rules.max_std is not None and std is not None and std > rules.max_std:
        broken.append(f"the standard deviation is {std:.4f}, the limit is {rules.max_std:g}")
    for check, p in zip(checks, adjusted, strict=True):
        if p is not None and p <= rules.alpha and check.over_floor:
            broken.append(f"{_what_changed(check, candidate, baseline)} ({_p(p)} after Holm, family of {family})")
    if broken:
        return Verdict.FAIL, "; ".join(broken)
    if rules.max_std is not None and std is None:
        return Verdict.INCONCLUSIVE, "a standard deviation takes two runs with a score"
    if all(check.holds for check in checks):
        shown = ", ".join(_bound(check) for check in checks)
        return Verdict.PASS, f"no worse than the baseline: {shown}"
    missing = "; ".join(_bound(check) for check in checks if not check.holds)
    return Verdict.INCONCLUSIVE, f"neither worse nor no worse is shown with {candidate.planned} runs: {missing}"


def _what_changed(check: Check, candidate: Sample, baseline: Sample) -> str:
    new, old = statistics.summarise(candidate), statistics.summarise(baseline)
    if check.name == "failed runs":
        return f"{new.failed} of {new.planned} runs failed, {old.failed} of {old.planned} of the baseline's"
    if check.name == "spread":
        return f"the standard deviation rose from {old.std:.4f} to {new.std:.4f}"
    return f"the mean fell from {old.mean:.4f} to {new.mean:.4f}"


def _bound(check: Check) -> str:
    if check.bound is None:
        return f"{check.name} cannot be judged ({check.note or 'too few runs'})"
    if check.name == "failed runs":
        return f"failed runs {check.bound:+.2f} at most (margin {check.margin:+.2f})"
    if math.isinf(check.bound):
        return f"{check.name} without a bound (margin {check.margin:g})"
    if check.name == "spread":
        return f"spread {check.bound:.2f} times at most (margin {check.margin:g})"
    return f"mean {check.bound:+.4f} at least (margin {check.margin:+.4f})"


def _p(p: float) -> str:
    return "p < .0001" if p < 1e-4 else f"p = {p:.4f}".replace("0.", ".", 1)


def _stretched(sample: Sample, runs: int) -> Sample:
    """As if there were so many runs, distributed like those there are."""
    ordered = sorted(
        zip(sample.scores, sample.failed, strict=True), key=lambda run: (run[0] is not None, run[0] or 0.0, run[1])
    )
    picked = [ordered[i * len(ordered) // runs] for i in range(runs)]
    return Sample(tuple(score for score, _ in picked), tuple(failed for _, failed in picked))
