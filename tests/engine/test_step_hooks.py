"""What the hooks of a step do in a real training: further passes, accumulation, frozen parameters, averages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from lab_training import LAB, fit, resolved, weights

import stabbench
from stabbench import Recipe, check_recipe, optim
from stabbench.engine.inputs import Inputs
from stabbench.engine.stacking.models import StackedModel
from stabbench.engine.train import Training
from stabbench.models.families import defaults_of
from stabbench.models.loading import load_model
from stabbench.recipes import FurtherPass, Stage, planned_steps
from stabbench.records.seeds import Seeds

SEEDS = [Seeds.of(0), Seeds.of(5)]


def training(recipe: Recipe, data: Inputs) -> Training:
    pretrained, layout = load_model(LAB, 2, recipe.dropout)
    steps = planned_steps(recipe, len(data), None)
    model = StackedModel(pretrained, len(SEEDS))
    return Training(recipe, model, layout, data, SEEDS, total_steps=steps, steps=steps, lr_multiplier=16.0)


@pytest.mark.parametrize("parts", [(8, 2), (4, 4), (1, 16), (5, 4)])
def test_accumulated_batches_are_the_larger_batch_up_to_rounding(parts: tuple[int, int], data: Inputs) -> None:
    """Forty examples: the last batch of an epoch is a smaller one, and cut unevenly."""
    whole = fit(resolved(f"bias-correction:epochs=2,dropout=0,batch_size={parts[0] * parts[1]}"), data, SEEDS)
    recipe = resolved(f"bias-correction:epochs=2,dropout=0,batch_size={parts[0]},accumulate={parts[1]}")
    cut = fit(recipe, data, SEEDS)
    assert cut[1].losses.shape == whole[1].losses.shape
    torch.testing.assert_close(cut[1].losses, whole[1].losses, rtol=2e-3, atol=2e-4)
    torch.testing.assert_close(cut[1].losses[:2], whole[1].losses[:2], rtol=1e-5, atol=1e-6)


def test_accumulation_counts_updates_as_the_larger_batch_does() -> None:
    for size in (1, 7, 16, 40, 1000):
        steps = [
            resolved(text).total_steps(size) for text in ("devlin:batch_size=12", "devlin:batch_size=3,accumulate=4")
        ]
        assert steps[0] == steps[1]


@pytest.mark.parametrize("text", ["bitfit", "linear-probe", "freeze-bottom"])
@pytest.mark.parametrize("optimizer", ["adamw", "adafactor"])
def test_a_frozen_parameter_has_no_update_and_no_state(text: str, optimizer: str, data: Inputs) -> None:
    made = training(resolved(f"{text}:epochs=1,lr=1e-2,optimizer={optimizer}"), data)
    before = weights(made.model)
    made.run()
    (stage,) = resolved(text).staging(made._layout)
    for name, parameter in made.model.parameters.items():
        moved = not torch.equal(parameter, before[name])
        assert moved <= (name in stage.trained), name
        assert bool(made.stages.optimizer.state.get(parameter)) == (name in stage.trained), name
        assert parameter.grad is None
    assert not torch.equal(made.model.parameters["classifier.weight"], before["classifier.weight"])


@pytest.mark.parametrize(
    "text", ["ema:decay=0.5", "swa:every=1,start=0.4", "bias-correction:optimizer=schedule-free-adamw"]
)
def test_an_average_is_scored_and_training_goes_on_where_it_was(text: str, data: Inputs) -> None:
    recipe = resolved(f"{text},epochs=2")
    made, seen = training(recipe, data), []
    made.run(lambda step: seen.append(weights(made.model)))
    last = weights(made.model)
    with made.scored():
        scored = weights(made.model)
    assert all(torch.equal(value, last[name]) for name, value in weights(made.model).items())
    name = "bert.pooler.dense.weight"
    assert not torch.equal(scored[name], last[name])
    if "optimizer" in text:
        state = made.stages.optimizer.state[made.model.parameters[name]]
        assert torch.equal(scored[name], state["average"])
        torch.testing.assert_close(last[name], 0.9 * state["average"] + 0.1 * state["z"])
        return
    expected = seen[0][name]
    for step, values in enumerate(seen, start=1):
        share = recipe.average(step, len(seen))
        expected = expected + share * (values[name] - expected) if share != 1 else values[name]
    torch.testing.assert_close(scored[name], expected)


# What the loss of the recipe below was given.
SEEN: list[Any] = []


class TwoPasses(Recipe):
    """Keeps what its loss is given."""

    name = "two-passes"

    def further_passes(self) -> Sequence[FurtherPass]:
        return [FurtherPass(), FurtherPass("normal", 0.5)]

    def loss(self, logits: torch.Tensor, labels: torch.Tensor, further: Sequence[torch.Tensor]) -> torch.Tensor:
        SEEN.append((logits.detach(), [each.detach() for each in further]))
        return optim.seed_losses(logits, labels)


@pytest.mark.parametrize(("dropout", "same"), [(0.0, True), (0.1, False)])
def test_a_further_pass_has_its_own_masks_and_its_own_noise(dropout: float, same: bool, data: Inputs) -> None:
    SEEN.clear()
    recipe = TwoPasses(dropout=dropout, epochs=1).resolved(defaults_of("bert"), LAB.depth)
    fit(recipe, data, SEEDS, max_steps=1)
    logits, (again, noisy) = SEEN[0]
    assert torch.equal(logits, again) == same
    assert not torch.equal(logits, noisy)


class Signs(optim.SeedOptimizer):
    def update(self, parameter: torch.Tensor, gradient: torch.Tensor, state: dict[str, Any], group: Any) -> None:
        parameter.add_(gradient.sign(), alpha=-group["lr"])


def recipe(**members: Any) -> Recipe:
    cls = type("Mine", (Recipe,), {"__doc__": "One of our own.", "name": "mine", **members})
    made = cls()
    assert isinstance(made, Recipe)
    return made


def test_users_optimizers_pass_the_contract() -> None:
    check_recipe(recipe(make_optimizer=lambda self, groups: Signs(groups)))
    check_recipe(recipe(make_optimizer=lambda self, groups: torch.optim.RMSprop(groups, foreach=False), lr=1e-5))


class Shared(optim.SeedOptimizer):
    def update(self, parameter: torch.Tensor, gradient: torch.Tensor, state: dict[str, Any], group: Any) -> None:
        parameter.sub_(gradient / gradient.norm(), alpha=group["lr"])


class Keeps(Signs):
    def update(self, parameter: torch.Tensor, gradient: torch.Tensor, state: dict[str, Any], group: Any) -> None:
        state["history"] = [gradient.clone()]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"make_optimizer": lambda self, groups: None}, "make_optimizer gives None, not a torch.optim.Optimizer"),
    ({"make_optimizer": lambda self, groups: 1 / 0}, "make_optimizer fails: ZeroDivisionError"),
    ({"make_optimizer": lambda self, groups: Signs(groups[:1])}, "not for exactly the parameters"),
    ({"make_optimizer": lambda self, groups: Signs([p for g in groups for p in g["params"]])}, "lost lr or lr_factor"),
    ({"make_optimizer": lambda self, groups: Shared(groups)}, "a seed alone trains otherwise than in a stack"),
    ({"make_optimizer": lambda self, groups: Keeps(groups)}, "keeps 'history', which is neither a tensor"),
    ({"loss": lambda self, logits, labels, further: 0.0}, "loss gives 0.0, not a tensor"),
    ({"loss": lambda self, logits, labels, further: logits.mean()}, "loss changes the shape"),
    (
        {"loss": lambda self, logits, labels, further: logits.mean().expand(len(logits))},
        "a seed alone trains otherwise",
    ),
    ({"loss": lambda self, logits, labels, further: logits.detach()[:, 0, 0]}, "does not depend on the logits"),
    ({"loss": lambda self, logits, labels, further: logits[:, 0, 0] / 0}, "losses that are not finite"),
    ({"loss": lambda self, logits, labels, further: logits[:, 0, 0] * torch.rand(())}, "draws random numbers"),
    ({"loss": lambda self, logits, labels: logits[:, 0, 0]}, "loss.* cannot be called with 3 arguments"),
    ({"further_passes": lambda self: [1]}, "not a list of FurtherPass"),
    ({"further_passes": lambda self: [FurtherPass("normal", -1.0)]}, "of a finite size from 0 up"),
    ({"gradient": lambda self, info, gradient, b: gradient[:, :1]}, "gradient changes the shape"),
    ({"gradient": lambda self, info, gradient, b: gradient.mul_(2)}, "gradient changes its argument"),
    ({"gradient": lambda self, info, gradient, b: gradient * torch.rand(())}, "draws random numbers"),
    ({"average": lambda self, step, total: 1.5}, "average.* gives 1.5, not a number from 0 to 1"),
    ({"start_noise": lambda self, layout: {"nowhere": 0.1}}, "start_noise names parameters"),
    ({"start_noise": lambda self, layout: [0.1]}, "not a mapping"),
    ({"subnetwork": lambda self, layout: 0.5}, "not a Subnetwork"),
    ({"adaptive_scales": lambda self, n, m, step, total: n}, "not factors and what to remember"),
    ({"adaptive_scales": lambda self, n, m, step, total: (n * 0 - 1, m)}, "factors that are negative"),
    ({"staging": lambda self, layout: [Stage(layout.names(["head"]), lr_factor=-1.0)]}, "a finite lr_factor from 0 up"),
]


@pytest.mark.parametrize(("members", "message"), WRONG)
def test_a_hook_that_cannot_be_used_is_refused(members: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_recipe(recipe(**members))


def test_an_optimizer_that_knows_no_anchors_is_refused_where_there_are_some() -> None:
    from stabbench.recipes.pretrained_weight_decay import PretrainedWeightDecay

    class Mine(PretrainedWeightDecay):
        """Another optimizer."""

        name = "mine"

        def make_optimizer(self, groups: Any) -> torch.optim.Optimizer:
            return torch.optim.SGD(groups)

    with pytest.raises(AssertionError, match="SGD does not know a decay towards the pretrained values"):
        check_recipe(Mine())


def test_a_users_loss_and_optimizer_run_through_the_store(tmp_path: Any) -> None:
    own = recipe(make_optimizer=lambda self, groups: Signs(groups), loss=TwoPasses.loss, accumulate=2, batch_size=8)
    done = stabbench.compare([own], seeds=2, max_steps=3, store=tmp_path)
    again = stabbench.compare([own], seeds=2, max_steps=3, store=tmp_path)
    assert [r.final_loss for r in done.recipes[0].records] == [r.final_loss for r in again.recipes[0].records]
