"""Steps in series of samples: where they are, and that flat series have none beyond alpha."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stabbench.statistics import clopper_pearson
from stabbench.statistics.change_points import find_step, find_steps

ALPHA = 0.05


def test_a_step_is_found_where_it_is() -> None:
    draws = np.random.default_rng(0)
    samples = [list(draws.normal(0.8 if gate < 6 else 0.7, 0.02, 20)) for gate in range(9)]
    (step,) = find_steps(samples, ALPHA)
    assert step.at == 6
    assert step.before == pytest.approx(np.mean(samples[:6]))
    assert step.after == pytest.approx(np.mean(samples[6:]))
    assert step.p == 1e-4  # no permutation of 9,999 is as extreme


def test_a_fall_that_was_mended_is_two_steps() -> None:
    draws = np.random.default_rng(1)
    levels = [0.8] * 5 + [0.7] * 4 + [0.8] * 6
    samples = [list(draws.normal(level, 0.02, 20)) for level in levels]
    assert [step.at for step in find_steps(samples, ALPHA)] == [5, 9]


@pytest.mark.parametrize("samples", [[], [[0.5, 0.6]], [[], []], [[0.5], [0.5], [0.5]], [[], [0.7, 0.8], []]])
def test_no_step_is_defined_in_nothing(samples: list[list[float]]) -> None:
    assert find_step(samples) is None


@given(st.lists(st.lists(st.sampled_from([0.0, 1.0]), max_size=4), min_size=2, max_size=5))
def test_a_step_is_between_values_and_its_p_is_a_probability(samples: list[list[float]]) -> None:
    step = find_step(samples)
    if step is not None:
        assert any(samples[: step.at])
        assert samples[step.at]
        assert 0 < step.p <= 1
        assert step.before != step.after or step.p == 1


@pytest.mark.parametrize("kind", ["normal", "collapsing", "failed or not"])
def test_flat_series_alarm_at_alpha_at_most(kind: str) -> None:
    """300 series of ten gates: the rate's exact lower bound at 99.9% must not be above alpha."""
    draws = np.random.default_rng(5)
    alarms = 0
    for _ in range(300):
        if kind == "failed or not":
            values = (draws.random((10, 20)) < 0.1).astype(float)
        else:
            values = draws.normal(0.78, 0.01, (10, 20))
            if kind == "collapsing":
                values[draws.random((10, 20)) < 0.1] = 0.5
        alarms += bool(find_steps(values.tolist(), ALPHA))
    assert clopper_pearson(alarms, 300, 0.001)[0] <= ALPHA
