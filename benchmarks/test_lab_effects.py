"""The four effects that the lab tier must show (docs/lab.md), at 25 seeds a recipe.

    pytest benchmarks

About six minutes on two cores from an empty store; what `./.stabbench` holds is not trained again.
"""

from __future__ import annotations

import statistics

import pytest

import stabbench
from stabbench import Outcome, Store
from stabbench.comparison import PairTests, RecipeRuns
from stabbench.plan import DEFAULT_STORE


@pytest.fixture(scope="module")
def runs() -> dict[str, RecipeRuns]:
    comparison = stabbench.compare(["devlin", "bias-correction", "mosbach"], seeds=25, workers=2)
    print(comparison)
    return {recipe.label: recipe for recipe in comparison.recipes}


def test_devlin_has_failed_runs_where_bias_correction_and_mosbach_have_none(runs: dict[str, RecipeRuns]) -> None:
    assert runs["devlin"].failed >= 5
    assert runs["bias-correction"].failed == 0
    assert runs["mosbach"].failed == 0


def test_mosbach_is_better_and_steadier_than_devlin(runs: dict[str, RecipeRuns]) -> None:
    devlin, mosbach = runs["devlin"].summary, runs["mosbach"].summary
    assert devlin.mean is not None
    assert devlin.std is not None
    assert mosbach.mean is not None
    assert mosbach.std is not None
    assert mosbach.mean > devlin.mean
    assert mosbach.std < devlin.std
    levene = PairTests.of(runs["mosbach"], runs["devlin"]).levene_mean
    assert levene.p is not None
    assert levene.p < 0.001


def test_failed_runs_show_vanishing_gradients_in_the_lower_blocks(runs: dict[str, RecipeRuns]) -> None:
    """Mosbach et al. 2021, Fig. 4, over the second half of training."""
    medians = {}
    with Store(DEFAULT_STORE, write=False) as store:
        for outcome in (Outcome.FAILED, Outcome.OK):
            of_outcome = [r for r in runs["devlin"].records if r.outcome is outcome]
            histories = [store.history(r.id) for r in of_outcome]
            half = len(histories[0].probe_steps) // 2
            medians[outcome] = statistics.median(
                n or 0.0 for h in histories for n in h.gradient_norms["block 0"][half:]
            )
    assert medians[Outcome.FAILED] < medians[Outcome.OK] / 10


def test_a_successful_run_is_far_above_the_majority(runs: dict[str, RecipeRuns]) -> None:
    assert min(runs["mosbach"].finite_scores) > 0.5 + 0.15
