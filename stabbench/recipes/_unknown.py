"""What an unknown recipe may be: a script, or a recipe of a file whose ``--plugin`` is missing.

Files are read as text, and never imported: a message must not run anybody's code.
"""

from __future__ import annotations

import ast
import shlex
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from stabbench.errors import RecipeError, excerpt, unknown

# Of the current folder. A message must not take long.
MOST_FILES = 200
MOST_BYTES = 200_000


def unknown_recipe(name: str, known: Iterable[str]) -> RecipeError:
    """The error for a name that no recipe has, with what to do about it."""
    if name.endswith(".py"):
        return _script(name)
    for path in _python_files(Path()):
        if name in _recipes_of(path, name):
            return RecipeError(
                f"unknown recipe {excerpt(name)}: {path.name} in this folder defines it, but is not loaded",
                f"add the option --plugin {shlex.quote(path.name)} (pytest: --stability-plugin; in Python: "
                f'stabbench.load_plugin("{path.name}"), or the recipe itself in place of its name)',
            )
    return RecipeError(unknown("recipe", name, known), "see: stabbench list recipes")


def _script(name: str) -> RecipeError:
    path = Path(name)
    if recipes := _recipes_of(path):
        return RecipeError(
            f"{excerpt(name)} names a file; a recipe is given by its name, and this file defines {', '.join(recipes)}",
            f"write {recipes[0]} in its place, and add --plugin {shlex.quote(name)}",
        )
    return RecipeError(
        f"{excerpt(name)} names a file; a recipe is given by its name, such as devlin, and stabbench trains by itself: "
        "it runs no training script",
        "write what your script does differently as a recipe, a subclass of stabbench.Recipe with a name in a .py file "
        'of its own; give that with --plugin, and the name as the recipe (see "Your own recipe" in the README)',
    )


def _python_files(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder.glob("*.py"))[:MOST_FILES]
    except OSError:  # a folder that is gone, or cannot be read
        return


def _recipes_of(path: Path, wanted: str = "") -> list[str]:
    """Names of the recipes that a file defines, as far as its text tells; of a file without ``wanted`` in it, none."""
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return []
        text = path.read_bytes()
        if wanted.encode(errors="replace") not in text:  # parsing takes time
            return []
        with warnings.catch_warnings(action="ignore"):  # what Python thinks of the file's style
            classes = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []  # not Python, or not to be read: then it is no recipe's file either
    # Any base: a recipe may build on another one, under whatever name that was imported.
    return [name for node in classes if node.bases for name in _names_in(node)]


def _names_in(recipe: ast.ClassDef) -> Iterator[str]:
    """The value of ``name = "…"`` or ``name: str = "…"`` in the class."""
    for line in recipe.body:
        match line:
            case (
                ast.Assign(targets=[ast.Name("name")], value=ast.Constant(str(name)))
                | ast.AnnAssign(target=ast.Name("name"), value=ast.Constant(str(name)))
            ) if name:
                yield name
