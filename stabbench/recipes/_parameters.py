"""The typed parameters of a recipe: declaring, reading from text, checking."""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal

from stabbench.errors import RecipeError, excerpt, unknown
from stabbench.records.seeds import LARGEST_SEED, MASK_VALUES, mask_can_drop

# The longest training: a year of steps of a large model.
MOST_STEPS = 10_000_000
# Beyond these a number is a mistake, found before it costs memory or days. By name, so that they also hold where a
# recipe declares the parameter anew.
MOST: Mapping[str, float] = {
    "epochs": 1_000_000,
    "steps": MOST_STEPS,
    "batch_size": 1_000_000,
    "max_length": 1_000_000,
    "evaluations": 10_000,
}
_INTEGER = r"-?[0-9]+"
_NUMBER = r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|nan|-?inf"
# Of an integer: Python reads no more than 4300.
_MOST_DIGITS = 4000
# Probabilities with which a mask drops. What a recipe of one's own calls so and gives another range is something else.
MASKED = ("dropout", "p")


def parameter(
    default: Any,
    doc: str,
    *,
    least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    added: bool = False,
) -> Any:
    """Declare a recipe's parameter: a default, a line of explanation and its range.

    Args:
        default: The default value.
        doc: One line, shown by ``stabbench list recipes --verbose``.
        least: The smallest value allowed.
        above: The value must be larger than this.
        below: The value must be smaller than this.
        added: Of a parameter of every recipe that runs were stored without: where it has its default, which leaves
            all as it was, it is no part of a run's identity.
    """
    limits = {"least": least, "above": above, "below": below}
    return dataclasses.field(default=default, metadata={"doc": doc, **limits, "added": added})


def parameter_types(recipe: type) -> dict[str, Any]:
    """The declared type of every parameter of a recipe class."""
    hints = typing.get_type_hints(recipe)
    return {spec.name: hints[spec.name] for spec in dataclasses.fields(recipe)}


def parse_parameter(recipe: type, recipe_name: str, name: str, text: str) -> Any:
    """Read one ``name=text`` of a command line as the parameter's declared type.

    Text that is not of that type stays text, for :func:`check_parameter` to refuse.

    Raises:
        RecipeError: No such parameter.
    """
    declared = parameter_types(recipe)
    if name not in declared:
        raise RecipeError(unknown(f"parameter of recipe {recipe_name!r}:", name, declared))
    return _read(text, _alternatives(declared[name]))


def _read(text: str, choices: tuple[Any, ...]) -> Any:
    words: dict[str, Any] = {"true": True, "false": False} if bool in choices else {}
    if type(None) in choices:
        words["none"] = None
    if text.lower() in words:
        return words[text.lower()]
    # Python reads more: `1_0`, digits of other scripts, spaces.
    if int in choices and re.fullmatch(_INTEGER, text) and len(text) < _MOST_DIGITS:
        return int(text)
    if float in choices and re.fullmatch(_NUMBER, text):
        return float(text)
    return text


def check_parameter(recipe_name: str, name: str, value: Any, hint: Any, limits: Mapping[str, Any]) -> Any:
    """``value`` as the declared type, an int becoming a float where a float is wanted.

    Raises:
        RecipeError: Another type, or out of range.
    """
    if isinstance(value, int) and abs(value) > LARGEST_SEED:  # no float, and no store, holds it
        raise RecipeError(f"recipe {recipe_name!r}: parameter {name} is out of range, got {excerpt(value)}")
    value = _as_declared(recipe_name, name, value, hint)
    if isinstance(value, int | float) and not isinstance(value, bool):
        _check_range(recipe_name, name, value, limits)
        if name in MOST and value > MOST[name]:
            raise RecipeError(f"recipe {recipe_name!r}: parameter {name} is {MOST[name]:,} at most, got {value:g}")
        probability = limits.get("least") == 0 and limits.get("below") == 1
        if name in MASKED and probability and not mask_can_drop(value):
            raise RecipeError(
                f"recipe {recipe_name!r}: parameter {name} is finer than masks, "
                f"which drop in steps of 1/{MASK_VALUES}, got {value!r}",
                f"give 0, or a value from {1 / MASK_VALUES:.2g} to {1 - 1 / MASK_VALUES:.6f}",
            )
    return value


def _alternatives(hint: Any) -> tuple[Any, ...]:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return typing.get_args(hint)
    return (hint,)


def _as_declared(recipe_name: str, name: str, value: Any, hint: Any) -> Any:
    choices = _alternatives(hint)
    for choice in choices:
        if typing.get_origin(choice) is Literal:
            if any(type(value) is type(known) and value == known for known in typing.get_args(choice)):
                return value
        elif choice is float and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value) + 0.0  # -0.0 becomes 0.0, which it equals
        elif type(value) is choice and not (choice is str and _reads_otherwise(value, choices)):
            return value
    wanted = " or ".join(_type_name(choice) for choice in choices)
    raise RecipeError(f"recipe {recipe_name!r}: parameter {name} must be {wanted}, got {excerpt(value)}")


def _reads_otherwise(text: str, choices: tuple[Any, ...]) -> bool:
    """Whether a text, written in a label, is not read as that text."""
    read = _read(text, choices)
    return not isinstance(read, str) or not text or "," in text or text != text.strip()


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
        finite = [] if math.isfinite(value) else ["finite"]
        bounds = [*finite, *(f"{word} {limit:g}" for word, limit in _bounds(least, above, below))]
        raise RecipeError(f"recipe {recipe_name!r}: parameter {name} must be {' and '.join(bounds)}, got {value:g}")


def _bounds(least: float | None, above: float | None, below: float | None) -> list[tuple[str, float]]:
    named = (("at least", least), ("above", above), ("below", below))
    return [(word, limit) for word, limit in named if limit is not None]
