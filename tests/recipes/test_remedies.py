"""The later remedies against their papers' formulas, written out here; on a small layout or the lab model."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lab_training import LAB, examples, fit, resolved, tensors, weights
from torch.nn import functional

from stabbench import Recipe, get_recipe
from stabbench.engine.fisher import fisher_masks
from stabbench.engine.inputs import Inputs
from stabbench.engine.stacking.models import StackedModel
from stabbench.errors import ModelError, RecipeError, StabbenchError
from stabbench.models.layout import Layout, ParameterInfo
from stabbench.models.loading import load_model
from stabbench.optim import global_scales
from stabbench.recipes import OPTIMIZERS, Subnetwork, parse_recipe
from stabbench.records.seeds import Seeds

SEEDS = [Seeds.of(0), Seeds.of(5)]


@pytest.fixture(scope="module")
def data() -> Inputs:
    return tensors(examples(40))


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, 8, 4, generator=generator), torch.randint(0, 4, (3, 8), generator=generator)


def test_label_smoothing_is_pytorchs_seed_by_seed() -> None:
    logits, labels = batch()
    for smoothing in (0.0, 0.1, 0.4):
        got = get_recipe("label-smoothing", smoothing=smoothing).loss(logits, labels, ())
        expected = [
            functional.cross_entropy(x, y, label_smoothing=smoothing) for x, y in zip(logits, labels, strict=True)
        ]
        torch.testing.assert_close(got, torch.stack(expected))


def test_label_smoothing_of_several_labels_moves_each_towards_one_half() -> None:
    logits, _ = batch()
    labels = (logits > 0.3).float()
    got = get_recipe("label-smoothing", smoothing=0.2).loss(logits, labels, ())
    targets = torch.where(labels == 1, 0.9, 0.1)
    expected = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none").mean((1, 2))
    torch.testing.assert_close(got, expected)


def test_a_regression_has_no_labels_to_smooth() -> None:
    with pytest.raises(RecipeError, match="a regression has no classes"):
        get_recipe("label-smoothing").loss(torch.zeros(1, 4, 1), torch.zeros(1, 4), ())


def test_r3fs_divergence_is_pytorchs_in_both_directions() -> None:
    logits, labels = batch()
    noisy = logits + 0.3 * torch.randn(logits.shape, generator=torch.Generator().manual_seed(1))
    got = get_recipe("r3f", consistency=0.5).loss(logits, labels, [noisy])
    for seed in range(3):
        p, q = noisy[seed].log_softmax(-1), logits[seed].log_softmax(-1)
        both = [functional.kl_div(a, b, reduction="sum", log_target=True) / 8 for a, b in ((p, q), (q, p))]
        expected = functional.cross_entropy(logits[seed], labels[seed]) + 0.5 * sum(both)
        torch.testing.assert_close(got[seed], expected)


def test_r3fs_divergence_of_several_labels_is_that_of_each_coin() -> None:
    logits, _ = batch()
    noisy, labels = logits + 0.3, (logits > 0).float()
    got = get_recipe("r3f").loss(logits, labels, [noisy]) - get_recipe("bias-correction").loss(logits, labels, ())
    coins = [torch.distributions.Bernoulli(logits=each) for each in (noisy, logits)]
    both = [torch.distributions.kl_divergence(one, other) for one, other in (coins, coins[::-1])]
    torch.testing.assert_close(got, sum(both).sum(-1).mean(1))


def test_r3f_without_noise_and_dropout_is_bias_correction(data: Inputs) -> None:
    """The second pass is then the first one again, and predictions equal to themselves."""
    plain = fit(resolved("bias-correction:epochs=1,dropout=0"), data, SEEDS)[1].losses
    assert torch.equal(fit(resolved("r3f:epochs=1,dropout=0,size=0"), data, SEEDS)[1].losses, plain)
    noisy = fit(resolved("r3f:epochs=1,dropout=0,size=1"), data, SEEDS)[1].losses
    assert (noisy[0] > plain[0]).all()


def adagc(norms: np.ndarray, warm: int, relative: float, beta: float) -> list[list[float]]:
    """Wang et al. 2025, Algorithm 1, one tensor at a time: the clipped norms of every step."""
    kept, least = [], [math.inf] * norms.shape[1]
    for t, step in enumerate(norms, start=1):
        if t <= warm:
            h = [min(1.0, 1.0 / (math.sqrt(sum(step**2)) + 1e-6))] * len(step)
            least = [min(g, n * f) for g, n, f in zip(least, step, h, strict=True)]
        else:
            h = [min(1.0, relative * g / (n + 1e-6)) for g, n in zip(least, step, strict=True)]
            least = [beta * g + (1 - beta) * n * f for g, n, f in zip(least, step, h, strict=True)]
        kept.append([n * f for n, f in zip(step, h, strict=True)])
    return kept


def test_adagc_clips_by_the_papers_algorithm() -> None:
    recipe = get_recipe("adagc", relative=1.2, beta=0.9, max_grad_norm=1.0, warmup=0.25)
    norms = np.abs(np.random.default_rng(0).normal(size=(20, 2, 3))) * 10.0 ** np.arange(-1, 2)
    memory, got = torch.zeros(2, 3, dtype=torch.float64), []
    for t, step in enumerate(norms, start=1):
        scales, memory = recipe.adaptive_scales(torch.tensor(step), memory, t, 20)
        got.append((torch.tensor(step) * scales).numpy())
    for seed in range(2):
        np.testing.assert_allclose([step[seed] for step in got], adagc(norms[:, seed], 5, 1.2, 0.9), rtol=1e-9)


def test_adagc_is_bias_correction_while_the_rate_warms_up(data: Inputs) -> None:
    plain, adaptive = (fit(resolved(f"{name}:epochs=2,warmup=0.5"), data, SEEDS)[1].losses
                       for name in ("bias-correction", "adagc"))  # fmt: skip
    assert torch.equal(plain[:4], adaptive[:4])
    assert not torch.equal(plain, adaptive)


def start_of(text: str, data: Inputs) -> dict[str, torch.Tensor]:
    """The weights after a step at rate 0: those that training starts from."""
    return weights(fit(resolved(text), data, SEEDS, max_steps=1)[0])


def test_noisytune_adds_even_noise_of_each_parameters_size_and_leaves_the_head(data: Inputs) -> None:
    plain, noisy = (start_of(f"{name}:epochs=4,warmup=0.5", data) for name in ("bias-correction", "noisytune"))
    table = "bert.embeddings.word_embeddings.weight"
    added = (noisy[table] - plain[table]) / plain[table][0].std()
    assert added.abs().max() <= 0.15 / 2 + 1e-6
    assert float(added.std()) == pytest.approx(0.15 / math.sqrt(12), rel=0.02)
    assert not torch.equal(noisy[table][0], noisy[table][1])
    for name in ("classifier.weight", "classifier.bias"):
        assert torch.equal(noisy[name], plain[name])
    without = start_of("noisytune:epochs=4,warmup=0.5,noise=0", data)
    assert all(torch.equal(without[name], value) for name, value in plain.items())


def test_child_tuning_f_drops_entries_and_keeps_the_mean() -> None:
    info, gradient = ParameterInfo("w", "weight", "block 0"), torch.ones(2, 40, 50)
    keep = (torch.rand(2, 40, 50, generator=torch.Generator().manual_seed(0)) < 0.25).float()
    asked: list[tuple[float, tuple[int, ...]]] = []

    def bernoulli(p: float, shape: tuple[int, ...]) -> torch.Tensor:
        asked.append((p, shape))
        return keep

    got = get_recipe("child-tuning", mode="F", reserve=0.25).gradient(info, gradient, bernoulli)
    assert torch.equal(got, keep / 0.25)
    assert asked == [(0.25, (40, 50))]
    assert get_recipe("child-tuning", mode="D").gradient(info, gradient, bernoulli) is gradient


def test_child_tuning_d_moves_the_child_network_and_everything_outside_the_blocks(data: Inputs) -> None:
    recipe = resolved("child-tuning:epochs=1,reserve=0.2,weight_decay=0,lr=1e-3")
    before = weights(StackedModel(load_model(LAB, 2, recipe.dropout)[0], len(SEEDS)))
    model, _, layout = fit(recipe, data, SEEDS)
    blocks = layout.names(part for part in layout.parts if part.startswith("block "))
    for seed in range(len(SEEDS)):
        moved = [
            (values[seed] != before[name][seed]).flatten()
            for name, values in model.parameters.items()
            if name in blocks
        ]
        assert float(torch.cat(moved).float().mean()) == pytest.approx(0.2, abs=0.01)
    assert not torch.equal(model.parameters["bert.pooler.dense.weight"], before["bert.pooler.dense.weight"])


def test_fisher_masks_are_of_the_largest_mean_squared_gradients(data: Inputs) -> None:
    """Against plain autograd on the pretrained model of one seed."""
    pretrained, layout = load_model(LAB, 2, 0.0)
    names = sorted(layout.names(["block 3"]))
    model = StackedModel(pretrained, 1)
    masks = fisher_masks(model, data, 16, Subnetwork(frozenset(names), 0.1))
    pretrained.eval()
    total = {name: torch.zeros_like(pretrained.get_parameter(name)) for name in names}
    for rows in torch.arange(40).tensor_split(3):
        given = {key: values[rows] for key, values in data.tokens.items()}
        loss = functional.cross_entropy(pretrained(**given).logits, data.labels[rows])
        gradients = torch.autograd.grad(loss, [pretrained.get_parameter(name) for name in names])
        for name, gradient in zip(names, gradients, strict=True):
            total[name] += gradient**2
    together = torch.cat([total[name].flatten() for name in names])
    least = together.sort(descending=True).values[round(0.1 * len(together)) - 1]
    wrong = sum(int((masks[name][0] != (total[name] >= least)).sum()) for name in names)
    assert wrong <= 4, "but for rounding at the very edge"


@given(st.integers(1, 400), st.floats(0, 0.99), st.integers(1, 20))
def test_swas_shares_make_the_plain_mean_of_every_so_manieth_value(total: int, start: float, every: int) -> None:
    recipe = get_recipe("swa", start=start, every=every)
    values = np.random.default_rng(0).normal(size=total)
    mean, chosen = values[-1], []
    for step in range(1, total + 1):
        if share := recipe.average(step, total):
            chosen.append(values[step - 1])
            mean = chosen[0] if len(chosen) == 1 else mean + share * (values[step - 1] - mean)
    first = max(1, min(round(start * total), total - 1))
    assert chosen == list(itertools.islice(values, first - 1, None, every))
    assert mean == pytest.approx(np.mean(chosen))


def test_swas_rate_falls_to_its_constant() -> None:
    recipe = get_recipe("swa", start=0.5, swa_lr=0.25, warmup=0.1)
    rates = [recipe.schedule(step, 100) for step in range(100)]
    assert rates[10] == 1.0
    assert rates[30] == pytest.approx(1 - 0.75 * 20 / 40)
    assert set(rates[50:]) == {0.25}


def test_ema_begins_as_a_mean_and_then_forgets() -> None:
    recipe = get_recipe("ema", decay=0.75)
    assert [recipe.average(step, 100) for step in (1, 2, 3, 4, 5, 90)] == [1.0, 0.5, 1 / 3, 0.25, 0.25, 0.25]


def layout(*, known: bool = True, biases: bool = True) -> Layout:
    parts = ("embeddings", *(f"block {i}" for i in range(4)), "pooler", "head")
    kinds = ("weight", "bias", "norm") if biases else ("weight", "norm")
    return Layout("bert", known, tuple(ParameterInfo(f"{p}.{k}", k, p, p == "head") for p in parts for k in kinds))  # type: ignore[arg-type]


def trained(recipe: Recipe, given: Layout) -> list[set[str]]:
    return [set(stage.trained) for stage in recipe.staging(given)]


def test_what_the_frozen_recipes_train() -> None:
    head, everything = {f"head.{k}" for k in ("weight", "bias", "norm")}, {p.name for p in layout().parameters}
    assert trained(get_recipe("linear-probe"), layout()) == [head]
    assert trained(get_recipe("bitfit"), layout()) == [head | {n for n in everything if n.endswith(".bias")}]
    upper = {n for n in everything if n.partition(".")[0] in ("block 2", "block 3", "pooler", "head")}
    assert trained(get_recipe("freeze-bottom"), layout()) == [upper]
    assert trained(get_recipe("freeze-bottom", blocks=4), layout()) == [{n for n in upper if not n.startswith("block")}]
    assert trained(get_recipe("lp-ft"), layout()) == [head, everything]


def test_what_cannot_be_frozen_is_refused() -> None:
    with pytest.raises(RecipeError, match="blocks=5, but the model has 4"):
        get_recipe("freeze-bottom", blocks=5).staging(layout())
    with pytest.raises(RecipeError, match="has no biases"):
        get_recipe("bitfit").staging(layout(biases=False))
    with pytest.raises(ModelError, match="are unknown"):
        get_recipe("freeze-bottom").staging(layout(known=False))
    with pytest.raises(ModelError, match="are unknown"):
        get_recipe("child-tuning").subnetwork(layout(known=False))


def test_lp_fts_first_stage_has_a_rate_of_its_own(data: Inputs) -> None:
    """Without warmup Adam's first step is the rate, in every entry."""
    recipe = resolved("lp-ft:epochs=1,warmup=0,lr=1e-5,weight_decay=0,eps=1e-30,max_grad_norm=0")
    steps: list[dict[str, torch.Tensor]] = []
    made = fit(recipe, data, SEEDS, on_step=lambda step, model: steps.append(weights(model)))[1]
    before = start_of("bias-correction:epochs=4,warmup=0.5", data)["classifier.weight"]
    assert len(steps) == 6
    head = [step["classifier.weight"] for step in steps]
    rate = 1e-5 * 16
    assert list(made.learning_rates[::3]) == pytest.approx([100 * rate, rate])
    assert float((head[0] - before).abs().max()) == pytest.approx(100 * rate, rel=1e-3)
    assert float((head[3] - head[2]).abs().max()) == pytest.approx(rate, rel=1e-2)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_is_a_parameter_of_every_recipe(name: str) -> None:
    recipe = parse_recipe(f"cwgnc:optimizer={name}")
    assert parse_recipe(recipe.label) == recipe
    assert ("optimizer" in recipe.parameters()) == (name != "adamw"), (
        "a run stored before there were others is the same"
    )


def test_an_open_rate_is_the_familys_times_the_optimizers() -> None:
    assert resolved("bias-correction").lr == 2e-5
    assert resolved("bias-correction:optimizer=lion").lr == pytest.approx(2e-5 * OPTIMIZERS["lion"].rate)
    assert resolved("bias-correction:optimizer=lion,lr=1e-6").lr == 1e-6
    assert (resolved("devlin:optimizer=lion").beta2, resolved("devlin:optimizer=radam").beta2) == (0.99, 0.999)


def test_what_was_added_is_part_of_a_runs_identity_where_it_changes_something() -> None:
    class Mine(Recipe):
        """Lion."""

        name = "mine"
        optimizer = "lion"

    assert Mine().parameters()["optimizer"] == "lion"
    assert Mine(optimizer="adamw").parameters()["optimizer"] == "adamw"
    assert Mine(**Mine(optimizer="adamw").parameters()) == Mine(optimizer="adamw")
    assert not {"optimizer", "accumulate"} & get_recipe("devlin").parameters().keys()
    assert get_recipe("devlin", accumulate=2).parameters()["accumulate"] == 2


def test_clipping_that_does_not_remember_is_gradient_scales() -> None:
    norms = torch.tensor([[3.0, 4.0]])
    recipe = get_recipe("devlin", max_grad_norm=1.0)
    scales, memory = recipe.adaptive_scales(norms, torch.zeros(1, 2), 1, 10)
    assert torch.equal(scales, global_scales(norms, 1.0))
    assert not memory.any()


def test_an_unknown_optimizer_is_refused_with_the_known_ones() -> None:
    with pytest.raises(StabbenchError, match=r"parameter optimizer must be .*'lion'"):
        parse_recipe("devlin:optimizer=adam")
