"""Finding recipes by name: the built-in ones, those of installed packages, and those of ``--plugin`` modules.

A package offers its recipes through the entry-point group ``stabbench.recipes``::

    [project.entry-points."stabbench.recipes"]
    cautious = "my_package.recipes:Cautious"
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from stabbench.code.users_code import ProgramEndError, users_code
from stabbench.errors import RecipeError, excerpt, unknown
from stabbench.recipes._base import Recipe
from stabbench.recipes._built_in import BUILT_IN
from stabbench.recipes._class import check_class
from stabbench.recipes._parameters import parse_parameter
from stabbench.recipes._unknown import unknown_recipe

ENTRY_POINT_GROUP = "stabbench.recipes"

_from_plugins: dict[str, type[Recipe]] = {}


@cache
def _installed() -> dict[str, type[Recipe]]:
    """The built-in recipes, and those of every installed package."""
    found: dict[str, type[Recipe]] = {}
    for file, cls in BUILT_IN.values():
        module = importlib.import_module(f"stabbench.recipes.{file}")
        _add(found, getattr(module, cls), f"{module.__name__}:{cls}")
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda e: e.name):
        try:
            with users_code():
                offered = entry.load()
        except Exception as error:
            raise RecipeError(
                f"the installed recipe {entry.name!r} ({entry.value}) cannot be loaded: {error}",
                "repair or uninstall the package that provides it",
            ) from error
        _add(found, offered, entry.value)
    return found


def _add(recipes: dict[str, type[Recipe]], cls: Any, origin: str) -> None:
    if not (isinstance(cls, type) and issubclass(cls, Recipe)):
        raise RecipeError(f"{origin} is not a subclass of stabbench.Recipe")
    if not cls.name:
        raise RecipeError(f"the recipe class {origin} has no name", 'give it one: name = "my-recipe"')
    check_class(cls)
    other = recipes.get(cls.name)
    if other is not None and other is not cls:
        raise RecipeError(
            f"two recipes are named {cls.name!r}: {other.__module__}.{other.__qualname__} and {origin}",
            "rename one of them",
        )
    recipes[cls.name] = cls


def _all() -> dict[str, type[Recipe]]:
    return {**_installed(), **_from_plugins}


def load_plugin(module: str) -> list[str]:
    """Import a module (by name, or a ``.py`` file by path) and register every recipe class that it defines.

    Its tasks and metrics are known by the import alone.

    Returns:
        The names of its recipes.

    Raises:
        RecipeError: It cannot be imported, defines nothing, or one whose name is taken.
    """
    from stabbench.tasks.given import tasks_of  # numpy behind them is not for `stabbench --help`
    from stabbench.tasks.metrics import metrics_of

    if "" not in sys.path and os.getcwd() not in sys.path:
        # As with `python -m`: a module beside you is found, also by an installed command.
        sys.path.append(os.getcwd())
    try:
        with users_code():
            loaded = load_file(Path(module)) if module.endswith(".py") else importlib.import_module(module)
    except ProgramEndError as error:
        raise RecipeError(
            f"plugin {module!r} cannot be imported: {error}",
            'what a script does must be guarded: if __name__ == "__main__":',
        ) from error
    except Exception as error:
        raise RecipeError(
            f"plugin {module!r} cannot be imported: {type(error).__name__}: {error}",
            "give an importable module's name or the path of a .py file",
        ) from error
    classes = [
        value
        for value in vars(loaded).values()
        if isinstance(value, type) and issubclass(value, Recipe) and value.__module__ == loaded.__name__
    ]
    # A class without a name that others build on is their common base, not a recipe.
    classes = [cls for cls in classes if cls.name or not any(cls in other.__mro__[1:] for other in classes)]
    if not classes and not metrics_of(loaded.__name__) and not tasks_of(loaded.__name__):
        raise RecipeError(
            f"plugin {module!r} defines no recipe, task or metric",
            "define a subclass of stabbench.Recipe in it, or a function with @stabbench.task or @stabbench.metric",
        )
    for cls in classes:
        known = _all()
        _add(known, cls, f"{module}:{cls.__qualname__}")
        _from_plugins[cls.name] = cls
    return [cls.name for cls in classes]


def load_file(path: Path) -> ModuleType:
    """Import a ``.py`` file by its path; the same file is one module, however often it is named."""
    path = path.resolve()
    # Importable again under this name in this process.
    name = f"stabbench_plugin_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def recipe_names() -> list[str]:
    """Names of all known recipes, sorted."""
    return sorted(_all())


def recipe_class(name: str) -> type[Recipe]:
    """The recipe class of that name.

    Raises:
        RecipeError: No such recipe.
    """
    recipes = _all()
    if name not in recipes:
        raise unknown_recipe(name, recipes)
    return recipes[name]


def get_recipe(name: str, **parameters: object) -> Recipe:
    """A recipe by name, with some parameters set: ``get_recipe("devlin", lr=3e-5)``.

    Raises:
        RecipeError: An unknown recipe or parameter, or a parameter out of range.
    """
    return _made(recipe_class(name), {}, parameters)


def vary(recipe: Recipe, parameters: Mapping[str, Any]) -> Recipe:
    """``recipe`` with some parameters set anew.

    Raises:
        RecipeError: As :func:`get_recipe`.
    """
    return _made(type(recipe), recipe.parameters(), parameters)


def _made(cls: type[Recipe], before: Mapping[str, Any], asked: Mapping[str, Any]) -> Recipe:
    known = cls.__dataclass_fields__
    for parameter in asked:
        if parameter not in known:
            raise RecipeError(unknown(f"parameter of recipe {cls.name!r}:", parameter, known))
    recipe = cls(**{**before, **asked})
    if "epochs" in asked and recipe.steps is not None:
        raise RecipeError(
            f"recipe {cls.name!r}: epochs has no effect with steps={recipe.steps}", "give steps, or steps=none as well"
        )
    return recipe


def parse_recipe(text: str) -> Recipe:
    """A recipe as written on a command line: ``devlin`` or ``devlin:lr=3e-5,epochs=10``.

    Raises:
        RecipeError: As :func:`get_recipe`, or text of another form.
    """
    name, colon, listed = text.partition(":")
    cls = recipe_class(name)
    parameters: dict[str, Any] = {}
    for item in listed.split(",") if colon else ():
        key, equals, value = item.partition("=")
        if not equals:
            raise RecipeError(
                f"in {excerpt(text)}: {excerpt(item)} is not parameter=value", f"write {name}:lr=3e-5,epochs=10"
            )
        if key in parameters:
            raise RecipeError(f"in {excerpt(text)}: parameter {excerpt(key)} is given twice")
        parameters[key] = parse_parameter(cls, name, key, value)
    return get_recipe(name, **parameters)
