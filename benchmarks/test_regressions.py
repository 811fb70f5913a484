"""Three regressions planted in mosbach: the gate must catch each of them, and five seeds must not be enough to pass.

pytest benchmarks/test_regressions.py -m long      about eight minutes on two cores
"""

from __future__ import annotations

import pytest

from stabbench.pytest_plugin.fixture import Stability
from stabbench.recipes.mosbach import Mosbach


class WithoutBiasCorrection(Mosbach):
    """Somebody turned it off."""

    name = "mosbach"
    bias_correction = False


class ThreeEpochs(Mosbach):
    """Somebody was in a hurry."""

    name = "mosbach"
    epochs = 3.0


class HigherRate(Mosbach):
    """Somebody raised the learning rate."""

    name = "mosbach"
    lr = 1e-4


@pytest.mark.long
@pytest.mark.parametrize("changed", [WithoutBiasCorrection, ThreeEpochs, HigherRate])
def test_a_regression_is_caught(stability: Stability, changed: type[Mosbach]) -> None:
    result = stability.run(changed(), workers=2)
    with pytest.raises(AssertionError, match="FAIL:"):
        result.not_less_stable_than_baseline()


def test_five_seeds_are_too_few_to_pass(stability: Stability) -> None:
    stability.run("mosbach", seeds=5).not_less_stable_than_baseline()
    assert "with 5 runs" in stability.undecided.pop()


def test_what_is_unchanged_passes(stability: Stability) -> None:
    stability.run("mosbach").not_less_stable_than_baseline()
    assert not stability.undecided
