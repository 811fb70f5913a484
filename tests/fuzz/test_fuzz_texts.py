"""Texts of a command line or a program: recipes, tasks, seeds."""

from __future__ import annotations

import math

from fuzz.harness import fuzz, nasty_texts, odd_values, refused_or_sane, spoilt_text
from hypothesis import strategies as st

import stabbench
from stabbench.recipes import get_recipe, parse_recipe, planned_steps, recipe_names
from stabbench.records.seeds import seed_list
from stabbench.tasks.registry import canonical_name

RECIPES = [
    "devlin", "mosbach:lr=3e-5,epochs=10", "mixout:p=0.5", "reinit:blocks=2", "cwgnc:threshold=0.05",
    "longer:steps=400",    "devlin:precision=bf16,keep=best,evaluations=5", "llrd:lr_decay=0.9",
    "devlin:bias_correction=true,beta2=none",
]  # fmt: skip
TASKS = [
    "lab/entailment",
    "glue/rte:examples=100,split=zhang2021",
    "lab/inference:examples=64,iterations=full",
    "glue/mrpc",
]


def parameter_texts() -> st.SearchStrategy[str]:
    names = [
        "lr",
        "epochs",
        "steps",
        "batch_size",
        "beta1",
        "eps",
        "warmup",
        "bias_correction",
        "evaluations",
        "keep",
        "x",
    ]
    value = st.one_of(nasty_texts, st.floats().map(repr), st.integers().map(str))
    return st.builds(
        lambda recipe, items: f"{recipe}:{','.join(f'{name}={value}' for name, value in items)}",
        st.sampled_from(["devlin", "mixout", "longer"]),
        st.lists(st.tuples(st.sampled_from(names), value), min_size=1, max_size=3),
    )


@fuzz(0.1, text=st.one_of(st.sampled_from(RECIPES).flatmap(spoilt_text), parameter_texts()))
def test_recipes(text: str) -> None:
    with refused_or_sane():
        recipe = parse_recipe(text)
        assert recipe.name in recipe_names()
        for name, value in recipe.parameters().items():
            assert not isinstance(value, float) or math.isfinite(value), name
        again = parse_recipe(recipe.label)
        assert again == recipe, "its label says another recipe"
        assert again.label == recipe.label
        assert str(again.parameters()) == str(recipe.parameters()), "-0.0 is 0"
        assert planned_steps(recipe, 1000, None) >= 1


@fuzz(
    0.03,
    name=st.sampled_from(["lr", "epochs", "steps", "evaluations", "keep", "bias_correction", "nonsense"]),
    value=odd_values,
)
def test_recipes_of_programs(name: str, value: object) -> None:
    with refused_or_sane():
        recipe = get_recipe("devlin", **{name: value})
        assert parse_recipe(recipe.label) == recipe


@fuzz(0.05, text=st.sampled_from(TASKS).flatmap(spoilt_text))
def test_tasks(text: str) -> None:
    with refused_or_sane():
        name = canonical_name(text)
        assert canonical_name(name) == name


@fuzz(0.03, seeds=st.one_of(odd_values, st.lists(odd_values, max_size=3)))
def test_seeds_of_programs(seeds: object) -> None:
    with refused_or_sane():
        found = seed_list(seeds)  # type: ignore[arg-type]
        assert all(isinstance(s, stabbench.Seeds) and type(s.seed) is int for s in found)
