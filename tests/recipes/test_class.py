"""A recipe does what it says: what would have no effect in a class is refused, with the name that was meant."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, ClassVar

import pytest

import stabbench
from stabbench import Recipe, check_recipe
from stabbench.errors import RecipeError
from stabbench.recipes import check_class, parameter, recipe_class, recipe_names
from stabbench.records.seeds import Seeds
from stabbench.runner.plan import Plan


def made(**members: Any) -> type[Recipe]:
    cls = type("Mine", (Recipe,), {"__doc__": "Mine.", "name": "mine", **members})
    assert issubclass(cls, Recipe)
    return cls


@pytest.mark.parametrize("name", recipe_names())
def test_the_built_in_recipes_pass(name: str) -> None:
    check_class(recipe_class(name))


@pytest.mark.parametrize(
    ("member", "value", "meant"),
    [
        ("gradient_scale", lambda self, norms: norms, "gradient_scales"),
        ("forward_weights", lambda self, weight, pretrained, bernoulli: weight, "forward_weight"),
        ("shedule", lambda self, step, total: 1.0, "schedule"),
        ("configure_optimizers", lambda self: None, "make_optimizer"),
        ("learning_rate", 1e-5, "lr"),
        ("num_train_epochs", 5, "epochs"),
        ("bias_corection", True, "bias_correction"),
        ("weigth_decay", 0.1, "weight_decay"),
        ("precison", "bf16", "precision"),
        ("batchsize", None, "batch_size"),
        ("schedules", property(lambda self: 3), "schedule"),
        ("total_step", staticmethod(lambda size: 3), "total_steps"),
        ("stagings", classmethod(lambda cls: 3), "staging"),
        ("fresh_", functools.partial(lambda self, layout: 3, None), "fresh"),
        ("group", functools.cached_property(lambda self: 3), "groups"),
    ],
)
def test_what_would_be_ignored_is_refused_with_the_nearest_name(member: str, value: object, meant: str) -> None:
    with pytest.raises(RecipeError, match=f"{member} is no .*did you mean '{meant}'"):
        check_class(made(**{member: value}))


def test_where_no_name_is_near_the_hooks_are_listed() -> None:
    with pytest.raises(RecipeError, match=r"penalty is no hook, and no hook calls it: there are: .*gradient_scales"):
        check_class(made(penalty=lambda self, logits, labels: 0.0))


def test_a_parameter_of_its_own_that_no_hook_reads_is_refused() -> None:
    class Declared(Recipe):
        """It looks like a learning rate."""

        name = "declared"
        learning_rate: float = parameter(1e-5, "has no effect")

    with pytest.raises(RecipeError, match="learning_rate is a parameter that no hook reads: did you mean 'lr'"):
        check_class(Declared)


@pytest.mark.parametrize(
    ("hook", "value", "message"),
    [
        ("schedule", lambda self, step: 1.0, "cannot be called with 2 arguments"),
        ("schedule", lambda step, total: 1.0, "write: def schedule"),
        ("fresh", lambda self, layout, *, more: 1, "cannot be called with 1 argument"),
        ("schedule", 0.5, "must be a method"),
        ("total_steps", property(lambda self: 3), "must be a method"),
        ("label", property(lambda self: "other"), "part of what a run is known by"),
        ("parameters", lambda self: {}, "part of what a run is known by"),
    ],
)
def test_a_hook_that_cannot_be_called_is_refused(hook: str, value: object, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        check_class(made(**{hook: value}))


def test_a_generator_is_no_list_of_groups() -> None:
    def groups(self: Recipe, layout: object) -> Any:
        yield layout

    with pytest.raises(RecipeError, match="must return its answer"):
        check_class(made(groups=groups))


def _helped(recipe: Any) -> float:
    """A module's function through which a hook may go."""
    return float(recipe.by_module)


class Mixed:
    """Not a recipe itself."""

    def from_mixin(self) -> float:
        return 1.0


class Whole(Mixed, Recipe):
    """Every way to be used."""

    name = "whole"
    authors: ClassVar[str] = "declared as no parameter"
    _memo = "private"
    clip: float = parameter(1.0, "read by name", above=0)
    extra: float = parameter(1.0, "read by a private method", above=0)
    kinds = ("read by a property",)

    def schedule(self, *place: int) -> float:
        return self.called(*place) * getattr(self, "clip") * _helped(self) * len(self.shown)  # noqa: B009

    def called(self, step: int, total: int) -> float:
        return (lambda: self.from_mixin() + self.further(step))() / total

    @staticmethod
    def further(step: int) -> float:
        return float(step)

    @property
    def by_module(self) -> float:
        return self._private()

    @functools.cached_property
    def shown(self) -> tuple[str, ...]:
        return self.kinds

    def _private(self) -> float:
        return self.extra


def test_what_a_hook_uses_is_free_however_it_gets_there() -> None:
    check_class(Whole)


def test_a_method_that_only_an_unused_method_calls_is_refused() -> None:
    with pytest.raises(RecipeError, match="is no hook, and no hook calls it"):
        check_class(made(first=lambda self: self.second(), second=lambda self: self.first()))


def test_a_class_between_counts_and_so_does_a_subclass_that_uses_it() -> None:
    base = made(helper=lambda self: 1.0, name="")
    with pytest.raises(RecipeError, match="helper"):
        check_class(type("Unused", (base,), {"name": "unused"}))
    check_class(type("Uses", (base,), {"name": "uses", "schedule": lambda self, step, total: self.helper()}))


def test_it_is_refused_wherever_a_recipe_comes_in(tmp_path: Path) -> None:
    """By a plugin, in a program, and in the check of the contract."""
    plugin = tmp_path / "ignored.py"
    plugin.write_text(
        'from stabbench import Recipe\nclass Ignored(Recipe):\n    """Ignored."""\n    name = "ignored"\n'
        "    def optimizer(self):\n        pass\n"
    )
    with pytest.raises(RecipeError, match="did you mean 'make_optimizer'"):
        stabbench.load_plugin(str(plugin))
    recipe = made(gradient_scale=lambda self, norms: norms)()
    with pytest.raises(AssertionError, match="did you mean 'gradient_scales'"):
        check_recipe(recipe)
    for wrong, message in ((recipe, "did you mean"), (3, "3 is no recipe"), (Recipe, "is no recipe")):
        with pytest.raises(RecipeError, match=message):
            Plan(recipes=[wrong], task="lab/entailment", model="lab", seeds=[Seeds.of(0)])  # type: ignore[list-item]


def test_a_method_in_the_place_of_a_parameter_is_refused_with_the_hook() -> None:
    with pytest.raises(RecipeError, match=r"optimizer is a parameter, and no hook: did you mean 'make_optimizer'\?"):
        check_class(made(optimizer=lambda self, groups: None))
