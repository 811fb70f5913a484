"""Placeholders in a command, ``{seed}``, ``{output}``, ``{name}`` and parameters, and the values of parameters.

``{{seed}}`` stands for the text ``{seed}``. Braces around anything but a name are left alone, as in JSON.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping

from stabbench.errors import excerpt, unknown
from stabbench.trainings.training import TrainingError

#: Of a parameter: what TOML and a command line can say alike.
Value = bool | int | float | str
OWN = ("seed", "output", "name")
_PLACE = re.compile(r"\{\{(\w+)\}\}|\{([A-Za-z_]\w*)\}")
_WHOLE = re.compile(r"[+-]?[0-9]{1,4000}")


def names_in(text: str) -> set[str]:
    """The placeholders of a text."""
    return {found[2] for found in _PLACE.finditer(text) if found[2]}


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with all of its placeholders replaced."""
    return _PLACE.sub(lambda found: values[found[2]] if found[2] else f"{{{found[1]}}}", text)


def check_known(where: str, text: str, parameters: Collection[str]) -> None:
    """Refuse a placeholder that nothing replaces.

    Raises:
        TrainingError: There is one.
    """
    for name in sorted(names_in(text)):
        if name not in (*OWN, *parameters):
            raise TrainingError(
                f"{where}: {unknown('placeholder', name, (*OWN, *parameters))}",
                f"to pass the text itself, write {{{{{name}}}}}",
            )


def as_text(value: Value) -> str:
    """A parameter's value as it is written on a command line: ``3e-5`` for Python's ``3e-05``."""
    if isinstance(value, bool):
        return str(value).lower()
    return re.sub(r"e([+-])0+", r"e\1", str(value)) if isinstance(value, float) else str(value)


def read_value(where: str, name: str, text: str, default: Value) -> Value:
    """A value of a command line, of its default's type.

    Raises:
        TrainingError: It is not.
    """
    read: Value | None = text
    if isinstance(default, bool):
        read = {"true": True, "false": False}.get(text.lower())
    elif isinstance(default, int):
        read = int(text) if _WHOLE.fullmatch(text) else None
    elif isinstance(default, float):
        try:
            read = float(text)
        except ValueError:
            read = None
    return value_like(where, name, text if read is None else read, default)


def value_like(where: str, name: str, value: object, default: Value) -> Value:
    """A value of its default's type, a whole number becoming a float where one is wanted.

    Raises:
        TrainingError: It is not.
    """
    if isinstance(default, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(default):
        kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
        raise TrainingError(f"{where}: parameter {name} must be {kinds[type(default)]}, got {excerpt(value)}")
    return checked_value(where, name, value)


def checked_value(where: str, name: str, value: object) -> Value:
    """A value that a label can hold.

    Raises:
        TrainingError: It is of another type, not finite, or a text that a label cannot hold.
    """
    if not isinstance(value, bool | int | float | str):
        raise TrainingError(f"{where}: parameter {name} must be a number, a text, true or false, got {excerpt(value)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise TrainingError(f"{where}: parameter {name} must be finite, got {value}")
    if isinstance(value, str) and ("," in value or value != value.strip() or "\0" in value):
        raise TrainingError(f"{where}: parameter {name} cannot be {excerpt(value)}", "no comma, no space at its ends")
    return value
