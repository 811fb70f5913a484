"""Every registered recipe through the same properties, and broken ones caught."""

from pathlib import Path

import pytest

import stabbench
from stabbench import Recipe, check_recipe, get_recipe, recipe_names
from stabbench.recipes import Stage


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_holds_to_the_contract(name: str) -> None:
    check_recipe(get_recipe(name))


def test_other_parameters_hold_to_it_too() -> None:
    check_recipe(get_recipe("mixout", p=0.3, per="parameter", bias_correction=True, epochs=2.5, lr=3.123456789e-5))


def broken(**members: object) -> Recipe:
    cls = type("Broken", (Recipe,), {"__doc__": "Broken on purpose.", "name": "broken", **members})
    made = cls()
    assert isinstance(made, Recipe)
    return made


class Counting:
    """A hook that remembers: what a recipe must not do."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, step: int, total_steps: int) -> float:
        self.calls += 1
        return 1.0 / self.calls


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"name": "Not A Name"}, "lower case"),
        ({"__doc__": ""}, "docstring"),
        ({"schedule": lambda self, step, total: -1.0}, "schedule"),
        ({"schedule": lambda self, step, total: 0.0}, "0 all the time"),
        ({"total_steps": lambda self, size: 0}, "total_steps"),
        ({"gradient_scales": lambda self, norms: norms[:1]}, "shape"),
        ({"gradient_scales": lambda self, norms: 1 / norms}, "not finite"),
        ({"gradient_scales": lambda self, norms: (norms / norms.max()).clamp(0, 1)}, "another's"),
        ({"groups": lambda self, layout: []}, "exactly once"),
        ({"fresh": lambda self, layout: frozenset({"nowhere"})}, "does not have"),
        ({"staging": lambda self, layout: []}, "a stage trains nothing"),
        ({"staging": lambda self, layout: [Stage(frozenset())]}, "a stage trains nothing"),
        ({"staging": lambda self, layout: [Stage(frozenset({"nowhere"}))]}, "does not have"),
        ({"steps": 7, "staging": lambda self, layout: [Stage(layout.names(["head"]))] * 2}, "7 steps cannot be cut"),
    ],
)
def test_a_recipe_that_breaks_the_contract_is_named_with_the_reason(members: dict[str, object], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_recipe(broken(**members))


def test_a_recipe_whose_training_depends_on_earlier_ones_is_caught() -> None:
    counting = Counting()
    with pytest.raises(AssertionError, match="another answer to the same arguments"):
        check_recipe(broken(schedule=lambda self, step, total: counting(step, total)))


def test_a_users_recipe_of_a_few_lines_passes(tmp_path: Path) -> None:
    plugin = tmp_path / "my_recipes.py"
    plugin.write_text(
        "from stabbench import Recipe\n\n"
        "class Cautious(Recipe):\n"
        '    """Half the learning rate."""\n'
        '    name = "cautious-test"\n'
        "    lr = 1e-5\n"
        "    bias_correction = True\n"
    )
    assert stabbench.load_plugin(str(plugin)) == ["cautious-test"]
    recipe = get_recipe("cautious-test")
    assert (recipe.lr, recipe.bias_correction, recipe.epochs) == (1e-5, True, 3.0)
    check_recipe(recipe)
