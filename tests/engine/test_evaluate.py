"""When a training is evaluated, which evaluation counts, and that evaluating changes nothing."""

import math
from itertools import pairwise
from typing import Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lab_training import LAB, examples, fit, resolved, tensors
from torch import Tensor

from stabbench.engine.curve import Curve
from stabbench.engine.evaluate import Split, evaluation_steps, predict
from stabbench.engine.inputs import Inputs
from stabbench.engine.stacking.models import SeedModel, StackedModel
from stabbench.models.loading import load_model
from stabbench.records.seeds import Seeds
from stabbench.tasks.registry import load_task

TASK = load_task("lab/entailment")

SEEDS = [Seeds.of(0), Seeds.of(1)]


@pytest.mark.parametrize(
    ("steps", "evaluations", "expected"),
    [
        (10, 1, [10]),
        (100, 10, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]),
        (7, 3, [3, 5, 7]),
        (468, 4, [117, 234, 351, 468]),
        (3, 10, [1, 2, 3]),
        (1, 5, [1]),
    ],
)
def test_evaluations_are_evenly_spread_and_the_last_is_at_the_end(
    steps: int, evaluations: int, expected: list[int]
) -> None:
    assert evaluation_steps(steps, evaluations) == expected


@given(st.integers(1, 100_000), st.integers(1, 200))
def test_evaluations_whatever_the_numbers(steps: int, evaluations: int) -> None:
    points = evaluation_steps(steps, evaluations)
    assert points[-1] == steps
    assert points[0] >= 1
    assert len(points) == min(steps, evaluations)
    gaps = [after - before for before, after in pairwise([0, *points])]
    assert 1 <= min(gaps) <= max(gaps) <= min(gaps) + 1


def curve(
    data: Inputs,
    keep: Literal["last", "best"],
    scores: list[list[float | None]],
    validation: list[list[float | None]] | None = None,
) -> Curve:
    split = Split(data, examples(40), TASK)
    steps = [10 * (i + 1) for i in range(len(scores))]
    chosen_by = None if validation is None else split
    return Curve(split, chosen_by, keep, steps=steps, scores=scores, validation_scores=validation or [])


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([0.5, 0.7, 0.6], 1),
        # The first of the best: no better, so no reason to go on.
        ([0.7, 0.5, 0.7], 0),
        ([0.5, 0.5, 0.5], 0),
        ([None, 0.4, None], 1),
        ([0.4, None, 0.6], 2),
        ([None, -0.2], 1),
        ([None, None], 0),
        ([0.3], 0),
    ],
)
def test_the_best_is_the_first_of_the_highest_and_what_has_no_score_is_no_best(
    scores: list[float | None], best: int, data: Inputs
) -> None:
    # Another seed beside it has other scores.
    others = [1.0 - i / 10 for i in range(len(scores))][::-1]
    columns = [[mine, other] for mine, other in zip(scores, others, strict=True)]
    assert curve(data, "best", columns).kept(0) == best
    assert curve(data, "best", columns).kept(1) == len(scores) - 1
    assert curve(data, "last", columns).kept(0) == len(scores) - 1


def test_the_validation_set_chooses_where_there_is_one(data: Inputs) -> None:
    scores: list[list[float | None]] = [[0.9], [0.6], [0.7]]
    validation: list[list[float | None]] = [[0.5], [0.8], [None]]
    assert curve(data, "best", scores, validation).kept(0) == 1
    assert curve(data, "last", scores, validation).kept(0) == 2
    assert curve(data, "best", scores).kept(0) == 0


def lab(seeds: int) -> StackedModel:
    pretrained, _ = load_model(LAB, 2, None)
    return StackedModel(pretrained, seeds)


def test_scores_are_of_the_predictions_on_each_set_and_training_can_go_on(data: Inputs) -> None:
    model, few = lab(2), examples(40)
    with torch.no_grad():
        model.parameters["classifier.bias"][0] += torch.tensor([0.0, 100.0])
        model.parameters["classifier.bias"][1] += torch.tensor([100.0, 0.0])
    first, rest = examples(15), examples(40)
    made = Curve(Split(data, few, TASK), Split(tensors(first), first, TASK))
    made.add(4, model, 2)
    made.add(9, model, 2)
    ones = [sum(e.labels) / len(e) for e in (rest, first)]
    assert (made.steps, made.scores) == ([4, 9], [[pytest.approx(ones[0]), pytest.approx(1 - ones[0])]] * 2)
    assert made.validation_scores == [[pytest.approx(ones[1]), pytest.approx(1 - ones[1])]] * 2
    assert model.model.training


def test_a_seed_with_a_prediction_that_is_not_finite_has_no_score(data: Inputs) -> None:
    model = lab(2)
    with torch.no_grad():
        model.parameters["classifier.bias"][1, 0] = math.nan
    split = Split(data, examples(40), TASK)
    assert [score is None for score in split.scores(split.predict(model, 2))] == [False, True]
    assert predict(model, data, 2).decided.isnan().all(1).tolist() == [False, True]


@pytest.mark.parametrize("one_seed", [False, True])
@pytest.mark.parametrize("text", ["devlin:epochs=2", "mixout:epochs=2", "gradual-unfreezing-restart:stages=2,epochs=1"])
def test_evaluating_does_not_change_the_training(text: str, one_seed: bool, data: Inputs) -> None:
    recipe, seeds = resolved(text), SEEDS[: 1 if one_seed else 2]
    losses: list[Tensor] = []
    weights: list[Tensor] = []
    for evaluations in (1, 10):
        made = Curve(Split(data, examples(40), TASK), None)

        def on_step(step: int, model: SeedModel, evaluations: int = evaluations, made: Curve = made) -> None:
            if step in evaluation_steps(6, evaluations):
                made.add(step, model, len(seeds))

        model, trained, _ = fit(recipe, data, seeds, one_seed=one_seed, on_step=on_step)
        assert made.steps == ([6] if evaluations == 1 else [1, 2, 3, 4, 5, 6])
        losses.append(trained.losses)
        weights.append(model.parameters["bert.pooler.dense.weight"].detach())
    assert torch.equal(losses[0], losses[1])
    assert torch.equal(weights[0], weights[1])
    assert recipe.dropout == 0.0 or not torch.equal(
        losses[0], fit(resolved(f"{text},dropout=0"), data, seeds)[1].losses
    )
