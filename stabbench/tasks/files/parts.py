"""A part of a task's data as a table: by the file's ending, from a saved folder, or from the hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from stabbench.errors import TaskError, excerpt
from stabbench.tasks.files import arrow, texts
from stabbench.tasks.files.declaration import Part
from stabbench.tasks.files.table import Table

READERS: Mapping[str, Callable[[Path], Table]] = {
    ".csv": partial(texts.read_csv, delimiter=","),
    ".tsv": partial(texts.read_csv, delimiter="\t"),
    ".jsonl": texts.read_json_lines,
    ".json": texts.read_json,
    ".parquet": arrow.read_parquet,
    ".arrow": arrow.read_arrow,
}


def read_part(part: Part) -> Table:
    """The table of a part.

    Raises:
        TaskError: It cannot be read, or has no rows.
    """
    table = _read(part)
    if not len(table):
        raise TaskError(f"{table.origin}: it has no rows")
    return table


def _read(part: Part) -> Table:
    if part.dataset is not None:
        return arrow.read_hub(part.dataset, part.config, part.revision, part.split)
    assert part.path is not None
    path = Path(part.path)
    try:
        if path.is_dir():
            if not arrow.is_saved(path):
                raise TaskError(f"{path}: a folder that save_to_disk did not write", "name a file in it")
            return arrow.read_saved(path, part.split)
        reader = READERS.get(path.suffix.lower())
        if reader is None:
            raise TaskError(
                f"{path}: files that end in {excerpt(path.suffix)} are not read", f"one of: {', '.join(READERS)}"
            )
        if not path.is_file():
            raise TaskError(f"{path}: there is no such file")
        if part.split is not None:
            raise TaskError(f"{path}: a file has no splits", "leave out split")
        return reader(path)
    except OSError as error:
        raise TaskError(f"{path}: cannot be read: {error.strerror}") from error
