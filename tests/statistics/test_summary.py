"""Descriptions of scores."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stabbench.statistics import Sample, summarise


def sample(*scores: float | None, failed: int = 0) -> Sample:
    """Of which the first so many failed."""
    return Sample(scores, [i < failed for i in range(len(scores))])


def test_a_known_answer() -> None:
    summary = summarise(sample(0.5, 0.6, 0.7, 0.7, failed=1))
    assert (summary.planned, summary.failed, summary.min, summary.max) == (4, 1, 0.5, 0.7)
    assert summary.mean == pytest.approx(0.625)
    assert summary.median == pytest.approx(0.65)
    assert summary.std == pytest.approx(0.0957427108)
    assert summary.population_std == pytest.approx(0.0829156198)
    assert summary.ok_std == pytest.approx(0.0577350269)
    assert not summary.collapsed


def test_runs_without_a_score_count_as_planned_and_failed() -> None:
    summary = summarise(sample(None, 0.5, 0.7, failed=1))
    assert (summary.planned, summary.failed) == (3, 1)
    assert summary.mean == pytest.approx(0.6)
    assert summary.std == pytest.approx(0.1414213562)
    nothing = summarise(sample(None, None, failed=2))
    assert (nothing.planned, nothing.failed, nothing.collapsed) == (2, 2, True)
    assert {nothing.mean, nothing.median, nothing.std, nothing.population_std, nothing.ok_std, nothing.min} == {None}
    assert summarise(sample()).collapsed is False


def test_one_score_has_no_std() -> None:
    assert summarise(sample(0.5)).std is None
    assert summarise(sample(0.5, 0.5, 0.7, failed=2)).ok_std is None


def test_what_is_no_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="2 scores and 1 outcomes"):
        Sample([0.5, 0.6], [False])
    with pytest.raises(ValueError, match="not finite"):
        Sample([float("nan")], [True])
    with pytest.raises(ValueError, match="without a score has failed"):
        Sample([None], [False])


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=30))
def test_it_agrees_with_the_standard_library_and_its_own_bounds(scores: list[float]) -> None:
    summary = summarise(sample(*scores))
    assert summary.std == pytest.approx(statistics.stdev(scores))
    assert summary.min is not None
    assert summary.mean is not None
    assert summary.max is not None
    assert summary.min - 1e-12 <= summary.mean <= summary.max + 1e-12
