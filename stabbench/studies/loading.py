"""Finding a study: a shipped one by name, or one of a user's in a TOML or Python file.

A TOML file has the fields of :class:`stabbench.studies.study.Study`; a Python file makes one and calls it ``study``.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path

from stabbench.errors import StabbenchError, StudyError, unknown
from stabbench.recipes import load_file
from stabbench.studies.study import Study

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
        StudyError: No such study, or a file that holds none.
        RecipeError: It names a recipe or a parameter that does not exist.
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
        content = tomllib.loads(path.read_text(encoding="utf-8"))
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
    return Study(**content)


def _from_python(path: Path) -> Study:
    try:
        module = load_file(path)
    except StabbenchError:
        raise
    except (Exception, SystemExit) as error:  # a user's file may raise anything
        raise StudyError(f"study {path}: cannot be imported: {type(error).__name__}: {error}") from error
    study = getattr(module, "study", None)
    if not isinstance(study, Study):
        raise StudyError(f"study {path}: it defines no study", "write in it: study = stabbench.Study(name=…, …)")
    return study
