"""A local model's folder, or a task file, as a text in a file under version control that holds in every checkout.

A preset (``lab``) and a hub id are left as they are. In the file, a folder starts with ``./`` or ``../`` and is
relative to the file's own folder: no hub id looks like that.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

PRESETS = ("lab",)
IsThere = Callable[[str], bool]


def stored_path(model: str, folder: Path, is_there: IsThere | None = None) -> str:
    """How a file in ``folder`` names ``model``, which is given as seen from the current directory.

    An absolute path that shares only the root with ``folder`` is not changed: it belongs to the machine, not to the
    project.
    """
    if not (is_there or _is_folder)(model):
        return model
    target, start = os.path.abspath(model), os.path.abspath(folder)
    common = os.path.commonpath([target, start])
    if os.path.isabs(model) and os.path.dirname(common) == common:
        return model
    relative = Path(os.path.relpath(target, start)).as_posix()
    return relative if relative.startswith("..") else f"./{relative}"


def local_path(stored: str, folder: Path, is_there: IsThere | None = None) -> str:
    """The inverse of :func:`stored_path`: how the model is named from the current directory.

    Older files have folders relative to the directory where the command was given: so are read those that are not
    found beside the file. What is found in neither place keeps its name.
    """
    is_there = is_there or _is_folder
    if stored.startswith(("./", "../")):
        found = Path(os.path.abspath(folder / stored))
        if is_there(str(found)):
            here = Path.cwd()
            return found.relative_to(here).as_posix() if found.is_relative_to(here) else str(found)
    elif stored not in ("", *PRESETS) and not is_there(stored) and is_there(str(folder / stored)):
        # A folder beside the file, recorded by a command that was given there.
        return str(folder / stored)
    return stored


def one_spelling(model: str, folder: Path, is_there: IsThere | None = None) -> str:
    """How a cell of a file in ``folder`` calls ``model`` once it is loaded, however the user spells its path."""
    return local_path(stored_path(model, folder, is_there), folder, is_there)


def is_path(name: str) -> bool:
    """Whether there is a file or folder of that name."""
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def _is_folder(name: str) -> bool:
    try:
        return name not in ("", *PRESETS) and Path(name).is_dir()
    except (OSError, ValueError):  # too long for a name, or with a null character
        return False
