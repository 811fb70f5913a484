"""Reading files and folders that may hold anything."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from stabbench.imported.found import ResultsError

# Beyond these a path is a mistake, and memory or minutes are gone before anybody notices.
MOST_BYTES = 512 * 2**20
MOST_FOLDERS = 100_000
DEEPEST = 6


def first_bytes(path: Path) -> bytes:
    """The beginning of a file, enough to tell its kind; nothing of a folder."""
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(64)


def read_text(path: Path) -> str:
    """A text file in UTF-8, or in UTF-16 with its mark, as some spreadsheets write it.

    Raises:
        ResultsError: It is neither, or too large.
    """
    if path.stat().st_size > MOST_BYTES:
        raise ResultsError(f"{path} is over {MOST_BYTES // 2**20} MiB", "export the runs and their scores only")
    content = path.read_bytes()
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ResultsError(f"{path} is no text in UTF-8: {error.reason} at byte {error.start:,}") from error


def read_json(path: Path) -> Any:
    """What a JSON file holds; NaN and Infinity are read as Python writes them.

    Raises:
        ResultsError: It is no JSON.
    """
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path} is no JSON: {error}") from error


def read_object(path: Path) -> dict[str, Any]:
    """A JSON file's object.

    Raises:
        ResultsError: It is no JSON, or something else.
    """
    found = read_json(path)
    if not isinstance(found, dict):
        raise ResultsError(f"{path} holds no JSON object")
    return found


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file's mapping, of plain types only.

    Raises:
        ResultsError: It is no YAML, or something else.
    """
    try:
        found = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ResultsError(f"{path} is no YAML: {error}") from error
    if not isinstance(found, dict):
        raise ResultsError(f"{path} holds no YAML mapping")
    return {str(key): value for key, value in found.items()}


def folders(path: Path) -> Iterator[tuple[Path, set[str], list[str]]]:
    """A folder and those in it, in order, with the names of their files and of their folders.

    What is taken out of the list of folders is not entered. Links and hidden folders are not, either.
    """
    for count, (name, inner, files) in enumerate(os.walk(path)):
        if count > MOST_FOLDERS:
            raise ResultsError(f"{path} has over {MOST_FOLDERS:,} folders", "name the one that holds the runs")
        here = Path(name)
        inner[:] = sorted(n for n in inner if not n.startswith("."))
        if len(here.relative_to(path).parts) >= DEEPEST:
            inner.clear()
        yield here, set(files), inner


def name_of(folder: Path, path: Path) -> str:
    """A folder as seen from ``path``, in which it is; the name of ``path`` itself."""
    return folder.resolve().name if folder == path else folder.relative_to(path).as_posix()
