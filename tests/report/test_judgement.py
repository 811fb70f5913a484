"""The words of a verdict, in known situations."""

import pytest

from stabbench.gate.judge import Judgement, Pair, judge
from stabbench.gate.rules import Rules, Verdict
from stabbench.report.judgement import checks_table, detectable, note, reason, rules_line
from stabbench.statistics import Sample

BASELINE = Sample([0.68 + 0.0008 * (i * 7 % 50) for i in range(50)], [False] * 50)


def sample(runs: int, lower: float = 0.0, wider: float = 1.0, failed: int = 0) -> Sample:
    scores = [0.7 - lower + wider * 0.0008 * (i * 37 % 50 - 25) for i in range(runs - failed)]
    return Sample([0.5] * failed + scores, [i < failed for i in range(runs)])


def judged(candidate: Sample, rules: Rules | None = None) -> Judgement:
    return judge({"cell": Pair(candidate, BASELINE)}, rules or Rules())["cell"]


@pytest.mark.parametrize(
    ("candidate", "rules", "verdict", "parts"),
    [
        (sample(20), None, Verdict.PASS, ["non-inferior to the baseline: failed runs +0.", " at most (margin +0.20)"]),
        (sample(3), None, Verdict.INCONCLUSIVE, ["too few runs to show harm or non-inferiority (3 runs): "]),
        (sample(1), None, Verdict.INCONCLUSIVE, ["(1 run): ", "spread cannot be judged (needs at least 3 finite"]),
        (sample(20, failed=20), None, Verdict.FAIL, ["20 of 20 runs failed, 0 of 50 of the baseline's (p < .0001"]),
        (sample(20, lower=0.1), None, Verdict.FAIL, ["the mean fell from 0.69", "after Holm, family of 3)"]),
        (sample(25, wider=4), None, Verdict.FAIL, ["the standard deviation rose from 0.01"]),
        (sample(20, failed=1), Rules(max_failed=0), Verdict.FAIL, ["1 of 20 runs failed, the limit is 0"]),
        (sample(20), Rules(max_std=0.0001), Verdict.FAIL, ["the standard deviation is 0.01", "the limit is 0.0001"]),
        (sample(1), Rules(max_std=1.0), Verdict.INCONCLUSIVE, ["a standard deviation needs two runs with a score"]),
    ],
)
def test_reasons(candidate: Sample, rules: Rules | None, verdict: Verdict, parts: list[str]) -> None:
    judgement = judged(candidate, rules)
    assert judgement.verdict is verdict
    for part in parts:
        assert part in reason(judgement)


def test_a_spread_that_is_too_small_to_matter_says_so() -> None:
    tiny = Sample([0.7 + 1e-5 * (i % 5) for i in range(20)], [False] * 20)
    constant = Sample([0.7] * 50, [False] * 50)
    spread = judge({"cell": Pair(tiny, constant)}, Rules())["cell"].checks[1]
    assert note(spread).startswith("at most 0.0000")
    assert note(spread).endswith("too little to matter")


def test_what_could_have_been_detected_names_power_and_family() -> None:
    text = detectable(judged(sample(20)))
    assert text.startswith("smallest detectable effect (power .8): failed runs +0.")
    assert text.endswith("(20 seeds, family of 3 tests)")
    assert "no change of spread would be detected" in detectable(judged(sample(2)))


def test_the_table_of_checks_has_p_bound_and_margin_in_each_check_s_unit() -> None:
    table = checks_table(judged(sample(20)))
    assert table.columns == ["check", "effect [95%]", "p worse", "bound", "margin", "non-inferior"]
    margins = [(str(row[0]), str(row[4]), row[5]) for row in table.rows]
    assert margins == [("failed runs", "+0.20", "yes"), ("spread", "2.00×", "yes"), ("mean", "-0.0200", "yes")]
    assert "Boschloo" in table.notes[0]


def test_the_rules_are_said_with_their_limits() -> None:
    text = rules_line(Rules(max_std=0.05, max_failed=2), 6)
    assert text.startswith("alpha 0.05 for 6 tests. ")
    assert "a standard deviation over 0.05, or more than 2 failed runs" in text
