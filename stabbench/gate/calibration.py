"""How often the gate is right: its verdicts on samples drawn from stored runs, where the truth is known.

In an A/A check the runs of a cell are split at random, and one part is judged against the other. Both are the same
recipe: every FAIL is a false alarm.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

from stabbench import statistics
from stabbench.errors import StabbenchError, excerpt
from stabbench.gate.judge import Pair
from stabbench.gate.looks import FIXED, Look
from stabbench.gate.rules import Rules, Verdict, worst
from stabbench.gate.sequential import judge_looks
from stabbench.statistics import Sample

# A thousand judge a rate of 5% to within 1.4 points; a million take days.
MOST_TRIALS = 100_000


@dataclass(frozen=True)
class Rates:
    """How often each verdict was given.

    Attributes:
        trials: The number of trials.
        verdicts: The counts of the whole gate's verdicts.
        cells: The counts of each cell's verdicts.
        seeds: The mean number of seeds that a cell needed.
    """

    trials: int
    verdicts: Counter[Verdict]
    cells: Mapping[str, Counter[Verdict]]
    seeds: float

    def rate(self, verdict: Verdict) -> float:
        """The share of the trials in which the whole gate had this verdict."""
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
    """Split the runs of every cell at random and judge one part against the other, many times (A/A check).

    Args:
        banks: The runs of each cell.
        rules: The rules of the verdicts.
        candidate: The number of runs on the candidate's side; None for half of them, or for those of the last look.
        waves: The candidate's number of runs at each look of a sequential gate.
        trials: The number of trials.
        seed: The seed of the random splits.
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
    """Draw ``candidate`` runs of each cell's candidates and judge them against its whole baseline, many times.

    The arguments are those of :func:`same_against_same`, and ``family_cells`` that of :func:`stabbench.gate.judge`.
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
    if not 1 <= trials <= MOST_TRIALS:
        raise StabbenchError(f"trials must be from 1 to {MOST_TRIALS:,}, got {excerpt(trials)}")
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
    """The verdict of each cell of one gate, and the number of runs that it took."""
    pairs: dict[str, Pair] = {}

    def pairs_at(number: int, decided: Set[str]) -> dict[str, Pair]:
        for name, (candidate, baseline) in samples.items():
            if name not in decided:
                look = Look(waves, number) if waves else FIXED
                pairs[name] = Pair(_take(candidate, range(waves[number])) if waves else candidate, baseline, look)
        return pairs

    judged = judge_looks(pairs_at, max(1, len(waves)), rules, family_cells=family_cells)
    return (
        {name: judgement.verdict for name, judgement in judged.items()},
        {name: judgement.pair.candidate.planned for name, judgement in judged.items()},
    )


def _take(bank: Sample, places: Sequence[int]) -> Sample:
    return Sample(tuple(bank.scores[i] for i in places), tuple(bank.failed[i] for i in places))
