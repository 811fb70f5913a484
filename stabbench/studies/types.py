"""The types of a study's fields, checked for TOML files, Python files and programs alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stabbench.errors import StudyError, excerpt

TEXTS = ("name", "title", "source", "finding", "view", "texts", "published")
LISTS = ("recipes", "tasks", "variants", "models")


def check_types(study: Mapping[str, Any]) -> None:
    """Check the fields of a study, by name.

    Raises:
        StudyError: A field has another type than :class:`stabbench.studies.study.Study` declares.
    """
    for field in TEXTS:
        _check(study, field, isinstance(study[field], str), "a text")
    for field in LISTS:
        value = study[field]
        _check(study, field, _is_list(value) and len(value) > 0 and _texts(value), "a list of at least one text")
    _check(study, "settings", _is_list(study["settings"]), "a list of settings")
    panels, x, seeds = study["panels"], study["x"], study["seeds"]
    _check(study, "panels", _is_list(panels) and _texts(panels), "a list of texts")
    _check(study, "x", x is None or isinstance(x, str), "a text")
    _check(study, "crossed", isinstance(study["crossed"], bool), "true or false")
    whole = isinstance(seeds, int) and not isinstance(seeds, bool)
    _check(study, "seeds", whole or (_is_list(seeds) and len(seeds) > 0), "a number or a list of numbers")
    for field in ("parameters", "grid"):
        value = study[field]
        _check(study, field, isinstance(value, Mapping) and _texts(value), "a table of parameters")
    for name, values in study["grid"].items():
        _check(study, f"grid parameter {name}", _is_list(values) and len(values) > 0, "a list of values")


def _check(study: Mapping[str, Any], field: str, right: bool, wanted: str) -> None:
    if not right:
        raise StudyError(f"study {excerpt(study['name'])}: {field} must be {wanted}, got {excerpt(study.get(field))}")


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _texts(values: Any) -> bool:
    return all(isinstance(value, str) for value in values)
