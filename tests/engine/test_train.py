"""The training loop: bitwise the same for any number of seeds, each seed by itself, and the papers' update in it."""

import math
from dataclasses import replace

import pytest
import torch
from lab_training import CPU, LAB, fit, resolved
from torch import Tensor

from stabbench.engine.ambient import own_settings
from stabbench.engine.evaluate import predict
from stabbench.engine.inputs import Batch, Inputs
from stabbench.engine.stacking.models import StackedModel
from stabbench.engine.stacking.streams import SeedStreams
from stabbench.engine.train import Training
from stabbench.models.loading import load_model
from stabbench.optim import seed_losses
from stabbench.recipes import recipe_names
from stabbench.records.seeds import Seeds

# An epoch is enough of a recipe that only chooses numbers; the others do something of their own.
SHORT = {name: f"{name}:epochs=1" for name in recipe_names()} | {
    **{name: f"{name}:epochs=4" for name in ("devlin", "mixout", "reinit", "cwgnc")},
    **{name: f"{name}:epochs=2" for name in ("llrd", "pretrained-weight-decay")},
    **{name: f"{name}:epochs=1,stages=3" for name in ("gradual-unfreezing", "gradual-unfreezing-restart")},
    "longer": "longer:steps=4",
}


@pytest.mark.parametrize(
    "text",
    [
        *SHORT.values(),
        "devlin:epochs=2,precision=bf16",
        "devlin:epochs=1,batch_size=5,accumulate=3",
        "child-tuning:epochs=1,mode=F",
        # The others have no number of a whole tensor; tests/optim has them all.
        *(f"cwgnc:epochs=1,optimizer={name}" for name in ("adafactor", "stable-adamw", "schedule-free-adamw")),
    ],
)
def test_a_seed_is_bitwise_the_same_at_every_stack_size(text: str, data: Inputs) -> None:
    recipe = resolved(text)
    seeds = [Seeds.of(n) for n in (4, 0, 9, 2, 7)]
    together, all_trained, _ = fit(recipe, data, seeds)
    with own_settings():
        predictions = predict(together, data, 5).decided
    for group in ([0], [1, 2, 3], [4]):
        model, trained, _ = fit(recipe, data, [seeds[i] for i in group])
        with own_settings():
            alone = predict(model, data, len(group)).decided
        for place, number in enumerate(group):
            assert torch.equal(trained.losses[:, place], all_trained.losses[:, number])
            assert torch.equal(alone[place], predictions[number])
            for key, values in model.parameters.items():
                assert torch.equal(values[place], together.parameters[key][number]), key


@pytest.mark.parametrize(
    "text",
    [
        "devlin:dropout=0",
        "mixout:dropout=0",
        "llrd:epochs=2,dropout=0",
        "pretrained-weight-decay:epochs=2,dropout=0",
        "gradual-unfreezing:epochs=1,stages=3,dropout=0",
        "gradual-unfreezing-restart:epochs=1,stages=3,dropout=0",
        "r3f:epochs=2,dropout=0,size=0.01",
        "noisytune:epochs=2,dropout=0",
        "lp-ft:epochs=1,dropout=0",
    ],
)
def test_one_seed_at_a_time_is_the_same_training_up_to_rounding(text: str, data: Inputs) -> None:
    """The path for models that cannot be stacked, on one that can: without dropout, whose masks a stack draws for the
    real tokens only.
    """
    stacked, unstacked = (fit(resolved(text), data, [Seeds.of(1)], one_seed=single) for single in (False, True))
    torch.testing.assert_close(stacked[1].losses, unstacked[1].losses, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("stream", ["initialisation", "order", "dropout"])
def test_each_stream_changes_the_run_by_itself(stream: str, data: Inputs) -> None:
    other = replace(Seeds.of(0), **{stream: 1})
    _, trained, _ = fit(resolved("devlin"), data, [Seeds.of(0), other], max_steps=4)
    assert not torch.equal(trained.losses[:, 0], trained.losses[:, 1])
    # The first step's batch and masks are drawn before anything is learnt: only the head tells initialisations apart.
    heads = fit(resolved("devlin"), data, [Seeds.of(0), other], max_steps=1)[0].parameters["classifier.weight"]
    assert torch.equal(heads[0], heads[1]) == (stream != "initialisation")


def test_a_seed_that_explodes_is_not_finite_and_leaves_its_neighbours_alone(data: Inputs) -> None:
    recipe, seeds = resolved("devlin"), [Seeds.of(0), Seeds.of(1)]

    class Exploding(StackedModel):
        def logits(self, *inputs):  # type: ignore[no-untyped-def]
            return super().logits(*inputs) * torch.tensor([math.inf, 1.0]).view(2, 1, 1)

    pretrained, layout = load_model(LAB, 2, None)
    model = Exploding(pretrained, 2)
    with own_settings():
        training = Training(recipe, model, layout, data, seeds, total_steps=9, steps=9, lr_multiplier=16.0)
        losses = training.run().losses
    assert not losses[:, 0].isfinite().any()
    assert torch.equal(losses[:, 1], fit(recipe, data, [Seeds.of(1)])[1].losses[:, 0])


def test_one_training_step_is_the_recipe_written_out(data: Inputs) -> None:
    """From the gradient of a plain transformers model to the new weights: clipping, correction, decay, groups."""
    recipe = resolved("bias-correction:dropout=0,warmup=0,weight_decay=0.3,max_grad_norm=0.5")
    model, trained, layout = fit(recipe, data, [Seeds.of(3)], max_steps=1)
    pretrained, _ = load_model(LAB, 2, 0.0)
    pretrained.train()
    start = StackedModel(pretrained, 1)
    start.initialise(recipe.fresh(layout), layout, SeedStreams([Seeds.of(3)], "initialisation", CPU))
    with torch.no_grad():
        for key, parameter in pretrained.named_parameters():
            parameter.copy_(start.parameters[key][0])
    rows = SeedStreams([Seeds.of(3)], "order", CPU).permutations(40)[0, :16]
    output = pretrained(**{key: values[rows] for key, values in data.tokens.items()}, labels=data.labels[rows])
    output.loss.backward()
    assert trained.losses[0, 0].item() == pytest.approx(output.loss.item(), rel=1e-5)
    gradients = {n: p.grad.double() for n, p in pretrained.named_parameters() if p.grad is not None}
    total = math.sqrt(sum(float(g.square().sum()) for g in gradients.values()))
    clip = min(1.0, 0.5 / (total + 1e-6))
    lr = 2e-5 * 16
    kinds = {p.name: p.kind for p in layout.parameters}
    for key, parameter in pretrained.named_parameters():
        g = gradients[key] * clip
        alpha = lr * math.sqrt(1 - 0.999) / (1 - 0.9)
        w = parameter.double() - alpha * 0.1 * g / ((0.001 * g**2).sqrt() + 1e-6)
        w = w - lr * (0.3 if kinds[key] == "weight" else 0.0) * w
        torch.testing.assert_close(model.parameters[key][0].double(), w, rtol=0, atol=2e-6, msg=key)
    by_part = sum(float(norms[0, 0]) ** 2 for norms in trained.gradient_norms.values())
    assert math.sqrt(by_part) == pytest.approx(total, rel=1e-4)


def test_what_a_recipe_starts_anew_is_new_and_nothing_else(data: Inputs) -> None:
    pretrained, layout = load_model(LAB, 2, None)
    for name, parts in (
        ("devlin", {"head"}),
        ("reinit", {"head", "pooler", "block 10", "block 11"}),
    ):
        recipe = resolved(f"{name}:lr=1e-30")
        model, _, _ = fit(recipe, data, [Seeds.of(0), Seeds.of(1)], max_steps=1)
        for info, (key, before) in zip(layout.parameters, pretrained.named_parameters(), strict=True):
            after = model.parameters[key].detach()
            if info.part not in parts:
                assert torch.equal(after[0], before), key
            elif info.kind == "weight":
                assert not torch.equal(after[0], after[1]), key
                assert float(after.std()) == pytest.approx(0.02, rel=0.3), key
            else:
                assert (after == (1.0 if info.kind == "norm" else 0.0)).all(), key


def test_every_example_is_seen_once_an_epoch(data: Inputs) -> None:
    seen: list[Tensor] = []

    class Watched(Inputs):
        def rows(self, index: Tensor) -> Batch:
            seen.append(index)
            return super().rows(index)

    fit(resolved("devlin:epochs=2"), Watched(data.tokens, data.labels, data.real), [Seeds.of(0), Seeds.of(1)])
    assert [index.shape[1] for index in seen] == [16, 16, 8, 16, 16, 8]
    first, second = torch.cat(seen[:3], 1), torch.cat(seen[3:], 1)
    for epoch in (first, second):
        assert torch.equal(epoch.sort(1).values, torch.arange(40).expand(2, -1))
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])


def test_losses_are_each_seeds_mean_of_the_right_kind() -> None:
    logits, labels = torch.randn(3, 5, 2), torch.randint(0, 2, (3, 5))
    expected = torch.stack([torch.nn.functional.cross_entropy(a, b) for a, b in zip(logits, labels, strict=True)])
    torch.testing.assert_close(seed_losses(logits, labels), expected)
    values, scores = torch.randn(3, 5, 1), torch.randn(3, 5)
    torch.testing.assert_close(seed_losses(values, scores), (values[..., 0] - scores).square().mean(1))


def test_a_cut_training_keeps_the_schedule_of_the_whole(data: Inputs) -> None:
    whole = fit(resolved("devlin"), data, [Seeds.of(0)])[1].losses
    cut = fit(resolved("devlin"), data, [Seeds.of(0)], max_steps=5)[1].losses
    assert torch.equal(whole[:5], cut)
