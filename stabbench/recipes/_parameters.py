"""The typed parameters of a recipe: declaring, reading from text, checking."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal

from stabbench.errors import RecipeError, unknown


def parameter(
    default: Any, doc: str, *, least: float | None = None, above: float | None = None, below: float | None = None
) -> Any:
    """Declare a recipe's parameter: a default, a line of explanation and its range.

    Args:
        default: The default value.
        doc: One line, shown by ``stabbench list recipes --verbose``.
        least: The smallest value allowed.
        above: The value must be larger than this.
        below: The value must be smaller than this.
    """
    return dataclasses.field(default=default, metadata={"doc": doc, "least": least, "above": above, "below": below})


def parameter_types(recipe: type) -> dict[str, Any]:
    """The declared type of every parameter of a recipe class."""
    hints = typing.get_type_hints(recipe)
    return {spec.name: hints[spec.name] for spec in dataclasses.fields(recipe)}


def parse_parameter(recipe: type, recipe_name: str, name: str, text: str) -> Any:
    """Read one ``name=text`` of a command line as the parameter's declared type.

    Text that is not of that type is passed on as it is, for :func:`check_parameter` to refuse.

    Raises:
        RecipeError: No such parameter.
    """
    declared = parameter_types(recipe)
    if name not in declared:
        raise RecipeError(unknown(f"parameter of recipe {recipe_name!r}:", name, declared))
    choices = _alternatives(declared[name])
    words: dict[str, Any] = {"true": True, "false": False} if bool in choices else {}
    if type(None) in choices:
        words["none"] = None
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        if kind in choices:
            try:
                return kind(text)
            except ValueError:
                continue
    return text


def check_parameter(recipe_name: str, name: str, value: Any, hint: Any, limits: Mapping[str, Any]) -> Any:
    """``value`` as the declared type, an int becoming a float where a float is wanted.

    Raises:
        RecipeError: Another type, or out of range.
    """
    value = _as_declared(recipe_name, name, value, hint)
    if isinstance(value, int | float) and not isinstance(value, bool):
        _check_range(recipe_name, name, value, limits)
    return value


def _alternatives(hint: Any) -> tuple[Any, ...]:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return typing.get_args(hint)
    return (hint,)


def _as_declared(recipe_name: str, name: str, value: Any, hint: Any) -> Any:
    choices = _alternatives(hint)
    for choice in choices:
        if typing.get_origin(choice) is Literal:
            if value in typing.get_args(choice):
                return value
        elif choice is float and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        elif type(value) is choice:
            return value
    wanted = " or ".join(_type_name(choice) for choice in choices)
    raise RecipeError(f"recipe {recipe_name!r}: parameter {name} must be {wanted}, got {value!r}")


def _type_name(hint: Any) -> str:
    if typing.get_origin(hint) is Literal:
        return " or ".join(map(repr, typing.get_args(hint)))
    return {"NoneType": "none", "bool": "true or false"}.get(hint.__name__, str(hint.__name__))


def _check_range(recipe_name: str, name: str, value: float, limits: Mapping[str, Any]) -> None:
    least, above, below = (limits.get(key) for key in ("least", "above", "below"))
    wrong = (
        not math.isfinite(value)
        or (least is not None and value < least)
        or (above is not None and value <= above)
        or (below is not None and value >= below)
    )
    if wrong:
        bounds = [f"{word} {limit:g}" for word, limit in _bounds(least, above, below)]
        raise RecipeError(
            f"recipe {recipe_name!r}: parameter {name} must be {' and '.join(bounds) or 'finite'}, got {value:g}"
        )


def _bounds(least: float | None, above: float | None, below: float | None) -> list[tuple[str, float]]:
    named = (("at least", least), ("above", above), ("below", below))
    return [(word, limit) for word, limit in named if limit is not None]
