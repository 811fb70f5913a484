"""One spelling, one identity: texts that mean the same give the same run, and what Python alone reads is refused."""

from __future__ import annotations

import json
import math

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stabbench.cli.runs import run
from stabbench.cli.types import WholeNumber
from stabbench.errors import StabbenchError
from stabbench.models.families import defaults_of
from stabbench.recipes import Recipe, get_recipe, parse_recipe
from stabbench.records.seeds import Seeds, parse_seeds
from stabbench.runner.fingerprint import environment_of, fingerprint
from stabbench.tasks.registry import canonical_name, load_task

CPU, TASK = environment_of("cpu"), load_task("lab/entailment")


def run_id(recipe: Recipe) -> str:
    return fingerprint(recipe.resolved(defaults_of("bert"), 12), TASK, "digest", 1.0, CPU, None).run_id(Seeds.of(0))


def spelled(value: float) -> st.SearchStrategy[str]:
    """Ways to write a number."""
    ways = [repr(value), f"{value:.20e}", f"{value:.20E}", f"0{value!r}", f"{value:e}", f"{value:g}", f"{value:.3f}"]
    return st.sampled_from(
        [*ways, *([str(int(value)), f"{int(value)}.", f"-{value!r}"] if value == int(value) else [])]
    )


NUMBERS = st.sampled_from([0.0, 1.0, 3.0, 0.5, 1e-5, 2e-5, 0.1, 1e-300, 1e22, 128.0]) | st.floats(0, 1000)
ANYTHING = st.text("0123456789+-_.eE \t٣naifoNtrue:,=x/", max_size=12)
VALUES = NUMBERS.flatmap(spelled) | ANYTHING
PARAMETERS = st.sampled_from(["lr", "epochs", "weight_decay", "max_grad_norm", "batch_size", "bias_correction", "keep"])
TEXTS = st.lists(st.tuples(PARAMETERS, VALUES).map("=".join) | ANYTHING, max_size=2).map(
    lambda items: ":".join(["devlin", *([",".join(items)] if items else [])])
)


def parsed(text: str) -> Recipe | None:
    try:
        return parse_recipe(text)
    except StabbenchError:
        return None


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=2, max_size=12))
def test_texts_that_mean_the_same_are_one_run_and_a_label_gives_the_recipe_back(texts: list[str]) -> None:
    recipes = [recipe for text in texts if (recipe := parsed(text)) is not None]
    for one in recipes:
        again = parse_recipe(one.label)
        assert (again, again.label, run_id(again)) == (one, one.label, run_id(one))
        for other in recipes:
            if one == other:
                assert (one.label, run_id(one)) == (other.label, run_id(other))
                assert json.dumps(one.parameters()) == json.dumps(other.parameters())


@given(st.text(max_size=20) | st.sampled_from(["none", "NONE", "a,b", " a", "lab/paraphrase"]))
def test_a_text_as_a_parameter_is_read_back_from_the_label_or_refused(task: str) -> None:
    try:
        recipe = get_recipe("intermediate-task", task=task)
    except StabbenchError:
        return
    assert parse_recipe(recipe.label) == recipe


@pytest.mark.parametrize(
    "text",
    [
        "devlin:batch_size=1_0",
        "devlin:epochs=1_0",
        "devlin:epochs=٣",
        "devlin:batch_size=٣",
        "devlin:batch_size=+2",
        "devlin:batch_size= 2",
        "devlin:epochs=3 ",
        "devlin:epochs=1e400",
        "devlin:epochs=",
        "devlin:",
        "devlin:,,,",
        "devlin:lr=1e-5,",
        "devlin:lr=1e-5,,epochs=3",
        "devlin:lr=1e-5,lr=1e-5",
        "intermediate-task:task=",
    ],
)
def test_what_has_no_one_meaning_is_refused(text: str) -> None:
    with pytest.raises(StabbenchError):
        parse_recipe(text)


def test_minus_zero_is_zero_also_from_a_program() -> None:
    for recipe in (parse_recipe("devlin:weight_decay=-0.0"), get_recipe("devlin", weight_decay=-0.0)):
        assert recipe.label == "devlin:weight_decay=0"
        assert math.copysign(1, recipe.parameters()["weight_decay"]) == 1


def test_a_task_in_a_parameter_has_one_spelling_too() -> None:
    one, other = (parse_recipe(f"intermediate-task:task=lab/paraphrase:examples={n}") for n in ("064", "64"))
    assert one == other
    assert one.label == other.label


@given(st.integers(1, 10**9), st.integers(0, 3), st.booleans(), st.booleans())
def test_variants_of_a_task_have_one_name(number: int, zeros: int, split: bool, turned: bool) -> None:
    options = [f"examples={'0' * zeros}{number}", *(["split=zhang2021"] if split else [])]
    written = ",".join(reversed(options) if turned else options)
    assert canonical_name(f"lab/entailment:{written}") == canonical_name(
        f"lab/entailment:examples={number}{',split=zhang2021' if split else ''}"
    )


@pytest.mark.parametrize("value", ["1_0", "٣", "+2", " 2", "2,", "-0", ""])
def test_variants_refuse_what_python_alone_reads(value: str) -> None:
    with pytest.raises(StabbenchError):
        canonical_name(f"lab/entailment:examples={value}")


@pytest.mark.parametrize("value", ["1_0", "٣", "+2", "1_0,2", "3,,7", "3,,,", ""])
def test_seeds_refuse_what_python_alone_reads(value: str) -> None:
    with pytest.raises(StabbenchError):
        parse_seeds(value)


@pytest.mark.parametrize("value", ["1_0", "٣", "+2", " 2", ""])
def test_options_refuse_what_python_alone_reads(value: str) -> None:
    with pytest.raises(click.BadParameter, match="is no whole number"):
        WholeNumber().convert(value, None, None)


def test_every_whole_number_of_a_plan_is_read_so() -> None:
    options = {option.name: option.type for option in run.params}
    for name in ("order_seed", "initialisation_seed", "dropout_seed", "max_steps", "stack", "workers"):
        assert isinstance(options[name], WholeNumber)
