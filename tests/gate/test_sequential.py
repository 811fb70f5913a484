"""The loop of looks: who gets further runs, and what becomes of the decided cells."""

from collections.abc import Set

from stabbench.gate.judge import Pair, judge
from stabbench.gate.looks import Look
from stabbench.gate.rules import Rules, Verdict
from stabbench.gate.sequential import judge_looks
from stabbench.statistics import Sample

WAVES = (5, 10, 20)
BASELINE = Sample(tuple(0.70 + i / 1000 for i in range(50)), (False,) * 50)


def sample(runs: int, lower: float) -> Sample:
    """Scores spread over the baseline's range, and shifted."""
    return Sample(tuple(0.70 + (i * 7 % 50) / 1000 - lower for i in range(runs)), (False,) * runs)


def test_a_decided_cell_keeps_its_verdict_and_gets_no_further_runs() -> None:
    lower = {"same": 0.0, "much lower": 0.3}
    pairs: dict[str, Pair] = {}
    told: list[Set[str]] = []

    def pairs_at(number: int, decided: Set[str]) -> dict[str, Pair]:
        told.append(set(decided))
        for name in lower.keys() - decided:
            pairs[name] = Pair(sample(WAVES[number], lower[name]), BASELINE, Look(WAVES, number))
        return pairs

    judged = judge_looks(pairs_at, len(WAVES), Rules())
    assert told[0] == set()
    assert "much lower" in told[1]
    assert judged["much lower"].verdict is Verdict.FAIL
    assert judged["much lower"].pair.candidate.planned == WAVES[0]
    assert {judgement.family for judgement in judged.values()} == {6}, "its tests stay in the family"
    assert judged["same"].verdict is Verdict.PASS


def test_one_look_is_a_plain_gate() -> None:
    pairs = {"a": Pair(sample(20, 0.0), BASELINE), "b": Pair(sample(3, 0.0), BASELINE)}
    assert judge_looks(lambda number, decided: pairs, 1, Rules()) == judge(pairs, Rules())


def test_without_pairs_nothing_is_judged() -> None:
    assert judge_looks(lambda number, decided: {}, 3, Rules(), family_cells=4) == {}
