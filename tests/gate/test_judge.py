"""Verdicts: known situations, what may never happen, and how often they are right."""

import dataclasses
import math
import random
from collections import Counter
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from stabbench.gate.judge import Judgement, Pair, judge
from stabbench.gate.looks import FIXED, Look
from stabbench.gate.rules import Rules, Verdict
from stabbench.report.judgement import reason
from stabbench.statistics import Sample, holm

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
COLLAPSED = 0.53
WAVES = (5, 10, 20)


def runs(n: int, mean: float = 0.7, std: float = 0.02, *, failed: int = 0) -> Sample:
    """Normal scores with just that mean and standard deviation, shuffled; then the first so many collapse."""
    z = stats.zscore(stats.norm.ppf((np.arange(n) + 0.5) / n), ddof=1)
    scores = [mean + std * float(v) for v in z]
    random.Random(0).shuffle(scores)
    return Sample([COLLAPSED] * failed + scores[failed:], [i < failed for i in range(n)])


def without_scores(n: int) -> Sample:
    return Sample([None] * n, [True] * n)


def one(candidate: Sample, baseline: Sample, rules: Rules | None = None, look: Look = FIXED) -> Judgement:
    return judge({"cell": Pair(candidate, baseline, look)}, rules or Rules())["cell"]


def harmed(judgement: Judgement) -> list[str]:
    return [check.name for check, _ in judgement.harms]


BASELINE = runs(50)


# Known situations.


def test_a_healthy_candidate_does_not_fail_against_a_collapsed_baseline() -> None:
    healthy = Sample(tuple(0.7 + 0.002 * i for i in range(20)), (False,) * 20)
    for survivors in (0, 1):
        scores = (0.53,) * (25 - survivors) + (0.71,) * survivors
        collapsed = Sample(scores, tuple(score == 0.53 for score in scores))
        judgement = judge({"a": Pair(healthy, collapsed)}, Rules())["a"]
        assert judgement.verdict is not Verdict.FAIL
        assert judgement.stale
        assert survivors or "no harm" in judgement.checks[1].note


def test_more_seeds_of_a_candidate_without_runs_are_not_known() -> None:
    nothing, some = Sample((), ()), Sample((0.7, 0.71, 0.72), (False,) * 3)
    assert judge({"a": Pair(nothing, some)}, Rules())["a"].more_seeds is None


def test_an_unchanged_candidate_passes() -> None:
    judgement = one(runs(20), BASELINE)
    assert judgement.verdict is PASS
    assert judgement.more_seeds == 0
    assert not judgement.stale
    assert judgement.harms == ()
    assert judgement.family == 3


def test_five_seeds_are_too_few_to_pass_and_nine_more_would_do() -> None:
    judgement = one(runs(5), BASELINE)
    assert judgement.verdict is INCONCLUSIVE
    assert judgement.more_seeds == 9
    assert one(runs(13), BASELINE).verdict is INCONCLUSIVE
    assert one(runs(14), BASELINE).verdict is PASS


def test_the_trap_two_collapsed_runs_of_twenty_do_not_pass() -> None:
    judgement = one(runs(20, failed=2), BASELINE)
    assert judgement.verdict is INCONCLUSIVE
    assert (judgement.more_seeds or 0) > 0
    assert one(runs(20, failed=3), BASELINE).verdict is FAIL


@pytest.mark.parametrize("candidate", [runs(10, failed=10), without_scores(10), runs(3, failed=3)])
def test_the_trap_all_runs_collapsed_fail_though_they_have_no_spread(candidate: Sample) -> None:
    judgement = one(candidate, BASELINE)
    assert judgement.verdict is FAIL
    assert "failed runs" in harmed(judgement)
    assert not judgement.stale


def test_against_a_baseline_that_nearly_always_failed_a_candidate_that_did_does_not_fail() -> None:
    assert one(runs(25, failed=25), runs(25, failed=24)).verdict is not FAIL


def test_a_lower_mean_fails_for_just_that() -> None:
    judgement = one(runs(20, 0.67), BASELINE)
    assert judgement.verdict is FAIL
    assert harmed(judgement) == ["mean"]


def test_a_wider_spread_fails_for_just_that() -> None:
    judgement = one(runs(25, std=0.06), BASELINE)
    assert judgement.verdict is FAIL
    assert harmed(judgement) == ["spread"]


def test_what_is_significant_but_under_the_floor_does_not_fail() -> None:
    candidate, baseline = runs(50, 0.692, 0.005), runs(50, 0.7, 0.005)
    small = one(candidate, baseline)
    assert small.adjusted[2] is not None
    assert small.adjusted[2] < 1e-3
    assert small.verdict is PASS
    assert one(candidate, baseline, Rules(mean_floor=0.005)).verdict is FAIL
    assert one(candidate, baseline, Rules(mean_margin=0.005)).verdict is INCONCLUSIVE


@pytest.mark.parametrize("candidate", [runs(25, std=0.005), runs(25, 0.75)])
def test_a_baseline_that_is_clearly_beaten_is_stale(candidate: Sample) -> None:
    judgement = one(candidate, BASELINE)
    assert judgement.verdict is PASS
    assert judgement.stale


def test_a_baseline_with_failures_that_are_gone_is_stale() -> None:
    judgement = one(runs(20), runs(25, failed=12))
    assert judgement.verdict is PASS
    assert judgement.stale


def test_a_limit_on_failed_runs_needs_no_test() -> None:
    candidate = runs(20, failed=1)
    assert one(candidate, BASELINE).verdict is not FAIL
    judgement = one(candidate, BASELINE, Rules(max_failed=0))
    assert judgement.verdict is FAIL
    assert judgement.broken_limits == ("max_failed",)
    assert one(candidate, BASELINE, Rules(max_failed=1)).verdict is not FAIL


def test_a_limit_on_the_standard_deviation_needs_no_test() -> None:
    judgement = one(runs(20), BASELINE, Rules(max_std=0.0199))
    assert judgement.verdict is FAIL
    assert judgement.broken_limits == ("max_std",)
    assert one(runs(20), BASELINE, Rules(max_std=0.0201)).verdict is PASS


def test_without_a_standard_deviation_its_limit_is_not_kept() -> None:
    rules = Rules(max_std=1.0, max_failed=5, rate_margin=1.0)
    judgement = one(Sample([0.7, None, None], [False, True, True]), BASELINE, rules)
    assert judgement.verdict in (FAIL, INCONCLUSIVE)
    single = one(Sample([0.7], [False]), BASELINE, rules)
    assert (single.verdict, single.lacks_std) == (INCONCLUSIVE, True)


# Families.


def test_all_pairs_are_one_family() -> None:
    pairs = {
        "same": Pair(runs(20), BASELINE),
        "lower": Pair(runs(20, 0.688), BASELINE),
        "none": Pair(without_scores(10), BASELINE),
    }
    judged = judge(pairs, Rules())
    p = [c.test.p_worse for j in judged.values() for c in j.checks]
    assert [a for j in judged.values() for a in j.adjusted] == pytest.approx(holm(p))
    assert {j.family for j in judged.values()} == {7}
    assert [j.level for j in judged.values()] == pytest.approx([0.05 / 7] * 3)
    alone = one(runs(20, 0.688), BASELINE)
    assert judged["lower"].adjusted[2] > alone.adjusted[2]  # type: ignore[operator]


def test_cells_that_are_judged_elsewhere_share_alpha() -> None:
    pair = {"cell": Pair(runs(20, 0.685), BASELINE)}
    alone, shared = judge(pair, Rules())["cell"], judge(pair, Rules(), family_cells=10)["cell"]
    assert alone.verdict is FAIL
    assert shared.verdict is INCONCLUSIVE
    assert shared.adjusted == pytest.approx([min(1, 10 * p) for p in alone.adjusted])  # type: ignore[operator]
    assert shared.level == pytest.approx(alone.level / 10)
    assert (alone.family, shared.family) == (3, 30)
    assert judge(pair, Rules(), family_cells=1)["cell"] == alone


def test_the_shares_of_all_cells_add_up_to_alpha() -> None:
    pairs = {name: Pair(runs(20), BASELINE) for name in "abcde"}
    together = judge(pairs, Rules(), family_cells=5)
    apart = [judge({name: pair}, Rules(), family_cells=5)[name] for name, pair in pairs.items()]
    assert together == judge(pairs, Rules())
    assert sum(3 * j.level for j in apart) == pytest.approx(0.05)


def test_the_level_decides_where_the_adjusted_p_does() -> None:
    for drop in np.linspace(0.010, 0.02, 21):
        judgement = one(runs(20, 0.7 - drop), BASELINE)
        p = judgement.checks[2].test.p_worse
        assert p is not None
        assert (p <= judgement.level) == (judgement.verdict is FAIL)


def test_nothing_to_judge_is_no_judgement() -> None:
    assert judge({}, Rules()) == {}


# Several looks.


def test_an_early_look_needs_more_to_fail_than_the_last() -> None:
    first, last = (one(runs(20, 0.684), BASELINE, look=Look(WAVES, number)) for number in (0, 2))
    assert first.checks[2].test == last.checks[2].test
    assert first.level < last.level
    assert (first.verdict, last.verdict) == (INCONCLUSIVE, FAIL)
    assert first.adjusted[2] > 0.05 >= last.adjusted[2]  # type: ignore[operator]


def test_cells_that_are_judged_elsewhere_share_alpha_at_every_look_too() -> None:
    look = Look(WAVES, 2)
    pair = {"cell": Pair(runs(20, 0.684), BASELINE, look)}
    alone, shared = judge(pair, Rules())["cell"], judge(pair, Rules(), family_cells=10)["cell"]
    assert (alone.verdict, shared.verdict) == (FAIL, INCONCLUSIVE)
    assert shared.level == pytest.approx(look.level(0.05 / 30, 50))
    assert shared.adjusted[2] > 0.05 >= alone.adjusted[2]  # type: ignore[operator]


def test_failed_runs_may_fail_at_the_first_look() -> None:
    judgement = one(runs(5, failed=5), BASELINE, look=Look(WAVES, 0))
    assert judgement.verdict is FAIL
    assert judgement.family == 3


def test_the_last_look_passes_what_is_unchanged() -> None:
    assert [one(runs(n), BASELINE, look=Look(WAVES, i)).verdict for i, n in enumerate(WAVES)] == [
        INCONCLUSIVE,
        INCONCLUSIVE,
        PASS,
    ]


def test_what_is_not_defined_yet_stays_in_the_family_of_several_looks() -> None:
    few = Sample([0.7, None, None, None, None], [False] + [True] * 4)
    assert one(few, BASELINE, look=Look(WAVES, 0)).family == 3
    assert one(few, BASELINE).family == 1


def test_a_family_of_several_looks_steps_down_as_holm_does() -> None:
    """With one proven, the others have a level of alpha over two at their look."""
    look = Look(WAVES, 2)
    judgement = one(runs(20, 0.6), BASELINE, look=look)
    assert judgement.level == pytest.approx(look.level(0.05 / 2, 50))
    assert one(runs(20), BASELINE, look=look).level == pytest.approx(look.level(0.05 / 3, 50))


# What may never happen.

LOOKS = st.sampled_from([FIXED, Look((4, 8), 0), Look((4, 8), 1)])
RULES = st.sampled_from(
    [Rules(), Rules(alpha=0.2, mean_floor=0.0), Rules(max_std=0.05, max_failed=1), Rules(rate_margin=1, mean_margin=1)]
)
slow = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def samples(*sizes: int) -> st.SearchStrategy[Sample]:
    """Multiples of a power of two, some of them equal, some missing; shifting and doubling them is exact."""
    score = st.sampled_from([32, 32, 40, 41, 42, 44, 45, 47, 63])
    healthy = st.tuples(score.map(lambda k: k / 64), st.sampled_from([False] * 5 + [True]))
    run = st.one_of([healthy] * 6 + [st.just((None, True))])
    lists = st.sampled_from(sizes).flatmap(lambda n: st.lists(run, min_size=n, max_size=n))
    return lists.map(lambda runs: Sample([s for s, _ in runs], [f for _, f in runs]))


@settings(slow, max_examples=100)
@given(st.data(), RULES)
def test_any_scores_give_a_verdict(data: st.DataObject, rules: Rules) -> None:
    """Whatever finite numbers they are, and however few: also none, against none, at any look."""
    pair = [data.draw(anything) for _ in range(2)]
    look = data.draw(st.sampled_from([FIXED, Look((2, 3, 9), 0), Look((2, 3, 9), 2)]))
    judgement = one(*pair, rules, look)
    assert judgement.verdict in (PASS, FAIL, INCONCLUSIVE)
    assert not any(math.isnan(v) for v in numbers(judgement))
    assert "nan" not in reason(judgement)
    assert all(c.test.p_worse is None or 0 <= c.test.p_worse <= 1 for c in judgement.checks)
    assert judgement.detectable.keys() == {"failed runs", "spread", "mean"}
    candidate, baseline = pair
    if not candidate.planned or not baseline.planned:
        assert judgement.verdict is not PASS
    limits = (rules.max_std, rules.max_failed)
    if min(candidate.planned, baseline.planned) < 2 and limits == (None, None):
        assert judgement.verdict is INCONCLUSIVE
    if candidate == baseline and limits == (None, None):
        assert judgement.verdict is not FAIL


def test_a_single_run_decides_nothing() -> None:
    assert one(Sample([COLLAPSED], [True]), BASELINE).verdict is INCONCLUSIVE
    assert one(runs(2, failed=2), BASELINE).verdict is FAIL


@pytest.mark.parametrize("number", range(3))
def test_at_no_look_does_a_baseline_without_runs_decide_anything(number: int) -> None:
    judgement = one(runs(20), Sample([], []), look=Look(WAVES, number))
    assert (judgement.verdict, judgement.adjusted) == (INCONCLUSIVE, (None, None, None))


def test_a_baseline_of_equal_scores_lets_next_to_equal_ones_pass() -> None:
    constant = Sample([0.7] * 50, [False] * 50)
    assert one(Sample([0.7] * 19 + [0.7001], [False] * 20), constant).verdict is PASS
    assert one(runs(20, std=0.0001), constant).verdict is PASS
    assert one(runs(20, std=0.02), constant).verdict is FAIL


@pytest.mark.parametrize(("waves", "number"), [((), 0), ((0, 5), 0), ((5, 5), 0), ((5, 3), 1), ((5, 9), 2), ((5,), -1)])
def test_looks_that_are_none_are_refused(waves: tuple[int, ...], number: int) -> None:
    with pytest.raises(ValueError, match="look"):
        Look(waves, number)


candidates, baselines = samples(1, 3, 4, 8, 16), samples(1, 3, 12)


# Scores of any size and sign, some of them equal, some missing; from none to nine runs.
_value = st.one_of(st.floats(-1, 1), st.floats(-1e9, 1e9), st.sampled_from([0.0, 0.5, 0.7, 1e-300, 1e-9, 1.0, -1.0]))
_run = st.one_of(st.tuples(_value, st.booleans()), st.just((None, True)), st.just((0.5, True)), st.just((0.7, False)))
anything = st.lists(_run, max_size=9).map(lambda runs: Sample([s for s, _ in runs], [f for _, f in runs]))


def numbers(of: object) -> Iterable[float]:
    """Every number in there."""
    if dataclasses.is_dataclass(of):
        of = [getattr(of, field.name) for field in dataclasses.fields(of)]
    if isinstance(of, dict):
        of = list(of.values())
    if isinstance(of, list | tuple):
        for part in of:
            yield from numbers(part)
    elif isinstance(of, int | float):
        yield of


@slow
@given(candidates, baselines, RULES, LOOKS)
def test_there_is_always_a_verdict_and_never_a_nan(
    candidate: Sample, baseline: Sample, rules: Rules, look: Look
) -> None:
    judgement = one(candidate, baseline, rules, look)
    assert judgement.verdict in (PASS, FAIL, INCONCLUSIVE)
    assert reason(judgement)
    assert "nan" not in reason(judgement)
    found = list(numbers(judgement))
    assert len(found) > 10
    assert not any(math.isnan(v) for v in found)
    assert all(p is None or 0 <= p <= 1 for p in judgement.adjusted)
    assert isinstance(judgement.stale, bool)


@settings(slow, max_examples=25)
@given(samples(1, 3, 8), baselines, LOOKS)
def test_what_could_be_detected_and_the_seeds_that_would_decide_are_numbers_or_none(
    candidate: Sample, baseline: Sample, look: Look
) -> None:
    judgement = one(candidate, baseline, look=look)
    for name, effect in judgement.detectable.items():
        least, most = {"failed runs": (0, 1), "spread": (1, math.inf), "mean": (-2, 0)}[name]
        assert effect is None or least <= effect <= most
    more = judgement.more_seeds
    assert (more == 0) == (judgement.verdict is not INCONCLUSIVE)
    assert more is None or more >= 0


@slow
@given(candidates, baselines, RULES, st.randoms(use_true_random=False))
def test_the_order_of_seeds_does_not_matter(
    candidate: Sample, baseline: Sample, rules: Rules, random: random.Random
) -> None:
    before = one(candidate, baseline, rules)
    mixed = [shuffled(sample, random) for sample in (candidate, baseline)]
    after = one(*mixed, rules)  # type: ignore[misc]
    assert after.verdict is before.verdict
    assert after.adjusted == pytest.approx(before.adjusted)


def shuffled(sample: Sample, random: random.Random) -> Sample:
    order = random.sample(range(sample.planned), sample.planned)
    return Sample([sample.scores[i] for i in order], [sample.failed[i] for i in order])


def moved(sample: Sample, scale: float, shift: float) -> Sample:
    return Sample([None if s is None else scale * s + shift for s in sample.scores], sample.failed)


@slow
@given(candidates, baselines, RULES, LOOKS, st.sampled_from([0.5, 1, 2]), st.sampled_from([-1, 0, 1]))
def test_scores_have_no_zero_and_no_unit(
    candidate: Sample, baseline: Sample, rules: Rules, look: Look, scale: float, shift: float
) -> None:
    before = one(candidate, baseline, rules, look)
    scaled = dataclasses.replace(
        rules,
        mean_floor=scale * rules.mean_floor,
        mean_margin=scale * rules.mean_margin,
        std_floor=scale * rules.std_floor,
        max_std=None if rules.max_std is None else scale * rules.max_std,
    )
    after = one(moved(candidate, scale, shift), moved(baseline, scale, shift), scaled, look)
    assert after.verdict is before.verdict
    assert after.adjusted == pytest.approx(before.adjusted)
    assert after.stale == before.stale


@slow
@given(candidates, baselines, RULES, LOOKS, st.data())
def test_one_more_failed_run_never_improves_a_verdict(
    candidate: Sample, baseline: Sample, rules: Rules, look: Look, data: st.DataObject
) -> None:
    """Its score being what it was."""
    assume(not all(candidate.failed))
    i = data.draw(st.sampled_from([i for i, failed in enumerate(candidate.failed) if not failed]))
    failed = [f or at == i for at, f in enumerate(candidate.failed)]
    order = [PASS, INCONCLUSIVE, FAIL]
    before, after = (one(s, baseline, rules, look) for s in (candidate, Sample(candidate.scores, failed)))
    assert order.index(after.verdict) >= order.index(before.verdict)


@slow
@given(candidates, baselines, RULES, st.sampled_from(["rate_margin", "spread_margin", "mean_margin"]))
def test_a_wider_margin_never_takes_a_pass_away_nor_makes_a_failure(
    candidate: Sample, baseline: Sample, rules: Rules, margin: str
) -> None:
    wider = dataclasses.replace(rules, **{margin: 1.5 * getattr(rules, margin)})
    before, after = one(candidate, baseline, rules).verdict, one(candidate, baseline, wider).verdict
    assert after is before or (before, after) == (INCONCLUSIVE, PASS)


@slow
@given(candidates, baselines, RULES, st.sampled_from(["rate_floor", "spread_floor", "mean_floor"]))
def test_a_higher_floor_never_makes_a_failure(candidate: Sample, baseline: Sample, rules: Rules, floor: str) -> None:
    higher = dataclasses.replace(rules, **{floor: 1.5 * getattr(rules, floor) + 0.01})
    before, after = one(candidate, baseline, rules).verdict, one(candidate, baseline, higher).verdict
    assert after is before or before is FAIL


@slow
@given(candidates, baselines, st.integers(1, 20))
def test_a_larger_family_never_makes_a_failure(candidate: Sample, baseline: Sample, cells: int) -> None:
    pair = {"cell": Pair(candidate, baseline)}
    alone, shared = judge(pair, Rules())["cell"], judge(pair, Rules(), family_cells=cells)["cell"]
    assert shared.verdict is alone.verdict or alone.verdict is FAIL


# How often verdicts are right.


def normal(draw: np.random.Generator, n: int, mean: float, std: float, collapsing: float = 0.0) -> Sample:
    failed = (draw.random(n) < collapsing).tolist()
    scores = draw.normal(mean, std, n).tolist()
    return Sample([COLLAPSED if f else s for s, f in zip(scores, failed, strict=True)], failed)


def no_more_often(times: int, trials: int, rate: float) -> bool:
    """Whether a true rate of at most ``rate`` explains so many (one-sided, at .001)."""
    return float(stats.binomtest(times, trials, rate, alternative="greater").pvalue) > 0.001


@pytest.mark.parametrize(("n", "collapsing"), [(20, 0.0), (20, 0.1), (5, 0.05)])
def test_the_same_against_the_same_rarely_fails(n: int, collapsing: float) -> None:
    draw, trials = np.random.default_rng(11), 250
    verdicts = Counter(
        one(normal(draw, n, 0.7, 0.02, collapsing), normal(draw, 50, 0.7, 0.02, collapsing)).verdict
        for _ in range(trials)
    )
    assert no_more_often(verdicts[FAIL], trials, 0.05)
    assert verdicts[PASS] > 0 or n < 14


def test_a_double_spread_fails_as_often_as_was_announced_and_rarely_passes() -> None:
    draw, trials = np.random.default_rng(12), 100
    judged = [one(normal(draw, 18, 0.7, 0.04), normal(draw, 50, 0.7, 0.02)) for _ in range(trials)]
    verdicts = Counter(judgement.verdict for judgement in judged)
    assert one(runs(18), BASELINE).detectable["spread"] == pytest.approx(1.95, abs=0.05)
    assert no_more_often(trials - verdicts[FAIL], trials, 0.2)
    assert no_more_often(verdicts[PASS], trials, 0.05)


def test_a_mean_just_at_the_margin_rarely_passes() -> None:
    draw, trials = np.random.default_rng(13), 250
    rules = Rules(mean_margin=0.01, mean_floor=0.05)
    passed = sum(
        one(normal(draw, 20, 0.69, 0.02), normal(draw, 50, 0.7, 0.02), rules).verdict is PASS for _ in range(trials)
    )
    assert no_more_often(passed, trials, 0.05)


@pytest.mark.parametrize("collapsing", [0.0, 0.04])
def test_looking_three_times_rarely_fails_the_same(collapsing: float) -> None:
    draw, trials, failed = np.random.default_rng(14), 120, 0
    for _ in range(trials):
        candidate, baseline = normal(draw, 20, 0.7, 0.02, collapsing), normal(draw, 50, 0.7, 0.02, collapsing)
        for number, n in enumerate(WAVES):
            seen = Sample(candidate.scores[:n], candidate.failed[:n])
            verdict = one(seen, baseline, look=Look(WAVES, number)).verdict
            if verdict is not INCONCLUSIVE:
                failed += verdict is FAIL
                break
    assert no_more_often(failed, trials, 0.05)
