"""Points of a plane: at its corners the models that span it, as `transformers` itself computes them."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from stabbench.engine.engine import Engine
from stabbench.engine.job import Job, PlanePart, PlaneValues
from stabbench.engine.planned import planned_task
from stabbench.engine.setup import Setup
from stabbench.engine.surface import DRAWN_BY
from stabbench.errors import StoreError
from stabbench.models.source import find_model
from stabbench.recipes import parse_recipe
from stabbench.records.seeds import Seeds
from stabbench.records.weights import weights_file
from stabbench.runner.plan import Plan
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources

LAB = find_model("lab")
EXAMPLES = 40
CORNERS = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Two runs of four steps, whose weights are kept."""
    seeds = (Seeds.of(0), Seeds.of(1))
    plan = Plan([parse_recipe("bias-correction:lr=1e-4,epochs=1")], "lab/entailment:examples=64", "lab", seeds)
    cell = resolve(plan, Resources(device="cpu")).cells[0]
    made = Job(
        cell.recipe, cell.label, cell.source, LAB, seeds, True, "cpu", None, cell.fingerprint,
        weights=tmp_path_factory.mktemp("store"),
    )  # fmt: skip
    Engine().train(made, lambda _: None)
    return made


def files(job: Job) -> tuple[Path, Path]:
    assert job.weights is not None
    one, other = (weights_file(job.weights, job.fingerprint.run_id(seeds)) for seeds in job.seeds)
    return one, other


def values(job: Job, points: tuple[tuple[float, float], ...] = CORNERS, **changes: object) -> PlaneValues:
    part = PlanePart(job, *files(job), points, gradients=True, examples=EXAMPLES, stack=2)
    return Engine().plane(dataclasses.replace(part, **changes), lambda _: None)  # type: ignore[arg-type]


def reference(job: Job, weights: dict[str, torch.Tensor]) -> tuple[float, float]:
    """Loss and gradient norm of an unmodified model."""
    model: PreTrainedModel = AutoModelForSequenceClassification.from_pretrained(LAB.folder, num_labels=2).eval()
    model.load_state_dict(weights, strict=False)
    task = planned_task(job.task, str(job.fingerprint.experiment["data"]))
    examples = Setup(job, task).training_examples(EXAMPLES, DRAWN_BY)
    loss = torch.nn.functional.cross_entropy(model(**examples.tokens).logits, examples.labels)
    loss.backward()
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    return loss.item(), float(torch.cat([gradient.flatten() for gradient in gradients]).norm())


def test_the_corners_are_the_models_that_span_the_plane(job: Job) -> None:
    task = planned_task(job.task, str(job.fingerprint.experiment["data"]))
    setup = Setup(job, task)
    with setup.training():
        start = {name: parameter[0].detach().clone() for name, parameter in setup.model.parameters.items()}
    # Pretrained, but for the head that the first run draws.
    pretrained = load_file(LAB.folder / "model.safetensors")
    assert all(torch.equal(pretrained[name], start[name]) for name in start if name in pretrained)
    found = values(job)
    for place, weights in enumerate((start, *map(load_file, files(job)))):
        loss, norm = reference(job, weights)
        assert found.losses[place] == pytest.approx(loss, rel=1e-5)
        assert found.norms[place] == pytest.approx(norm, rel=1e-4)


@pytest.mark.parametrize("changes", [{"stack": 1}, {"stack": 3}, {"stack": 5}])
def test_how_many_points_are_together_does_not_matter(job: Job, changes: dict[str, object]) -> None:
    points = (*CORNERS, (0.5, 0.5), (-1.5, 1.5))
    assert values(job, points, **changes).losses == pytest.approx(values(job, points).losses, rel=1e-6)


def test_a_model_that_is_not_stacked_has_the_same_surface_and_gradients_only_where_asked(job: Job) -> None:
    alone = values(dataclasses.replace(job, stacked=False), gradients=False)
    assert alone.losses == pytest.approx(values(job).losses, rel=1e-5)
    assert all(math.isnan(norm) for norm in alone.norms)


def test_weights_that_are_damaged_or_of_another_model_are_refused(job: Job, tmp_path: Path) -> None:
    damaged, other = tmp_path / "damaged.safetensors", tmp_path / "other.safetensors"
    damaged.write_bytes(b"no weights")
    save_file({"classifier.weight": torch.zeros(2, 3)}, other)
    for path, message in ((damaged, "cannot be read"), (other, "are of another model"), (tmp_path / "x", "cannot be")):
        with pytest.raises(StoreError, match=message):
            values(job, first=path)
