"""How numbers are written."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stabbench.report import numbers
from stabbench.report.numbers import Number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (numbers.count(1260), "1,260"),
        (numbers.score(0.8044), "0.804"),
        (numbers.score(0.8044, 4), "0.8044"),
        (numbers.score(None), "-"),
        (numbers.score(math.nan), "-"),
        (numbers.mean_and_std(0.8, 0.0112), "0.800 ± 0.011"),
        (numbers.mean_and_std(0.8, None), "0.800 ± -"),
        (numbers.interval(0.79, 0.82), "0.790 to 0.820"),
        (numbers.failed_of(3, 25), "3/25"),
        (numbers.p_value(0.01234), ".0123"),
        (numbers.p_value(0.00009), "<.0001"),
        (numbers.p_value(1.0), "1.0000"),
        (numbers.p_value(None), "-"),
        (numbers.change(0.2, 2), "+0.20"),
        (numbers.change(-0.01234, 4), "-0.0123"),
        (numbers.change(-math.inf, 4), "-∞"),
        (numbers.ratio(1.5), "1.50×"),
        (numbers.ratio(math.inf), "∞"),
        (numbers.percent(0.804), "80.4"),
        (numbers.gib(3 * 2**29), "1.50"),
        (numbers.milliseconds(0.0123), "12.3"),
        (numbers.steps_cut(20, 1260), "20 of 1,260 by --max-steps"),
        (numbers.steps_cut(1260, 1260), "1,260"),
        (numbers.counted(1, "run"), "1 run"),
        (numbers.counted(2000, "run"), "2,000 runs"),
    ],
)
def test_known_answers(number: Number, text: str) -> None:
    assert str(number) == f"{number}" == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(45, "45 seconds"), (89, "89 seconds"), (90, "2 minutes"), (5400, "1.5 hours")]
)
def test_durations(seconds: float, text: str) -> None:
    assert numbers.duration(seconds) == text


@pytest.mark.parametrize(("p", "text"), [(0.04, "p = .0400"), (1e-5, "p < .0001"), (None, "p = -")])
def test_p_values_in_a_sentence(p: float | None, text: str) -> None:
    assert numbers.p_equation(p) == text


@given(st.floats(0, 1))
def test_a_p_value_is_never_shown_as_zero(p: float) -> None:
    shown = str(numbers.p_value(p))
    assert shown == "<.0001" or float(shown) > 0
