"""The verdict of every candidate of a family: FAIL on a broken limit or shown harm, PASS on shown non-inferiority.

Values only: :mod:`stabbench.report.judgement` puts them into words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from stabbench import statistics
from stabbench.gate.checks import Check, measure
from stabbench.gate.looks import FIXED, Look
from stabbench.gate.rules import Rules, Verdict
from stabbench.statistics import Sample

# The most runs for which `more_seeds` is computed.
MOST_SEEDS = 200

#: Fields of :class:`stabbench.gate.rules.Rules` that are hard limits.
Limit = Literal["max_failed", "max_std"]


@dataclass(frozen=True)
class Pair:
    """A candidate and the baseline it is judged against.

    Attributes:
        candidate: The candidate's runs.
        baseline: The baseline's runs.
        look: The interim analysis at which they are judged.
        same_seeds: Both are trained on the same seeds: further seeds are further runs of both.
    """

    candidate: Sample
    baseline: Sample
    look: Look = FIXED
    same_seeds: bool = False


@dataclass(frozen=True)
class Judgement:
    """The tests of one candidate against its baseline, and the verdict that follows from them.

    Attributes:
        pair: What was judged.
        rules: By which rules.
        checks: The three gating checks.
        adjusted: For each check the p-value for "worse", adjusted for the family (Holm); None where it is not defined.
        family: The number of tests in the family.
        level: An unadjusted p-value has to be below this, at least, to fail.
    """

    pair: Pair
    rules: Rules
    checks: tuple[Check, ...]
    adjusted: tuple[float | None, ...]
    family: int
    level: float

    @cached_property
    def verdict(self) -> Verdict:
        """PASS, FAIL or INCONCLUSIVE."""
        if self.broken_limits or self.harms:
            return Verdict.FAIL
        if self.lacks_std or not all(check.non_inferior for check in self.checks):
            return Verdict.INCONCLUSIVE
        return Verdict.PASS

    @property
    def broken_limits(self) -> tuple[Limit, ...]:
        """The hard limits that the candidate breaks."""
        most_failed, most_std, std = self.rules.max_failed, self.rules.max_std, self.std
        broken: list[Limit] = []
        if most_failed is not None and self.pair.candidate.failures > most_failed:
            broken.append("max_failed")
        if most_std is not None and std is not None and std > most_std:
            broken.append("max_std")
        return tuple(broken)

    @property
    def harms(self) -> tuple[tuple[Check, float], ...]:
        """The checks in which the candidate is significantly worse by at least the floor, each with its adjusted p."""
        return tuple(
            (check, p)
            for check, p in zip(self.checks, self.adjusted, strict=True)
            if p is not None and p <= self.rules.alpha and check.exceeds_floor
        )

    @cached_property
    def std(self) -> float | None:
        """The standard deviation of the candidate's scores; None under two scores."""
        return statistics.summarise(self.pair.candidate).std

    @property
    def lacks_std(self) -> bool:
        """There is a limit on the standard deviation, and there are too few scores for one."""
        return self.rules.max_std is not None and self.std is None

    @cached_property
    def detectable(self) -> dict[str, float | None]:
        """For each check the smallest effect that this number of seeds detects with power .8; None where none."""
        n, baseline = self.pair.candidate.planned, self.pair.baseline
        drop = statistics.detectable_drop(n, baseline.finite, self.level)
        return {
            "failed runs": statistics.detectable_rate(n, baseline.failures, baseline.planned, self.level),
            "spread": statistics.detectable_spread(n, baseline.finite, self.level),
            "mean": None if drop is None else 0.0 - drop,
        }

    @cached_property
    def more_seeds(self) -> int | None:
        """About how many more seeds like these would decide; None where 200 in all would not."""
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
        worse = any(c.exceeds_floor and c.test.p_worse is not None and c.test.p_worse <= self.level for c in checks)
        return worse or all(c.non_inferior for c in checks)

    @property
    def stale(self) -> bool:
        """The candidate does not fail and is significantly better: the baseline could be tightened."""
        if self.verdict is Verdict.FAIL:
            return False
        found = statistics.holm([c.test.p_better for c in self.checks])
        return any(
            p is not None and p <= self.rules.alpha and check.improves
            for p, check in zip(found, self.checks, strict=True)
        )


def judge(pairs: Mapping[str, Pair], rules: Rules, *, family_cells: int | None = None) -> dict[str, Judgement]:
    """The verdict of every pair. All their tests are one family.

    Args:
        pairs: By name.
        rules: The rules.
        family_cells: The number of cells in the family, where only some of them are judged here: these get their share
            of alpha.
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
        level = pair.look.level(rules.alpha * share / max(1, remaining), pair.baseline.planned)
        judged[name] = Judgement(pair, rules, tuple(measured[name]), own, whole, level)
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


def _stretched(sample: Sample, runs: int) -> Sample:
    """A sample of ``runs`` runs, distributed like this one."""
    ordered = sorted(
        zip(sample.scores, sample.failed, strict=True), key=lambda run: (run[0] is not None, run[0] or 0.0, run[1])
    )
    picked = [ordered[i * len(ordered) // runs] for i in range(runs)]
    return Sample(tuple(score for score, _ in picked), tuple(failed for _, failed in picked))
