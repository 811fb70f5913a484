"""SQLite files of other tools, read only."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from stabbench.imported.content import first_bytes
from stabbench.imported.found import ResultsError

_MAGIC = b"SQLite format 3\0"
Tables = dict[str, set[str]]


def tables(path: Path) -> Tables:
    """The columns of each table of a SQLite file; nothing of another file."""
    if not first_bytes(path).startswith(_MAGIC):
        return {}
    with _opened(path) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: {column for (column,) in db.execute("SELECT name FROM pragma_table_info(?)", (name,))}
            for name in names
        }


def select(path: Path, query: str) -> list[tuple[object, ...]]:
    """What a query gives, a text that is no UTF-8 as bytes.

    Raises:
        ResultsError: The file cannot be read.
    """
    with _opened(path) as db:
        return db.execute(query).fetchall()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            db.text_factory = _text
            yield db
    except (sqlite3.Error, OverflowError) as error:
        raise ResultsError(
            f"{path} cannot be read: {error}", "is it a whole copy, with the -wal file beside it if there is one?"
        ) from error


def _text(content: bytes) -> str | bytes:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content
