"""Loads a study: a shipped one by name, or a user's own from a TOML or Python file.

A TOML file has the fields of :class:`stabbench.studies.study.Study`, and the files that it names are relative to it; a
Python file assigns one to the name ``study``.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

from stabbench._system.toml import read_toml
from stabbench.code.users_code import in_short, users_code
from stabbench.errors import StabbenchError, StudyError, unknown
from stabbench.recipes import load_file
from stabbench.runner.methods import is_training_file
from stabbench.studies.study import Study
from stabbench.tasks.registry import task_file

SHIPPED = Path(__file__).parent / "shipped"


def study_names() -> list[str]:
    """Names of the shipped studies, in the papers' order."""
    return sorted((path.stem for path in SHIPPED.glob("*.toml")), key=_natural)


def _natural(name: str) -> list[str | int]:
    """Figure 10 comes after figure 9."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def load_study(name: str) -> Study:
    """A study by its name, or from a ``.toml`` or ``.py`` file.

    Raises:
        StudyError: An unknown study, or a file without a valid one.
        RecipeError: The study names an unknown recipe or parameter.
    """
    if name.endswith(".toml"):
        return _from_toml(Path(name))
    if name.endswith(".py"):
        return _from_python(Path(name))
    if name not in study_names():
        raise StudyError(unknown("study", name, study_names()))
    return _from_toml(SHIPPED / f"{name}.toml")


def _from_toml(path: Path) -> Study:
    try:
        content = read_toml(path)
    except (OSError, ValueError) as error:
        raise StudyError(f"study {path}: cannot be read: {error}") from error
    known = [spec.name for spec in dataclasses.fields(Study)]
    for key in content:
        if key not in known:
            raise StudyError(unknown(f"field of study {path}:", key, known))
    content.setdefault("name", path.stem)
    missing = [key for key in ("title", "recipes") if key not in content]
    if missing:
        raise StudyError(f"study {path}: no {' and no '.join(missing)}", "a study needs a title and a list of recipes")
    for key, is_file in (("tasks", task_file), ("recipes", is_training_file)):
        if isinstance(content.get(key), list):
            content[key] = [_beside(path, name, is_file) for name in content[key]]
    if isinstance(content.get("texts"), str) and content["texts"]:
        content["texts"] = str(path.parent / content["texts"])
    return Study(**content)


def _beside(path: Path, name: object, is_file: Callable[[str], object]) -> object:
    """A file that a study names, as it is seen from here: it is named as seen from the study's own."""
    return str(path.parent / name) if isinstance(name, str) and is_file(name) else name


def _from_python(path: Path) -> Study:
    try:
        with users_code():
            module = load_file(path)
    except StabbenchError:
        raise
    except Exception as error:  # a user's file may raise anything
        raise StudyError(f"study {path}: cannot be imported: {in_short(error)}") from error
    study = getattr(module, "study", None)
    if not isinstance(study, Study):
        raise StudyError(f"study {path}: it defines no study", "write in it: study = stabbench.Study(name=…, …)")
    return study
