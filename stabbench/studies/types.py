"""The types of a study's fields, checked alike for TOML files, Python files and programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stabbench.errors import StudyError

if TYPE_CHECKING:
    from stabbench.studies.study import Study

TEXTS = ("name", "title", "source", "finding", "view", "published")
LISTS = ("recipes", "tasks", "variants", "models")


def check_types(study: Study) -> None:
    """Raise :class:`StudyError` at the first field of another type than declared."""
    for field in TEXTS:
        _check(study, field, isinstance(getattr(study, field), str), "a text")
    for field in LISTS:
        value = getattr(study, field)
        _check(study, field, _is_list(value) and len(value) > 0 and _texts(value), "a list of at least one text")
    _check(study, "panels", _is_list(study.panels) and _texts(study.panels), "a list of texts")
    _check(study, "x", study.x is None or isinstance(study.x, str), "a text")
    _check(study, "crossed", isinstance(study.crossed, bool), "true or false")
    seeds: Any = study.seeds
    whole = isinstance(seeds, int) and not isinstance(seeds, bool)
    _check(study, "seeds", whole or (_is_list(seeds) and len(seeds) > 0), "a number or a list of numbers")
    for field in ("parameters", "grid"):
        value = getattr(study, field)
        _check(study, field, isinstance(value, Mapping) and _texts(value), "a table of parameters")
    for name, values in study.grid.items():
        _check(study, f"grid parameter {name}", _is_list(values) and len(values) > 0, "a list of values")


def _check(study: Study, field: str, holds: bool, wanted: str) -> None:
    if not holds:
        raise StudyError(f"study {study.name!r}: {field} must be {wanted}, got {getattr(study, field, None)!r}")


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _texts(values: Any) -> bool:
    return all(isinstance(value, str) for value in values)
