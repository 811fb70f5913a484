"""The methods against their definitions, on a model of three blocks: groups, stages, steps, what is trained first."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stabbench import Recipe, Seeds, get_recipe, recipe_names
from stabbench.errors import ModelError, RecipeError
from stabbench.models.families import Defaults, defaults_of
from stabbench.models.layout import Layout, ParameterInfo
from stabbench.recipes import ParameterGroup, check_fit, parse_recipe

PARTS = ("embeddings", "block 0", "block 1", "block 2", "pooler", "head")
KINDS = ("weight", "bias", "norm")


def layout(depth: int = 3, *, known: bool = True, missing: tuple[str, ...] = ("head",)) -> Layout:
    """A weight, a bias and a norm in every part."""
    parts = ("embeddings", *(f"block {i}" for i in range(depth)), "pooler", "head")
    return Layout(
        "bert" if known else "never-heard-of",
        known,
        tuple(ParameterInfo(f"{p}.{k}", k, p, p in missing) for p in parts for k in KINDS),
    )


def made(name: str, depth: int | None = 3, **parameters: object) -> Recipe:
    return get_recipe(name, **parameters).resolved(defaults_of("bert"), depth)


def group_of(groups: list[ParameterGroup]) -> dict[str, ParameterGroup]:
    assert max(Counter(name for group in groups for name in group.names).values()) == 1
    return {name: group for group in groups for name in group.names}


def test_llrd_learns_less_the_lower_a_block_stands() -> None:
    groups = group_of(made("llrd", lr_decay=0.5).groups(layout()))
    factors = {"head": 1, "pooler": 1, "block 2": 0.5, "block 1": 0.25, "block 0": 0.125, "embeddings": 0.0625}
    assert {n: g.lr_factor for n, g in groups.items()} == {f"{p}.{k}": factors[p] for p in PARTS for k in KINDS}


def test_llrd_decays_weights_as_before_and_no_bias_or_norm() -> None:
    groups = group_of(made("llrd").groups(layout()))
    assert {n: g.weight_decay for n, g in groups.items()} == {
        f"{p}.{k}": 0.01 if k == "weight" else 0.0 for p in PARTS for k in KINDS
    }
    assert not any(g.to_pretrained for g in groups.values())


def test_llrd_takes_the_familys_factor_unless_it_is_given() -> None:
    family = Defaults(lr_decay=0.8)
    for recipe, factor in ((get_recipe("llrd"), 0.8), (get_recipe("llrd", lr_decay=0.9), 0.9)):
        groups = group_of(recipe.resolved(family).groups(layout()))
        assert groups["block 2.weight"].lr_factor == factor
        assert groups["embeddings.bias"].lr_factor == pytest.approx(factor**4)
    with pytest.raises(RecipeError, match="lr_decay is the model family's"):
        get_recipe("llrd", weight_decay=0.0).groups(layout())


@pytest.mark.parametrize(
    ("missing", "pulled"),
    [(("head",), PARTS[:-1]), (("head", "pooler"), PARTS[:-2]), ((), PARTS[:-1])],
    ids=["head missing", "pooler missing too", "a head in the checkpoint, drawn anew"],
)
def test_pretrained_weight_decay_pulls_what_was_pretrained(missing: tuple[str, ...], pulled: tuple[str, ...]) -> None:
    groups = group_of(made("pretrained-weight-decay", weight_decay=0.3).groups(layout(missing=missing)))
    assert {n: (g.weight_decay, g.to_pretrained) for n, g in groups.items()} == {
        f"{p}.{k}": (0.3 if k == "weight" else 0.0, p in pulled) for p in PARTS for k in KINDS
    }


def test_weight_decay_is_its_own_whatever_the_familys() -> None:
    for family in ("bert", "roberta", "albert"):
        groups = group_of(get_recipe("weight-decay").resolved(defaults_of(family)).groups(layout()))
        assert {n: g.weight_decay for n, g in groups.items()} == {
            f"{p}.{k}": 0.1 if k == "weight" else 0.0 for p in PARTS for k in KINDS
        }


@given(st.integers(1, 10**6), st.integers(1, 5000))
def test_longer_makes_its_updates_whatever_the_size_of_the_training_set(size: int, steps: int) -> None:
    assert get_recipe("longer").total_steps(size) == 800
    assert get_recipe("longer", steps=steps).total_steps(size) == steps
    assert get_recipe("devlin", steps=steps).total_steps(size) == steps


@pytest.mark.parametrize("text", ["longer:epochs=7", "devlin:steps=10,epochs=7"])
def test_epochs_beside_steps_are_refused(text: str) -> None:
    with pytest.raises(RecipeError, match="epochs has no effect with steps="):
        parse_recipe(text)
    assert parse_recipe(f"{text.partition(':')[0]}:steps=none,epochs=7").total_steps(16) == 7


def test_longer_without_steps_counts_epochs() -> None:
    assert get_recipe("longer", steps=None).total_steps(2490) == 468


BY_HAND = {
    3: [("block 2",), ("block 1", "block 2"), PARTS],
    2: [("block 1", "block 2"), PARTS],
    1: [PARTS],
}


@pytest.mark.parametrize("stages", [1, 2, 3])
@pytest.mark.parametrize("name", ["gradual-unfreezing", "gradual-unfreezing-restart"])
def test_the_stages_unfreeze_from_the_top(name: str, stages: int) -> None:
    found = made(name, stages=stages).staging(layout())
    expected = [layout().names({*blocks, "pooler", "head"}) for blocks in BY_HAND[stages]]
    assert [stage.trained for stage in found] == expected
    assert {stage.restart for stage in found} == {name.endswith("restart")}


@given(st.integers(1, 30), st.integers(1, 30))
def test_every_stage_trains_more_than_the_one_before_and_the_last_everything(depth: int, stages: int) -> None:
    recipe = made("gradual-unfreezing", depth, stages=min(depth, stages))
    found = [stage.trained for stage in recipe.staging(layout(depth))]
    assert len(found) == min(depth, stages)
    assert all(before < after for before, after in pairwise(found))
    assert found[-1] == {p.name for p in layout(depth).parameters}
    assert not any(layout(depth).names(["embeddings"]) & trained for trained in found[:-1])


def test_there_is_a_stage_for_each_block_and_as_many_epochs_in_each() -> None:
    recipe = made("gradual-unfreezing")
    assert len(recipe.staging(layout())) == 3
    # 2490 examples are 156 batches of 16.
    assert recipe.total_steps(2490) == 3 * 3 * 156
    assert made("gradual-unfreezing", stages=2, epochs=1).total_steps(2490) == 2 * 156
    assert made("gradual-unfreezing", stages=2, steps=50).total_steps(2490) == 2 * 50
    assert made("gradual-unfreezing", 24).total_steps(16) == 24 * 3


def test_more_stages_than_blocks_are_refused() -> None:
    recipe = made("gradual-unfreezing", stages=4)
    with pytest.raises(RecipeError, match="'gradual-unfreezing': 4 stages, but the model has 3 blocks"):
        check_fit(recipe, layout(), recipe.total_steps(100))


def test_an_unknown_number_of_blocks_is_refused_unless_the_stages_are_given() -> None:
    with pytest.raises(RecipeError, match="does not say how many it has") as caught:
        made("gradual-unfreezing", None)
    assert "stages=" in caught.value.hint
    assert made("gradual-unfreezing", None, stages=2).parameters()["stages"] == 2


@pytest.mark.parametrize(
    ("target", "first"),
    [
        ("glue/rte", "glue/mnli"),
        ("glue/rte:examples=1000,split=zhang2021", "glue/mnli"),
        ("lab/entailment", "lab/inference"),
        ("lab/similarity:split=zhang2021", "lab/inference"),
    ],
)
def test_the_intermediate_task_is_mnli_or_its_mirror(target: str, first: str) -> None:
    before = get_recipe("intermediate-task").intermediate(target)
    assert before is not None
    assert (before.task, before.seeds, before.recipe) == (first, Seeds.of(0), get_recipe("bias-correction"))


def test_another_intermediate_task_and_seed_can_be_chosen() -> None:
    before = get_recipe("intermediate-task", task="glue/qnli", intermediate_seed=7, lr=1e-4).intermediate("glue/rte")
    assert before is not None
    assert (before.task, before.seeds, before.recipe) == ("glue/qnli", Seeds.of(7), get_recipe("bias-correction"))


@pytest.mark.parametrize(
    ("chosen", "target"),
    [
        (None, "glue/mnli"),
        (None, "glue/mnli:examples=1000"),
        (None, "lab/inference"),
        ("glue/rte", "glue/rte:split=zhang2021"),
        ("glue/rte:examples=100", "glue/rte"),
    ],
)
def test_the_task_itself_is_no_intermediate_task(chosen: str | None, target: str) -> None:
    with pytest.raises(RecipeError, match="is the task itself") as caught:
        get_recipe("intermediate-task", task=chosen).intermediate(target)
    assert "intermediate-task:task=" in caught.value.hint


def test_the_other_recipes_train_nothing_before() -> None:
    assert [n for n in recipe_names() if get_recipe(n).intermediate("lab/entailment")] == ["intermediate-task"]


STRUCTURED = {
    "reinit", "llrd", "gradual-unfreezing", "gradual-unfreezing-restart", "child-tuning", "freeze-bottom",
}  # fmt: skip


@pytest.mark.parametrize("name", recipe_names())
def test_recipes_that_need_blocks_refuse_an_unknown_family_by_name_and_the_others_fit(name: str) -> None:
    given = {"stages": 3} if name.startswith("gradual") else {}
    recipe = made(name, None, **given)
    unknown = layout(known=False)
    if name in STRUCTURED:
        with pytest.raises(ModelError, match=f"recipe '{name}' needs to know .* 'never-heard-of' are unknown"):
            check_fit(recipe, unknown, recipe.total_steps(100))
    else:
        check_fit(recipe, unknown, recipe.total_steps(100))
