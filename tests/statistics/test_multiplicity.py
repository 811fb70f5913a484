"""Adjusted p-values: published ones, and the definitions written out."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stabbench.statistics import benjamini_hochberg, holm

p_values = st.lists(st.floats(0, 1), max_size=6)
with_gaps = st.lists(st.none() | st.floats(0, 1), max_size=8)


def test_holm_has_the_published_values() -> None:
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert holm([0.04, 0.01, 0.05, 0.03, 0.02]) == pytest.approx([0.09, 0.05, 0.09, 0.09, 0.08])


def test_benjamini_hochberg_has_the_published_values() -> None:
    p = [0.005, 0.009, 0.019, 0.022, 0.051, 0.101, 0.361, 0.387]
    known = [0.036, 0.036, 0.044, 0.044, 0.0816, 0.13467, 0.387, 0.387]
    assert benjamini_hochberg(p) == pytest.approx(known, abs=1e-5)


@given(p_values)
def test_holm_is_the_closure_of_bonferroni(p: list[float]) -> None:
    """A hypothesis falls where every set that it is in falls: the largest Bonferroni-adjusted p of all those sets."""
    for i, adjusted in enumerate(holm(p)):
        others = [v for j, v in enumerate(p) if j != i]
        sets = (s for size in range(len(p)) for s in itertools.combinations(others, size))
        assert adjusted == pytest.approx(max(min(1, (len(s) + 1) * min((p[i], *s))) for s in sets))


@given(p_values)
def test_benjamini_hochberg_is_the_smallest_rate_that_rejects(p: list[float]) -> None:
    """At least so many are at or under p: their expected false share is m p over their number."""
    rates = [min(1, len(p) * v / sum(w <= v for w in p)) for v in p]
    for v, adjusted in zip(p, benjamini_hochberg(p), strict=True):
        assert adjusted == pytest.approx(min(r for r, w in zip(rates, p, strict=True) if w >= v))


@given(with_gaps)
def test_what_is_not_defined_leaves_the_family(p: list[float | None]) -> None:
    known = [v for v in p if v is not None]
    for adjust in (holm, benjamini_hochberg):
        adjusted = adjust(p)
        assert [v is None for v in adjusted] == [v is None for v in p]
        assert [v for v in adjusted if v is not None] == pytest.approx(adjust(known))


@given(p_values)
def test_adjusting_never_helps_and_keeps_the_order(p: list[float]) -> None:
    for adjust in (holm, benjamini_hochberg):
        adjusted = adjust(p)
        pairs = list(zip(p, adjusted, strict=True))
        assert all(a is not None and v - 1e-12 <= a <= 1 for v, a in pairs)
        assert all(b[1] >= a[1] - 1e-12 for a, b in itertools.product(pairs, pairs) if a[0] <= b[0])  # type: ignore[operator]


def test_the_discovery_rate_is_the_milder_of_the_two() -> None:
    p = [0.01, 0.02, 0.03, 0.04]
    assert all(b < h for b, h in zip(benjamini_hochberg(p)[1:], holm(p)[1:], strict=True))  # type: ignore[operator]
