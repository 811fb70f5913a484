"""Descriptions of scores."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stabbench.statistics import Summary, summarise


def test_a_known_answer() -> None:
    assert summarise([0.5, 0.6, 0.7], failed=1) == Summary(3, 1, pytest.approx(0.6), pytest.approx(0.1), 0.5, 0.7)


def test_runs_without_a_score_count_as_planned_and_failed() -> None:
    assert summarise([0.5, None, 0.7, float("nan")], failed=2) == Summary(
        4, 2, pytest.approx(0.6), pytest.approx(0.1414213562), 0.5, 0.7
    )
    assert summarise([None, None], failed=2) == Summary(2, 2, None, None, None, None)
    assert summarise([], failed=0) == Summary(0, 0, None, None, None, None)


def test_one_score_has_no_std() -> None:
    assert summarise([0.5], failed=0).std is None


def test_more_failed_than_planned_is_refused() -> None:
    with pytest.raises(ValueError, match="2 failed runs of 1"):
        summarise([0.5], failed=2)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=30))
def test_it_agrees_with_the_standard_library_and_its_own_bounds(scores: list[float]) -> None:
    summary = summarise(scores, failed=0)
    assert summary.std == pytest.approx(statistics.stdev(scores))
    assert summary.min is not None
    assert summary.mean is not None
    assert summary.max is not None
    assert summary.min - 1e-12 <= summary.mean <= summary.max + 1e-12
