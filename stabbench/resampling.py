"""How often the gate is right: judged on samples drawn from banks of runs, where the truth is known.

A/A: a bank is split at random and one part judged against the other. Both are the same recipe, so that every FAIL is a
false alarm.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stabbench import statistics
from stabbench.statistics import Sample
from stabbench.verdict import FIXED, Look, Pair, Rules, Verdict, judge, worst


@dataclass(frozen=True)
class Rates:
    """How judging went.

    Attributes:
        trials: How many times.
        verdicts: Of the whole gate.
        cells: Of each cell.
        seeds: The mean number of seeds that a cell took.
    """

    trials: int
    verdicts: Counter[Verdict]
    cells: Mapping[str, Counter[Verdict]]
    seeds: float

    def rate(self, verdict: Verdict) -> float:
        """The share of the trials in which the whole gate said so."""
        return self.verdicts[verdict] / self.trials

    def alarms_too_often(self, alpha: float) -> bool:
        """Whether the rate of FAIL is above ``alpha`` by more than chance explains (exact, one-sided 5%)."""
        low, _ = statistics.clopper_pearson(self.verdicts[Verdict.FAIL], self.trials, 0.05)
        return low > alpha


def same_against_same(
    banks: Mapping[str, Sample],
    rules: Rules,
    *,
    candidate: int | None = None,
    waves: Sequence[int] = (),
    trials: int = 500,
    seed: int = 0,
) -> Rates:
    """Split every bank at random and judge the whole gate, many times.

    Args:
        banks: Runs of each cell.
        rules: The rules.
        candidate: Runs on the candidate's side; None for half of the bank, or for what the last look has.
        waves: The candidate's runs at each look of a sequential gate.
        trials: How many times.
        seed: Of the splits.
    """
    draw = random.Random(seed)

    def split() -> dict[str, tuple[Sample, Sample]]:
        pairs = {}
        for name, bank in banks.items():
            order = draw.sample(range(bank.planned), bank.planned)
            size = candidate or (waves[-1] if waves else bank.planned // 2)
            pairs[name] = (_take(bank, order[:size]), _take(bank, order[size:]))
        return pairs

    return _repeat(split, rules, tuple(waves), trials)


def against_baseline(
    candidates: Mapping[str, Sample],
    baselines: Mapping[str, Sample],
    rules: Rules,
    *,
    candidate: int,
    waves: Sequence[int] = (),
    trials: int = 500,
    seed: int = 0,
    family_cells: int | None = None,
) -> Rates:
    """Draw ``candidate`` runs of every bank of candidates and judge them against the whole baseline, many times.

    The arguments are those of :func:`same_against_same`, and ``family_cells`` that of :func:`stabbench.verdict.judge`.
    """
    draw = random.Random(seed)

    def pick() -> dict[str, tuple[Sample, Sample]]:
        return {
            name: (_take(bank, draw.sample(range(bank.planned), candidate)), baselines[name])
            for name, bank in candidates.items()
        }

    return _repeat(pick, rules, tuple(waves), trials, family_cells)


def _repeat(
    draw: Callable[[], dict[str, tuple[Sample, Sample]]],
    rules: Rules,
    waves: tuple[int, ...],
    trials: int,
    family_cells: int | None = None,
) -> Rates:
    whole: Counter[Verdict] = Counter()
    cells: dict[str, Counter[Verdict]] = {}
    used = []
    for _ in range(trials):
        verdicts, seeds = _judged(draw(), rules, waves, family_cells)
        whole[worst(verdicts.values())] += 1
        for name, verdict in verdicts.items():
            cells.setdefault(name, Counter())[verdict] += 1
        used.append(sum(seeds.values()) / len(seeds))
    return Rates(trials, whole, cells, sum(used) / trials)


def _judged(
    samples: Mapping[str, tuple[Sample, Sample]],
    rules: Rules,
    waves: tuple[int, ...],
    family_cells: int | None = None,
) -> tuple[dict[str, Verdict], dict[str, int]]:
    """One gate, with its looks where it is sequential; a cell that is decided stays so."""
    verdicts: dict[str, Verdict] = {}
    pairs: dict[str, Pair] = {}
    for number in range(max(1, len(waves))):
        for name, (candidate, baseline) in samples.items():
            if verdicts.get(name) in (Verdict.PASS, Verdict.FAIL):
                continue
            look = Look(waves, number) if waves else FIXED
            seen = _take(candidate, range(waves[number])) if waves else candidate
            pairs[name] = Pair(seen, baseline, look)
        for name, judgement in judge(pairs, rules, family_cells=family_cells).items():
            if verdicts.get(name) not in (Verdict.PASS, Verdict.FAIL):
                verdicts[name] = judgement.verdict
    return verdicts, {name: pair.candidate.planned for name, pair in pairs.items()}


def _take(bank: Sample, places: Sequence[int]) -> Sample:
    return Sample(tuple(bank.scores[i] for i in places), tuple(bank.failed[i] for i in places))
