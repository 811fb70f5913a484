"""From a metric's value to a score, and from a score to an outcome."""

import math

import pytest

from stabbench.records.run import Outcome
from stabbench.records.scoring import Scoring, outcome_of


def test_higher_is_better() -> None:
    accuracy, loss = Scoring("accuracy", 0.5, lower_is_better=False), Scoring("loss", 0.7, lower_is_better=True)
    assert (accuracy.name, accuracy.constant_score, accuracy.score(0.8)) == ("accuracy", 0.5, 0.8)
    assert (loss.name, loss.constant_score, loss.score(0.2)) == ("neg_loss", -0.7, -0.2)
    assert loss.outcome(loss.score(0.2)) == (Outcome.OK, "")
    assert loss.outcome(loss.score(0.9))[0] is Outcome.FAILED
    assert math.copysign(1, loss.score(0.0) or 0.0) == 1, "no -0.0"


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_not_finite_has_no_score_and_failed(value: float | None) -> None:
    scoring = Scoring("loss", None, lower_is_better=True)
    assert scoring.score(value) is None
    assert scoring.outcome(None) == (Outcome.FAILED, "its loss is not finite")


def test_without_a_constant_score_nobody_knows() -> None:
    assert Scoring("accuracy", None, lower_is_better=False).outcome(0.9)[0] is Outcome.UNKNOWN
    assert outcome_of(0.5, 0.5)[0] is Outcome.FAILED, "no better is a failure"
