"""Which files of a model's folder loading reads, so that each of them is hashed, and JSON that is safe to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from stabbench.errors import ModelError

WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
PICKLED_WEIGHTS = ("pytorch_model.bin", "pytorch_model.bin.index.json")
# Beside the shards that an index names. Chat templates do not change what a classifier reads.
_READ = (
    "*.safetensors",
    "pytorch_model*.bin",
    "*.index.json",
    "config.json",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "*.model",
    "added_tokens.json",
    "special_tokens_map.json",
    "tekken.json",
)
# Configurations of real models are 3 or 4 levels deep; JSON of thousands ends the parser.
DEEPEST = 50


def files_read(folder: Path) -> list[Path]:
    """Every file that loading may read, sorted.

    A link counts by the content that it leads to: a hub's cache is made of links.

    Raises:
        ModelError: An index of weights names a file that is not in the folder.
    """
    found = {path for pattern in _READ for path in folder.glob(pattern) if path.is_file()}
    return sorted(found.union(*(shards(folder / index) for index in _indices(folder))))


def weight_files(folder: Path) -> list[Path]:
    """The weights: the safetensors, or where there are none the pickled ones.

    Raises:
        ModelError: An index of weights names a file that is not in the folder.
    """
    every = [path for path in files_read(folder) if path.name.endswith((".safetensors", ".bin"))]
    return [path for path in every if path.suffix == ".safetensors"] or every


def shards(index: Path) -> set[Path]:
    """The files that an index of weights names, which may be in sub-folders.

    Raises:
        ModelError: It names a file outside of its folder or one that is not there, or is no index.
    """
    weight_map = read_object(index).get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(name, str) for name in weight_map.values()):
        raise ModelError(f"{index} is no index of weights: its weight_map must give a file for each tensor")
    found = set()
    for name in set(weight_map.values()):
        if _leads_outside(name):
            raise ModelError(
                f"{index} names {name!r}, which is outside of the model's folder",
                "put all files of a model into one folder, and name them relative to it",
            )
        if not (index.parent / name).is_file():
            raise ModelError(f"{index} names {name!r}, and there is no such file", "the model is not whole")
        found.add(index.parent / name)
    return found


def read_object(path: Path) -> dict[str, Any]:
    """The content of a JSON file that holds an object.

    Raises:
        ModelError: It cannot be read, holds no object, or is nested too deep.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    except RecursionError:
        raise ModelError(f"{path} cannot be read: it is nested more than {DEEPEST} levels deep") from None
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds no object")
    if _depth(content) > DEEPEST:
        raise ModelError(f"{path} cannot be read: it is nested more than {DEEPEST} levels deep")
    return content


def _indices(folder: Path) -> list[str]:
    """The index that loading reads, if it reads one: whole weights come before it."""
    for whole, index in (WEIGHTS, PICKLED_WEIGHTS):
        if (folder / whole).is_file():
            return []
        if (folder / index).is_file():
            return [index]
    return []


def _leads_outside(name: str) -> bool:
    parts = (*PurePosixPath(name).parts, *PureWindowsPath(name).parts)
    return PurePosixPath(name).is_absolute() or bool(PureWindowsPath(name).anchor) or ".." in parts


def _depth(content: Mapping[str, Any]) -> int:
    level: list[Any] = [content]
    depth = 0
    while level and depth <= DEEPEST:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return depth
