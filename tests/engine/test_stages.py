"""What a stage trains, from where and with which streams; and decay towards the values before training."""

from collections.abc import Mapping

import pytest
import torch
from lab_training import CPU, LAB, LR_MULTIPLIER, fit, resolved, weights
from tiny_models import tiny_model
from torch import Tensor
from transformers.pytorch_utils import Conv1D

from stabbench.engine.inputs import Inputs
from stabbench.engine.stacking.models import OneSeedModel, SeedModel, StackedModel
from stabbench.engine.stacking.streams import SeedStreams
from stabbench.engine.stages import Stages
from stabbench.models.families import defaults_of
from stabbench.models.layout import Layout
from stabbench.models.loading import describe, load_model
from stabbench.recipes import Recipe, get_recipe
from stabbench.records.seeds import Seeds

SEEDS = [Seeds.of(0), Seeds.of(5)]
# An epoch of the forty examples, and so a stage here, is three steps.
STAGE = 3


def snapshots(recipe: Recipe, data: Inputs) -> tuple[list[Mapping[str, Tensor]], Layout, Tensor]:
    """The weights after every step, the layout, and the losses."""
    found: list[Mapping[str, Tensor]] = []
    _, trained, layout = fit(recipe, data, SEEDS, on_step=lambda step, model: found.append(weights(model)))
    return found, layout, trained.losses


def before_training(recipe: Recipe) -> dict[str, Tensor]:
    """The pretrained weights with the seeds' own heads."""
    pretrained, layout = load_model(LAB, 2, recipe.dropout)
    model = StackedModel(pretrained, len(SEEDS))
    model.initialise(recipe.fresh(layout), layout, SeedStreams(SEEDS, "initialisation", CPU))
    return weights(model)


def changed(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize("restart", [False, True])
def test_a_stage_changes_what_it_trains_and_nothing_else(restart: bool, data: Inputs) -> None:
    recipe = resolved(f"gradual-unfreezing{'-restart' if restart else ''}:stages=3,epochs=1,lr=1e-3")
    steps, layout, _ = snapshots(recipe, data)
    assert len(steps) == 3 * STAGE
    start = before_training(recipe)
    top = [["head", "pooler", *(f"block {11 - i}" for i in range(blocks))] for blocks in (4, 8)]
    for number, parts in enumerate([*top, layout.parts]):
        trained = layout.names(parts)
        moved = changed(start if number == 0 or restart else steps[number * STAGE - 1], steps[(number + 1) * STAGE - 1])
        assert moved <= trained
        # Attention is the same whatever is added to all keys.
        assert all(name.endswith("key.bias") for name in trained - moved)


def test_a_stage_begins_at_rate_zero_where_the_one_before_ended_or_where_all_began(data: Inputs) -> None:
    """The first update of a warmup moves nothing, so what it leaves is what the stage started from."""
    for name in ("gradual-unfreezing", "gradual-unfreezing-restart"):
        recipe = resolved(f"{name}:stages=3,epochs=1,warmup=0.4")
        steps, _, _ = snapshots(recipe, data)
        for first in (STAGE, 2 * STAGE):
            expected = before_training(recipe) if name.endswith("restart") else steps[first - 1]
            assert changed(expected, steps[first]) == set(), (name, first)


def test_the_last_stage_of_a_restart_is_full_fine_tuning_to_the_bit(data: Inputs) -> None:
    full = fit(resolved("bias-correction:epochs=2"), data, SEEDS)
    staged = fit(resolved("gradual-unfreezing-restart:stages=3,epochs=2"), data, SEEDS)
    assert staged[1].losses.shape == (3 * 2 * STAGE, len(SEEDS))
    assert torch.equal(staged[1].losses[-2 * STAGE :], full[1].losses)
    assert changed(full[0].parameters, staged[0].parameters) == set()


def test_a_single_stage_is_full_fine_tuning_too(data: Inputs) -> None:
    for name in ("gradual-unfreezing", "gradual-unfreezing-restart"):
        staged = fit(resolved(f"{name}:stages=1,epochs=1"), data, SEEDS)[1].losses
        assert torch.equal(staged, fit(resolved("bias-correction:epochs=1"), data, SEEDS)[1].losses)


def test_without_a_restart_the_streams_go_on(data: Inputs) -> None:
    """With a rate of almost nothing, stages differ by their batches and masks only."""
    streams = {}
    for name in ("gradual-unfreezing", "gradual-unfreezing-restart"):
        losses = fit(resolved(f"{name}:stages=2,epochs=1,lr=1e-30"), data, SEEDS)[1].losses
        streams[name] = torch.equal(losses[:STAGE], losses[STAGE:])
    assert streams == {"gradual-unfreezing": False, "gradual-unfreezing-restart": True}


def test_a_frozen_part_has_no_gradient_and_a_cut_training_is_the_beginning_of_the_whole(data: Inputs) -> None:
    recipe = resolved("gradual-unfreezing:stages=3,epochs=1")
    whole = fit(recipe, data, SEEDS)[1]
    assert torch.equal(fit(recipe, data, SEEDS, max_steps=5)[1].losses, whole.losses[:5])
    assert whole.probe_steps == list(range(1, 10))
    for part, last_frozen in (("head", 0), ("block 8", 0), ("block 7", 3), ("block 3", 6), ("embeddings", 6)):
        norms = whole.gradient_norms[part]
        assert (norms[:last_frozen] == 0).all(), part
        assert (norms[last_frozen:] > 0).all(), part


def furthest(model: SeedModel, start: Mapping[str, Tensor], name: str) -> float:
    return float((model.parameters[name].detach() - start[name]).abs().max())


def distance(model: SeedModel, layout: Layout, start: Mapping[str, Tensor]) -> float:
    """How far the encoder's weights (no biases, no norms) are from where they started."""
    head = layout.names(["head"])
    kept = [p.name for p in layout.parameters if p.kind == "weight" and p.name not in head]
    return max(furthest(model, start, name) for name in kept)


def test_a_huge_decay_holds_the_pretrained_weights_and_wipes_out_the_head(data: Inputs) -> None:
    """A share of lr * decay = 1 is all of the distance."""
    recipe = resolved("pretrained-weight-decay:epochs=1,warmup=0,lr=1e-3,weight_decay=62.5")
    assert recipe.schedule(0, STAGE) == 1e-3 * 62.5 * LR_MULTIPLIER == 1
    start = before_training(recipe)
    model, _, layout = fit(recipe, data, SEEDS, max_steps=1)
    assert distance(model, layout, start) < 1e-7
    assert float(model.parameters["classifier.weight"].detach().abs().max()) < 1e-7
    free, _, _ = fit(resolved("pretrained-weight-decay:epochs=1,warmup=0,lr=1e-3,weight_decay=0"), data, SEEDS, 1)
    assert distance(free, layout, start) > 1e-3


def test_without_decay_there_is_nothing_to_pull(data: Inputs) -> None:
    pulled, plain = (
        fit(resolved(f"{name}:epochs=1,weight_decay=0"), data, SEEDS)[1].losses
        for name in ("pretrained-weight-decay", "weight-decay")
    )
    assert torch.equal(pulled, plain)


def test_llrd_moves_every_part_by_its_own_rate(data: Inputs) -> None:
    """Adam's first step is the rate in every entry that has a gradient, whatever its size."""
    recipe = resolved("llrd:epochs=1,warmup=0,lr=1e-3,lr_decay=0.5,weight_decay=0,max_grad_norm=0,eps=1e-30")
    start = before_training(recipe)
    model, _, layout = fit(recipe, data, SEEDS, max_steps=1)
    moved = {part: max(furthest(model, start, name) for name in layout.names([part])) for part in layout.parts}
    for part, factor in (("pooler", 1), ("block 11", 0.5), ("block 10", 0.25), ("block 0", 0.5**12)):
        assert moved[part] / moved["head"] == pytest.approx(factor, rel=1e-2), part
    assert moved["embeddings"] / moved["head"] == pytest.approx(0.5**13, rel=0.05)


@pytest.mark.parametrize("kind", [StackedModel, OneSeedModel])
def test_mixout_masks_input_neurons_however_a_layer_keeps_its_weight(kind: type[SeedModel]) -> None:
    """GPT-2's weights are ``[in, out]``, its head's ``[out, in]``: an input neuron falls back for all outputs."""
    pretrained = tiny_model("gpt2")
    model = StackedModel(pretrained, 1) if kind is StackedModel else OneSeedModel(pretrained)
    recipe = get_recipe("mixout", p=0.5).resolved(defaults_of("gpt2"), 3)
    stages = Stages(recipe, model, describe(pretrained), SEEDS[:1], CPU, 1e-3)
    stages.enter(0)
    before = {name: model.parameters[name].detach().clone() for name in model.linear_weights}
    with torch.no_grad():
        for name in model.linear_weights:
            model.parameters[name].add_(1.0)
    mixed = stages.forward_weights()
    layers = {f"{name}.weight": layer for name, layer in pretrained.named_modules()}
    assert {type(layers[name]) for name in mixed} == {torch.nn.Linear, Conv1D}
    reference = SeedStreams(SEEDS[:1], "dropout", CPU)
    for name, weight in mixed.items():
        inputs = 1 if type(layers[name]) is Conv1D else 2
        assert weight.shape == model.parameters[name].shape
        # One mask entry an input neuron, drawn in the model's order; W - P is 1, so that W' - P is M / (1 - p).
        keep = reference.bernoulli(0.5, (1, weight.shape[inputs]))
        expected = (keep.mT if inputs == 1 else keep).expand_as(weight) / 0.5
        torch.testing.assert_close(weight.detach() - before[name], expected)
