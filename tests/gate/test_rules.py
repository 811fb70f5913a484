"""Verdicts and their order, rules and their ranges, looks and their levels."""

import dataclasses
import itertools
import json
import math

import pytest

from stabbench.errors import StabbenchError
from stabbench.gate.looks import FIXED, Look
from stabbench.gate.rules import RuleOptions, Rules, Verdict, worst
from stabbench.statistics import information, nominal_levels


def test_exit_codes() -> None:
    assert {str(v): v.exit_code for v in Verdict} == {
        "PASS": 0,
        "FAIL": 1,
        "INCONCLUSIVE": 2,
        "ERROR": 3,
        "INCOMPARABLE": 3,
    }


def test_the_worst_of_several_cells_hides_no_regression() -> None:
    order = [Verdict.FAIL, Verdict.ERROR, Verdict.INCOMPARABLE, Verdict.INCONCLUSIVE, Verdict.PASS]
    for worse, better in itertools.combinations(order, 2):
        assert worst([better, worse, better]) is worst([worse, better]) is worse
    assert worst([Verdict.PASS]) is Verdict.PASS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alpha", 0.0),
        ("alpha", 0.5),
        ("alpha", math.nan),
        ("rate_floor", -0.1),
        ("spread_floor", 0.99),
        ("spread_margin", 0.5),
        ("spread_margin", math.inf),
        ("mean_floor", -0.01),
        ("mean_margin", math.nan),
        ("max_std", -0.1),
        ("max_failed", -1),
    ],
)
def test_a_rule_out_of_range_is_named(name: str, value: float) -> None:
    with pytest.raises(StabbenchError, match=name):
        Rules(**{name: value})  # type: ignore[arg-type]


def test_limits_may_be_zero_and_rules_are_plain_json() -> None:
    rules = Rules(max_std=0.0, max_failed=0, rate_floor=0.0, spread_floor=1.0, mean_margin=0.0)
    assert Rules(**json.loads(json.dumps(rules.to_json()))) == rules


def test_a_single_look_has_the_whole_level() -> None:
    assert not FIXED.sequential
    assert FIXED.level(0.05, 50) == 0.05
    assert Look((20,)).level(0.01, 3) == 0.01


def test_the_looks_share_the_level_by_their_information() -> None:
    looks = [Look((5, 10, 20), number) for number in range(3)]
    levels = [look.level(0.05, 50) for look in looks]
    assert all(look.sequential for look in looks)
    assert levels == list(nominal_levels(0.05, tuple(information(n, 20, 50) for n in (5, 10, 20))))
    assert 0 < levels[0] < levels[1] < levels[2] < 0.05


def test_keyword_options_are_the_fields_of_the_rules() -> None:
    assert list(RuleOptions.__annotations__) == [spec.name for spec in dataclasses.fields(Rules)]
