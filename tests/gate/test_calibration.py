"""How often the gate is right, on banks where the truth is known."""

from collections import Counter

import numpy as np
import pytest

from stabbench.gate.calibration import Rates, against_baseline, same_against_same
from stabbench.gate.rules import Rules, Verdict
from stabbench.statistics import Sample

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def bank(seed: int, n: int = 60, mean: float = 0.7, std: float = 0.02, collapsing: float = 0.0) -> Sample:
    draw = np.random.default_rng(seed)
    failed = (draw.random(n) < collapsing).tolist()
    scores = draw.normal(mean, std, n).tolist()
    return Sample([0.5 if f else s for s, f in zip(scores, failed, strict=True)], failed)


def rates(**verdicts: int) -> Rates:
    counts = Counter({Verdict(name): times for name, times in verdicts.items()})
    return Rates(sum(counts.values()), counts, {"cell": counts}, 20.0)


def test_the_same_against_the_same_fails_no_more_often_than_alpha() -> None:
    banks = {"steady": bank(0), "failing": bank(1, collapsing=0.1)}
    found = same_against_same(banks, Rules(), trials=100)
    assert found.trials == sum(found.verdicts.values()) == 100
    assert all(sum(counts.values()) == 100 for counts in found.cells.values())
    assert found.cells.keys() == banks.keys()
    assert found.seeds == 30
    assert not found.alarms_too_often(0.05)
    assert found.cells["steady"][PASS] > 90


def test_a_split_is_reproducible_and_depends_on_its_seed() -> None:
    banks = {"cell": bank(2, 40, collapsing=0.1)}
    again = [same_against_same(banks, Rules(), candidate=14, trials=40, seed=seed) for seed in (3, 3, 4)]
    assert again[0] == again[1]
    assert again[0] != again[2]
    assert again[0].seeds == 14


def test_both_parts_of_a_split_are_the_whole_bank() -> None:
    """A limit on failed runs is broken in just those trials in which the candidate drew the one that failed."""
    one_failed = Sample([0.7 + 0.001 * i for i in range(40)], [i == 7 for i in range(40)])
    found = same_against_same({"cell": one_failed}, Rules(max_failed=0), candidate=10, trials=200)
    # 50 are expected; four standard deviations.
    assert abs(found.verdicts[FAIL] - 50) < 4 * (200 * 0.25 * 0.75) ** 0.5


def test_the_candidates_runs_are_not_part_of_what_they_are_judged_against() -> None:
    """One run is left, against which nothing can be shown."""
    found = same_against_same({"cell": bank(4, 40)}, Rules(), candidate=39, trials=5)
    assert found.rate(INCONCLUSIVE) == 1


def test_a_gate_fails_where_one_of_its_cells_does() -> None:
    candidates = {"same": bank(5), "broken": bank(6, mean=0.6)}
    found = against_baseline(candidates, {"same": bank(7), "broken": bank(8)}, Rules(), candidate=20, trials=20)
    assert found.rate(FAIL) == 1
    assert found.cells["broken"] == Counter({FAIL: 20})
    assert found.cells["same"][FAIL] <= 3
    assert found.seeds == 20


def test_a_candidate_is_drawn_from_its_own_bank_without_repeats() -> None:
    """Its whole bank is drawn, where as many runs are asked for: so every trial is the same."""
    found = against_baseline(
        {"cell": bank(9, 15, std=0.03)}, {"cell": bank(10)}, Rules(), candidate=15, trials=10, seed=1
    )
    assert len(found.verdicts) == 1


def test_looking_early_saves_seeds_where_much_is_wrong_and_not_where_nothing_is() -> None:
    waves, baseline = (5, 10, 20), {"cell": bank(11)}
    broken = against_baseline({"cell": bank(12, mean=0.62)}, baseline, Rules(), candidate=20, waves=waves, trials=20)
    assert broken.rate(FAIL) == 1
    assert 5 <= broken.seeds < 12
    same = against_baseline({"cell": bank(13)}, baseline, Rules(), candidate=20, waves=waves, trials=20)
    assert broken.seeds < same.seeds <= 20
    assert same.rate(PASS) > 0.5


def test_a_cell_that_is_decided_takes_no_more_seeds() -> None:
    candidates = {"broken": bank(12, mean=0.5), "same": bank(13)}
    baselines = {"broken": bank(11), "same": bank(14)}
    found = against_baseline(candidates, baselines, Rules(), candidate=20, waves=(10, 20), trials=10)
    assert found.cells["broken"] == Counter({FAIL: 10})
    assert found.seeds == pytest.approx((10 + 20) / 2)


def test_looking_three_times_at_the_same_fails_no_more_often_than_alpha() -> None:
    banks = {"steady": bank(15), "failing": bank(16, collapsing=0.04)}
    found = same_against_same(banks, Rules(), candidate=20, waves=(5, 10, 20), trials=60)
    assert not found.alarms_too_often(0.05)
    assert found.seeds <= 20


@pytest.mark.parametrize(("alarms", "often"), [(0, False), (5, False), (9, False), (10, True), (100, True)])
def test_alarms_are_too_many_where_chance_does_not_explain_them(alarms: int, often: bool) -> None:
    """Of 100 at .05: ten or more have probability .028, nine or more .063."""
    assert rates(FAIL=alarms, PASS=100 - alarms).alarms_too_often(0.05) is often


def test_a_rate_is_a_share_of_the_trials() -> None:
    found = rates(FAIL=1, INCONCLUSIVE=4, PASS=15)
    assert [found.rate(v) for v in (FAIL, INCONCLUSIVE, PASS, Verdict.ERROR)] == [0.05, 0.2, 0.75, 0]
