"""Reading Parquet, Arrow, folders of ``save_to_disk`` and data sets of the hub, through ``datasets``.

Loaded when such a task is: a machine without the library trains all the others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stabbench.errors import TaskError, excerpt
from stabbench.tasks.files.table import Table

# What `save_to_disk` writes beside its Arrow files: of one data set, and of several splits.
_MARKS = ("dataset_info.json", "dataset_dict.json")


def is_saved(folder: Path) -> bool:
    """Whether a folder was written by ``save_to_disk``."""
    return any((folder / mark).is_file() for mark in _MARKS)


def read_parquet(path: Path) -> Table:
    """A table from a Parquet file.

    Raises:
        TaskError: It is none.
    """
    import pyarrow.parquet

    with _readable(path):
        return _table(str(path), _dataset(pyarrow.parquet.read_table(path)))


def read_arrow(path: Path) -> Table:
    """A table from an Arrow file, of either of its two formats.

    Raises:
        TaskError: It is none.
    """
    import pyarrow

    with _readable(path):
        try:
            found = pyarrow.ipc.open_stream(path.read_bytes()).read_all()
        except pyarrow.ArrowInvalid:
            found = pyarrow.ipc.open_file(path.read_bytes()).read_all()
        return _table(str(path), _dataset(found))


def read_saved(path: Path, split: str | None) -> Table:
    """A table from a folder of ``save_to_disk``.

    Raises:
        TaskError: It is none, or has several splits of which none is named.
    """
    import datasets

    with _readable(path):
        found = datasets.load_from_disk(str(path), keep_in_memory=True)
    return _one_split(str(path), found, split)


def saved_splits(path: Path) -> list[str]:
    """Names of the splits in a folder of ``save_to_disk``; none where it is a single data set."""
    import datasets

    with _readable(path):
        found = datasets.load_from_disk(str(path))
    return list(found) if isinstance(found, dict) else []


def read_hub(name: str, config: str | None, revision: str | None, split: str | None) -> Table:
    """A table from the hub, or from its local cache.

    Raises:
        TaskError: It cannot be reached, or has several splits of which none is named.
    """
    import datasets

    try:
        found = datasets.load_dataset(name, config, revision=revision)
    except Exception as error:  # the client raises whatever its HTTP library does, besides its own errors
        raise TaskError(
            f"data set {excerpt(name)}: cannot be loaded from the hub or its cache: {_first_line(error)}",
            "offline: fill the cache (HF_HOME) on a machine that has a network and set HF_HUB_OFFLINE=1",
        ) from error
    return _one_split(name, found, split)


def _one_split(origin: str, found: Any, split: str | None) -> Table:
    if not isinstance(found, dict):
        if split is not None:
            raise TaskError(f"{origin}: it has no splits, so no {excerpt(split)}", "leave out split")
        return _table(origin, found)
    if split is None or split not in found:
        what = "several splits" if split is None else f"no split {excerpt(split)}"
        raise TaskError(f"{origin}: it has {what}", f'name one of them, split = "…": {excerpt(", ".join(found))}')
    return _table(f"{origin} ({split})", found[split])


def _dataset(table: Any) -> Any:
    import datasets

    return datasets.Dataset(datasets.table.InMemoryTable(table))


def _table(origin: str, dataset: Any) -> Table:
    names: dict[str, list[str]] = {}
    for column, feature in dataset.features.items():
        inner = getattr(feature, "feature", feature)
        if hasattr(inner, "int2str"):  # a ClassLabel, or a list of them
            names[column] = list(inner.names)
    return Table(origin, {column: dataset[column] for column in dataset.column_names}, names=names)


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TaskError(f"{path}: cannot be read: {_first_line(error)}") from error
    except Exception as error:  # of Arrow's own and of its readers, for a damaged file
        raise TaskError(
            f"{path}: cannot be read: {_first_line(error)}", "is it damaged, or of another format?"
        ) from error


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).strip() or 'no message').splitlines()[0][:200]}"
