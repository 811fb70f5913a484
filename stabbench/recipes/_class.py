"""Whether everything that a recipe class defines has an effect: a method that nothing calls would be ignored."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import types
from collections.abc import Iterable, Iterator
from typing import Any

from stabbench.code.users_code import is_users
from stabbench.errors import RecipeError
from stabbench.recipes._base import Recipe

# Each hook with the number of its arguments besides the recipe.
HOOKS = {
    "resolved": 2, "total_steps": 1, "schedule": 2, "fresh": 1, "groups": 1, "staging": 1, "intermediate": 1,
    "start_noise": 1, "subnetwork": 1, "make_optimizer": 1, "gradient_scales": 1, "adaptive_scales": 4,
    "forward_weight": 3, "further_passes": 0, "loss": 3, "gradient": 3, "average": 2,
}  # fmt: skip
# What the same is called elsewhere, as in transformers' TrainingArguments.
ELSEWHERE = {
    "learning_rate": "lr", "num_train_epochs": "epochs", "num_epochs": "epochs", "max_steps": "steps",
    "per_device_train_batch_size": "batch_size", "train_batch_size": "batch_size", "max_seq_length": "max_length",
    "warmup_ratio": "warmup", "adam_beta1": "beta1", "adam_beta2": "beta2", "adam_epsilon": "eps", "epsilon": "eps",
    "lr_scheduler": "schedule", "scheduler": "schedule", "get_lr": "schedule", "optim": "optimizer",
    "configure_optimizers": "make_optimizer", "create_optimizer": "make_optimizer", "param_groups": "groups",
    "clip": "gradient_scales", "clip_gradients": "gradient_scales", "freeze": "staging", "init_weights": "fresh",
    "gradient_accumulation_steps": "accumulate", "accumulation_steps": "accumulate", "compute_loss": "loss",
    "criterion": "loss", "loss_fn": "loss", "ema": "average", "num_steps": "total_steps",
}  # fmt: skip
# A method that calls one of these may read every parameter.
_READ_ALL = {"parameters", "asdict", "astuple", "fields", "vars", "__dict__"}


def check_class(recipe: type[Recipe]) -> None:
    """Refuse a class with a member that does nothing, or with a hook that cannot be called.

    Members of the package's own classes are what they should be. A name that begins with an underscore is the class's
    own affair, and so is what is declared as ``ClassVar``.

    Raises:
        RecipeError: A public method or attribute that is no hook and no parameter and that no hook uses; a hook of
            another signature; or something in the place of what a run is known by.
    """
    members = {name: value for cls in reversed(_own(recipe)) for name, value in vars(cls).items()}
    used = _used(recipe, members)
    class_variables = {name for cls in _own(recipe) for name, hint in inspect.get_annotations(cls).items()
                       if "ClassVar" in str(hint)}  # fmt: skip
    parameters = {spec.name for spec in dataclasses.fields(recipe)}
    inherited = {spec.name for spec in dataclasses.fields(Recipe)}
    for name, value in members.items():
        where = f"recipe {recipe.name!r} ({recipe.__qualname__}): {name}"
        if name in inherited and _is_method(value):
            raise RecipeError(f"{where} is a parameter, and no hook: {_advice(f'make_{name}', HOOKS)}", _FREE)
        if name.startswith("_") or name in ("name", "paper") or name in inherited:
            continue
        if name in HOOKS:
            _check_signature(where, value, HOOKS[name])
        elif name in vars(Recipe):
            raise RecipeError(f"{where} cannot be overridden: it is part of what a run is known by")
        elif name in used or (name in class_variables and not _is_method(value)):
            continue
        elif name in parameters:
            raise RecipeError(f"{where} is a parameter that no hook reads: {_advice(name, inherited)}", _FREE)
        elif _is_method(value):
            raise RecipeError(f"{where} is no hook, and no hook calls it: {_advice(name, HOOKS)}", _FREE)
        else:
            raise RecipeError(f"{where} is no parameter, and no hook reads it: {_advice(name, inherited)}", _FREE)


_FREE = "it would have no effect; what is for your own use begins with an underscore"


def _own(recipe: type[Recipe]) -> list[type]:
    """The classes that users wrote, the most derived first."""
    return [cls for cls in recipe.__mro__ if cls is not object and is_users(cls)]


def _advice(name: str, known: Iterable[str]) -> str:
    """The nearest name of the kind, then of any kind, or all."""
    everything = [*known, *(spec.name for spec in dataclasses.fields(Recipe)), *HOOKS]
    near = [ELSEWHERE[name]] if name in ELSEWHERE else difflib.get_close_matches(name, everything, n=1, cutoff=0.7)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"


def _is_method(value: object) -> bool:
    return next(_functions(value), None) is not None or callable(value)


def _functions(value: Any) -> Iterator[types.FunctionType]:
    """The Python functions behind a member of a class: of a method, a property, a partial, a wrapper."""
    if isinstance(value, types.FunctionType):
        yield value
        if hasattr(value, "__wrapped__"):
            yield from _functions(value.__wrapped__)
    elif isinstance(value, property):
        for part in (value.fget, value.fset):
            yield from _functions(part)
    else:
        for inner in ("__func__", "func", "__wrapped__"):  # static and class methods; partials, cached properties
            if inner in dir(value) and not isinstance(value, type):
                yield from _functions(getattr(value, inner))


def _used(recipe: type[Recipe], members: dict[str, Any]) -> set[str]:
    """Every name that the hooks mention, and the private methods, and whatever they call in turn."""
    # Not all of `__…__`: the dataclass's own mention every parameter.
    roots = {name for name in members if name.startswith("_") and not name.startswith("__")} | {"__post_init__", *HOOKS}
    todo = [function for name in roots & members.keys() for function in _functions(members[name])]
    used: set[str] = set()
    seen: set[types.FunctionType] = set()
    while todo:
        function = todo.pop()
        if function in seen:
            continue
        seen.add(function)
        for name in _names(function.__code__) - used:
            used.add(name)
            # A method of the class, or a helper of its module.
            called = members.get(name, function.__globals__.get(name))
            todo += [f for f in _functions(called) if not f.__module__.startswith(("stabbench.", "torch."))]
    return used | {spec.name for spec in dataclasses.fields(recipe)} if used & _READ_ALL else used


def _names(code: types.CodeType) -> set[str]:
    """Names and texts that are names (``getattr(self, "clip")``), inner functions' too."""
    names = {*code.co_names}
    todo: list[Any] = list(code.co_consts)
    while todo:
        constant = todo.pop()
        if isinstance(constant, types.CodeType):
            names |= _names(constant)
        elif isinstance(constant, tuple | frozenset):
            todo += constant
        elif isinstance(constant, str):
            names.add(constant)
    return names


def _check_signature(where: str, value: Any, arguments: int) -> None:
    if isinstance(value, property) or not _is_method(value):
        raise RecipeError(f"{where} is a hook, so it must be a method")
    if inspect.iscoroutinefunction(value) or inspect.isgeneratorfunction(value):
        raise RecipeError(f"{where} must return its answer, not yield or await it")
    bound = isinstance(value, types.FunctionType | classmethod)  # takes the recipe, or its class, first
    function = value.__func__ if isinstance(value, staticmethod | classmethod) else value
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # made in C: called to find out
        return
    try:
        signature.bind(*[None] * (arguments + bound))
    except TypeError:
        expected = list(inspect.signature(getattr(Recipe, where.rpartition(" ")[2])).parameters)
        raise RecipeError(
            f"{where}{signature} cannot be called with {arguments} argument{'s' * (arguments > 1)}",
            f"write: def {where.rpartition(' ')[2]}({', '.join(expected)})",
        ) from None
