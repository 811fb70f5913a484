"""What the recipes are: their parameters as in the papers, and what they do to a model of known structure."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stabbench import Recipe, StabbenchError, get_recipe, parameter
from stabbench.models.families import Defaults, defaults_of
from stabbench.models.layout import Layout, ParameterInfo
from stabbench.optim import clip_component_norms_


def layout(depth: int, known: bool = True) -> Layout:
    parts = ["embeddings", *(f"block {i}" for i in range(depth)), "pooler", "head"]
    return Layout(
        "bert", known, tuple(ParameterInfo(f"{p}.{k}", k, p) for p in parts for k in ("weight", "bias", "norm"))
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("devlin", {"bias_correction": False, "epochs": 3}),
        ("bias-correction", {"bias_correction": True, "epochs": 3}),
        ("mosbach", {"bias_correction": True, "epochs": 20}),
        ("mixout", {"bias_correction": False, "epochs": 3, "dropout": 0.0}),
        ("reinit", {"bias_correction": True, "epochs": 3}),
        ("cwgnc", {"bias_correction": True, "epochs": 5, "clip": 0.05}),
        ("longer", {"bias_correction": True, "steps": 800}),
        ("llrd", {"bias_correction": True, "epochs": 3, "lr_decay": 0.95}),
        ("weight-decay", {"bias_correction": True, "epochs": 3, "weight_decay": 0.1}),
        ("pretrained-weight-decay", {"bias_correction": True, "epochs": 3, "weight_decay": 0.1}),
        ("intermediate-task", {"bias_correction": True, "epochs": 3}),
        ("gradual-unfreezing", {"bias_correction": True, "epochs": 3, "stages": 24}),
        ("gradual-unfreezing-restart", {"bias_correction": True, "epochs": 3, "stages": 24}),
    ],
)
def test_the_recipes_are_the_papers(name: str, expected: dict[str, object]) -> None:
    shared = {"lr": 2e-5, "batch_size": 16, "max_length": 128, "warmup": 0.1, "beta1": 0.9, "eps": 1e-6}
    got = get_recipe(name).resolved(defaults_of("bert"), 24).parameters()
    assert {key: got[key] for key in {**shared, **expected}} == {**shared, **expected}


@pytest.mark.parametrize(
    ("family", "defaults"),
    [
        ("bert", Defaults(2e-5, 0.999, 0.01, 1.0, None)),
        ("roberta", Defaults(2e-5, 0.98, 0.1, 0.0, None)),
        ("albert", Defaults(2e-5, 0.999, 0.0, 1.0, 0.0)),
        ("never-heard-of", Defaults(2e-5, 0.999, 0.01, 1.0, None)),
    ],
)
def test_family_defaults_fill_what_the_user_left_open(family: str, defaults: Defaults) -> None:
    assert defaults_of(family) == defaults
    recipe = get_recipe("devlin", weight_decay=0.5).resolved(defaults_of(family))
    assert recipe.weight_decay == 0.5
    assert (recipe.lr, recipe.beta2, recipe.max_grad_norm, recipe.dropout) == (
        defaults.lr,
        defaults.beta2,
        defaults.max_grad_norm,
        defaults.dropout,
    )


def test_an_unresolved_recipe_says_so_instead_of_guessing() -> None:
    with pytest.raises(StabbenchError, match="family"):
        get_recipe("devlin").groups(layout(2))


def test_no_decay_on_biases_and_norms() -> None:
    decayed, others = get_recipe("devlin").resolved(Defaults()).groups(layout(1))
    assert decayed.weight_decay == 0.01
    assert all(name.endswith("weight") for name in decayed.names)
    assert others.weight_decay == 0.0
    assert not any(name.endswith("weight") for name in others.names)


@pytest.mark.parametrize(
    ("size", "epochs", "steps"), [(2490, 3, 468), (2490, 20, 3120), (16, 1, 1), (17, 1, 2), (5, 0.1, 1)]
)
def test_steps_count_whole_epochs_with_their_last_short_batch(size: int, epochs: float, steps: int) -> None:
    assert get_recipe("devlin", epochs=epochs).total_steps(size) == steps


@pytest.mark.parametrize(
    ("depth", "blocks", "expected"),
    [(24, None, range(19, 24)), (12, None, range(10, 12)), (2, None, range(1, 2)), (6, 3, range(3, 6)), (6, 0, ())],
)
def test_reinit_takes_the_head_the_pooler_and_the_top_blocks(depth: int, blocks: int | None, expected: range) -> None:
    fresh = get_recipe("reinit", blocks=blocks).fresh(layout(depth))
    assert fresh == layout(depth).names(["head", "pooler", *(f"block {i}" for i in expected)])


def test_reinit_refuses_more_blocks_than_there_are_and_families_it_does_not_know() -> None:
    with pytest.raises(StabbenchError, match="the model has 4"):
        get_recipe("reinit", blocks=5).fresh(layout(4))
    with pytest.raises(StabbenchError, match="blocks"):
        get_recipe("reinit").fresh(layout(4, known=False))


@pytest.mark.parametrize("per", ["neuron", "parameter"])
def test_mixout_in_the_engine_is_the_public_function_seed_by_seed(per: str) -> None:
    recipe = get_recipe("mixout", p=0.6, per=per)
    weight, pretrained = torch.randn(2, 4, 3), torch.randn(1, 4, 3)
    masks: list[torch.Tensor] = []

    def bernoulli(probability: float, shape: tuple[int, ...]) -> torch.Tensor:
        assert probability == pytest.approx(0.4)
        masks.append(torch.empty(2, *shape).bernoulli_(probability))
        return masks[-1]

    mixed = recipe.forward_weight(weight, pretrained, bernoulli)
    assert masks[0].shape == ((2, 4, 3) if per == "parameter" else (2, 1, 3))
    expected = ((1 - masks[0]) * pretrained + masks[0] * weight - 0.6 * pretrained) / 0.4
    torch.testing.assert_close(mixed, expected)


@given(st.floats(0, 1, exclude_max=True) | st.integers(1, 1100).map(lambda n: 2.0**-n) | st.floats(0.9999, 0.999999))
@pytest.mark.parametrize(("recipe", "name"), [("mixout", "p"), ("devlin", "dropout")])
def test_a_probability_is_refused_where_a_mask_would_keep_or_drop_everything(recipe: str, name: str, p: float) -> None:
    share = round((1 - p) * 65536)
    if p == 0 or 0 < share < 65536:
        assert getattr(get_recipe(recipe, **{name: p}), name) == p
        return
    with pytest.raises(StabbenchError, match=f"parameter {name} is finer than masks"):
        get_recipe(recipe, **{name: p})


def test_the_bounds_that_a_refused_probability_is_told_are_accepted() -> None:
    with pytest.raises(StabbenchError) as caught:
        get_recipe("mixout", p=1e-9)
    assert caught.value.hint is not None
    low, high = (float(word) for word in caught.value.hint.split() if word[0].isdigit() and "." in word)
    assert [get_recipe("mixout", p=p).parameters()["p"] for p in (low, high)] == [low, high]


def test_a_parameter_of_ones_own_with_another_range_is_no_probability_of_a_mask() -> None:
    class Power(Recipe):
        """A norm's power."""

        name = "power"
        p: float = parameter(1.0, "power of the norm", least=0)

    assert Power(p=1e-9).p == 1e-9


def test_cwgnc_scales_as_the_public_function_clips() -> None:
    gradients = [torch.randn(5) * size for size in (1e-3, 0.1, 10.0)]
    parameters = [torch.nn.Parameter(torch.zeros(5)) for _ in gradients]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = g.clone()
    norms = clip_component_norms_(parameters, 0.05)
    scales = get_recipe("cwgnc", max_grad_norm=0).gradient_scales(norms.unsqueeze(0))[0]
    for p, g, scale in zip(parameters, gradients, scales, strict=True):
        torch.testing.assert_close(p.grad, g * scale)


def test_a_subclass_overrides_a_default_with_a_plain_assignment_and_keeps_its_range() -> None:
    class Mine(Recipe):
        """Mine."""

        name = "mine"
        lr = 5e-5
        weight_decay = 0.2
        strength: float = parameter(1.0, "of something", least=0)

    class Stronger(Mine):
        """Stronger."""

        name = "stronger"
        strength = 2.0

    assert (Mine().lr, Mine().weight_decay, Mine().epochs) == (5e-5, 0.2, 3.0)
    assert (Stronger().lr, Stronger().strength) == (5e-5, 2.0)
    assert Stronger().label == "stronger"
    assert Mine(strength=3).label == "mine:strength=3"
    for wrong in ({"strength": -1.0}, {"lr": -1.0}):
        with pytest.raises(StabbenchError, match="must be"):
            Stronger(**wrong)
    with pytest.raises(AttributeError):
        Mine().lr = 1.0  # type: ignore[misc]
