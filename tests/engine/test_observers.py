"""What watches a training sees what it made, and changes nothing."""

import math

import pytest
import torch
from lab_training import LAB, examples, fit, resolved, weights
from torch import Tensor

from stabbench.engine.curve import Curve
from stabbench.engine.evaluate import Answers, Split
from stabbench.engine.inputs import Inputs
from stabbench.engine.observers import cosine_distances
from stabbench.engine.stacking.models import SeedModel, StackedModel
from stabbench.engine.train import one_class
from stabbench.models.loading import load_model
from stabbench.records.seeds import Seeds
from stabbench.tasks.registry import load_task

SEEDS = [Seeds.of(0), Seeds.of(1)]


def test_components_are_those_of_the_model_and_their_way_from_the_start(data: Inputs) -> None:
    """Of a recipe that draws more than the head anew: the start is what the training started from."""
    seen: list[dict[str, Tensor]] = []

    def look(_: int, model: SeedModel) -> None:
        seen.append(weights(model))

    recipe = resolved("reinit:epochs=1")
    start = weights(fit(resolved("reinit:epochs=1,lr=1e-30"), data, SEEDS, max_steps=1)[0])
    _, trained, layout = fit(recipe, data, SEEDS, max_steps=2, on_step=look)
    assert trained.probe_steps == [1, 2]
    for seed, found in enumerate(trained.components):
        assert found.names == [info.name for info in layout.parameters]
        assert found.parts == [info.part for info in layout.parameters]
        for place, name in enumerate(found.names):
            now, before = seen[-1][name][seed].double().flatten(), start[name][seed].double().flatten()
            assert found.sizes[place] == len(now)
            assert found.distances[-1, place] == pytest.approx(float((now - before).norm()), rel=1e-3, abs=1e-6)
            if before.norm() > 1e-20:
                cosine = float(now @ before / now.norm() / before.norm())
                assert found.cosine_distances[-1, place] == pytest.approx(1 - cosine, rel=2e-3, abs=1e-7)
            else:
                assert math.isnan(found.cosine_distances[-1, place])
        for part, norms in trained.gradient_norms.items():
            assert found.of_part(found.gradient_norms, part) == pytest.approx(norms[:, seed].tolist(), rel=1e-3)
        total = torch.from_numpy(found.clipped_norms).norm(dim=1)
        assert total.max() <= 1.001  # clipped to 1 by the recipe


def test_less_is_kept_on_request_and_the_numbers_are_the_same(data: Inputs) -> None:
    recipe = resolved("devlin:epochs=1")
    _, usual, _ = fit(recipe, data, SEEDS, max_steps=2)
    _, brief, _ = fit(recipe, data, SEEDS, max_steps=2, detail="brief")
    assert torch.equal(usual.losses, brief.losses)
    assert len(usual.components) == 2
    assert brief.components == ()


def test_small_angles_are_not_lost_to_rounding() -> None:
    start = torch.tensor([1.0, 0.0])
    turned = torch.tensor([1.0, 1e-5])
    values = cosine_distances((turned - start).norm(), turned.norm(), start.norm())
    assert float(values) == pytest.approx(1e-10 / 2, rel=1e-3)
    longer = cosine_distances(torch.tensor(1.0), torch.tensor(2.0), torch.tensor(1.0))
    assert float(longer) == 0
    assert not cosine_distances(torch.tensor(1.0), torch.tensor(1.0), torch.tensor(0.0)).isfinite()


def test_a_batch_of_one_class() -> None:
    logits = torch.tensor([[[0.0, 1.0], [2.0, 3.0]], [[0.0, 1.0], [3.0, 2.0]]])
    assert one_class(logits, several=False).tolist() == [True, False]
    several = torch.tensor([[[1.0, -1.0], [2.0, -3.0]], [[1.0, -1.0], [1.0, 1.0]]])
    assert one_class(several, several=True).tolist() == [True, False]


def test_predictions_are_kept_of_the_evaluation_that_counts(data: Inputs) -> None:
    few = examples(40)
    split = Split(data, few, load_task("lab/entailment"))
    pretrained, _ = load_model(LAB, 2, None)
    model = StackedModel(pretrained, 2)
    made = {(keep, detail): Curve(split, None, keep, detail) for keep, detail in (
        ("last", "usual"), ("best", "usual"), ("last", "full"), ("last", "brief"),
    )}  # fmt: skip
    for step, bias in ((5, 100.0), (9, -100.0)):
        with torch.no_grad():
            model.parameters["classifier.bias"][:] = torch.tensor([0.0, bias])
        for curve in made.values():
            curve.add(step, model, 2)
    ones = [label == 1 for label in few.labels]
    final = made["last", "usual"].predictions(0, 1)
    assert final is not None
    assert final.one_class
    assert final.step == 9
    assert final.right.tolist() == [not one for one in ones]
    assert (final.probabilities == 1).all()
    first = made["best", "usual"].predictions(0, 0)
    assert first is not None
    assert first.right.tolist() == ones
    assert made["last", "usual"].predictions(0, 0) is None
    assert [p.step for p in made["last", "full"].all_predictions(1)] == [5, 9]
    assert made["last", "brief"].predictions(0, 1) is None


def test_what_a_curve_keeps_goes_through_a_checkpoint(data: Inputs) -> None:
    split = Split(data, examples(40), load_task("lab/entailment"))
    answers = [Answers(torch.randint(2, (2, 40)), torch.rand(2, 40).half()) for _ in range(3)]
    before = Curve(split, None, "best", steps=[1, 2, 3], answers=list(answers))
    after = Curve(split, None, "best", steps=[1, 2, 3])
    after.restore(lambda name: before.state()[name])
    for seed, point in ((0, 2), (1, 0)):
        assert after.predictions(seed, point) == before.predictions(seed, point)
    last = Curve(split, None, "last", steps=[1, 2, 3], answers=[None, None, answers[2]])
    assert last.state() == {}
