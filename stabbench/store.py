"""The store of run records: one SQLite file, written one group of runs at a time.

SQLite's own journal makes a write atomic, also under ``kill -9``; its locks let several processes write at once.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from stabbench.errors import StoreError
from stabbench.records import History, Outcome, RunRecord

FILE = "runs.sqlite"
SCHEMA_VERSION = 1
# Another process may hold the lock for as long as it writes one record; a slow disk deserves patience.
LOCK_TIMEOUT_SECONDS = 60.0

_SCHEMA = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    task TEXT NOT NULL,
    model TEXT NOT NULL,
    recipe TEXT NOT NULL,
    seed INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    record TEXT NOT NULL,  -- RunRecord as JSON
    history BLOB NOT NULL  -- History as zlib-compressed JSON
) WITHOUT ROWID
"""

_PUT = f"""
INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome, record = excluded.record, history = excluded.history
WHERE runs.outcome = '{Outcome.MISSING}'
"""


class Store:
    """Run records in a folder.

    Args:
        folder: Created with the store if need be.
        write: False opens an existing store for reading only.

    Raises:
        StoreError: It cannot be opened, was made by a newer version, or is not a store. So do all methods when a read
            or a write fails.
    """

    def __init__(self, folder: Path, *, write: bool = True) -> None:
        self.path = folder / FILE
        if not write and not self.path.is_file():
            raise StoreError(f"no store at {folder}", "name it with --store, or make one with: stabbench run")
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"the store {folder} is a file, not a folder", "name a folder with --store")
        with self._explained():
            if write:
                folder.mkdir(parents=True, exist_ok=True)
            # Reading, too, may have to write: to roll back what a killed writer left half done.
            uri = f"{self.path.resolve().as_uri()}?mode={'rwc' if write else 'rw'}"
            self._db = sqlite3.connect(uri, uri=True, timeout=LOCK_TIMEOUT_SECONDS, isolation_level=None)
        try:
            with self._explained():
                self._check_version(write)
        except BaseException:
            self._db.close()
            raise

    def _check_version(self, write: bool) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"the store {self.path} was written by a newer stabbench (version {version}, known {SCHEMA_VERSION})",
                "upgrade stabbench, or name another store with --store",
            )
        if version == 0 and write:
            # Immediate, so that of two processes that find no store only one makes the table.
            self._db.execute("BEGIN IMMEDIATE")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                self._db.execute(_SCHEMA)
                self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            self._db.execute("COMMIT")
        elif write:
            # Find out now, and not after the first training, that the store cannot be written.
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(f"PRAGMA user_version = {version}")
            self._db.execute("COMMIT")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def put(self, record: RunRecord, history: History) -> None:
        """Write one run. A run that is there already is kept as it is, unless it was missing."""
        self.put_all([(record, history)])

    def put_all(self, runs: Iterable[tuple[RunRecord, History]]) -> None:
        """Write a group of runs as :meth:`put` does, all or none: what takes long is that the disk confirms it."""
        with self._explained():
            rows = [_row(record, history) for record, history in runs]
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany(_PUT, rows)

    def get(self, ids: Sequence[str]) -> dict[str, RunRecord]:
        """The records of those ``ids`` that are stored."""
        found: dict[str, RunRecord] = {}
        with self._explained():
            for run_id in ids:
                row = self._db.execute("SELECT record FROM runs WHERE id = ?", (run_id,)).fetchone()
                if row:
                    found[run_id] = RunRecord.from_json(json.loads(row[0]))
        return found

    def records(self, id_prefix: str = "") -> Iterator[RunRecord]:
        """All records whose id starts so, ordered by task, model, recipe and seed; one at a time."""
        with self._explained():
            rows = self._db.execute(
                "SELECT record FROM runs WHERE substr(id, 1, ?) = ? ORDER BY task, model, recipe, seed, id",
                (len(id_prefix), id_prefix),
            )
            for (text,) in rows:
                yield RunRecord.from_json(json.loads(text))

    def history(self, run_id: str) -> History:
        """What happened during a stored run."""
        with self._explained():
            (packed,) = self._db.execute("SELECT history FROM runs WHERE id = ?", (run_id,)).fetchone()
            return History(**json.loads(zlib.decompress(packed)))

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite and the file system raise into a StoreError."""
        try:
            yield
        except (sqlite3.Error, OSError, zlib.error, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"the store {self.path} cannot be used: {error}", _advice(str(error))) from error


def _row(record: RunRecord, history: History) -> tuple[object, ...]:
    # `vars`, as `dataclasses.asdict` copies number by number: it would take longer than all the rest.
    packed = zlib.compress(json.dumps(vars(history)).encode())
    text = json.dumps(record.to_json())
    return record.id, record.task, record.model, record.recipe, record.seeds.seed, record.outcome, text, packed


def _advice(message: str) -> str:
    if "readonly" in message or "unable to open" in message or "Permission" in message or "Read-only" in message:
        return "make the folder writable, or name another store with --store"
    if "full" in message or "No space" in message or "disk I/O" in message:
        return "free some space and give the same command again: what was recorded before is kept"
    if "locked" in message:
        return "another process holds the store; try again when it is done"
    return "the file is damaged or no store; move it away, or name another store with --store"
