"""The store of run records: one SQLite file, written one group of runs at a time.

SQLite's own journal makes a write atomic, also under ``kill -9``; its locks let several processes write at once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from stabbench._system.files import PARTS, remove_abandoned, write_whole
from stabbench.code.former_identity import carried_over
from stabbench.errors import StoreError
from stabbench.records.history import History
from stabbench.records.run import Environment, Outcome, RunRecord

FILE = "runs.sqlite"
# 2: the code of built-in recipes counts by version, and no longer by its source.
# 3: histories are packed; those of before are JSON, and are read as well.
SCHEMA_VERSION = 3
# Encoders that were trained on another task first, beside the runs; each is named after its run.
ENCODERS = "encoders"
# Another process may hold the lock for as long as it writes one record; a slow disk deserves patience.
LOCK_TIMEOUT_SECONDS = 60.0

# The last of all characters.
LAST = "\U0010ffff"

# What processes hold in a store's folder: files that they write, and claims. There may be other things in that folder,
# some of them locks, so that not all that is below is looked through.
_HELD = (PARTS, f"encoders/{PARTS}", f"weights/{PARTS}", f"checkpoints/{PARTS}", f"locks/{'[0-9a-f]' * 16}.lock")

_SCHEMA = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    task TEXT NOT NULL,
    model TEXT NOT NULL,
    recipe TEXT NOT NULL,
    seed INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    record TEXT NOT NULL,  -- RunRecord as JSON
    history BLOB NOT NULL  -- History.packed
) WITHOUT ROWID
"""

_PUT = f"""
INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome, record = excluded.record, history = excluded.history
WHERE runs.outcome = '{Outcome.MISSING}'
"""


class Store:
    """Run records in a folder.

    As it is opened and closed for writing, half-written files and locks of killed processes are removed.

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
        self._write = write
        with self._explained():
            if write:
                _make(folder)
                remove_abandoned(folder, *_HELD)
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
        elif version == 1 and write:
            self._carry_over()
        elif write:
            # Find out now, and not after the first training, that the store cannot be written.
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            self._db.execute("COMMIT")

    def _carry_over(self) -> None:
        """Give runs of version 1 the identities that they have now, all or none."""
        moved: list[tuple[str, str]] = []
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            for (text,) in self._db.execute("SELECT record FROM runs").fetchall() if version == 1 else ():
                old = RunRecord.read(text)
                environment = cast(Environment, carried_over(old.fingerprint.environment))
                made_of = dataclasses.replace(old.fingerprint, environment=environment)
                new = dataclasses.replace(old, fingerprint=made_of, id=made_of.run_id(old.seeds))
                if made_of != old.fingerprint:
                    self._db.execute(
                        "UPDATE runs SET id = ?, record = ? WHERE id = ?", (new.id, json.dumps(new.to_json()), old.id)
                    )
                    moved.append((old.id, new.id))
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        for before, now in moved:
            with contextlib.suppress(FileNotFoundError):
                encoders = self.path.parent / ENCODERS
                (encoders / f"{before}.safetensors").rename(encoders / f"{now}.safetensors")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        if self._write:
            remove_abandoned(self.path.parent, *_HELD)

    def put(self, record: RunRecord, history: History) -> None:
        """Write one run. A run that is there already is kept, unless it was missing."""
        self.put_all([(record, history)])

    def put_all(self, runs: Iterable[tuple[RunRecord, History]]) -> None:
        """Write a group of runs as :meth:`put` does, all or none: what takes long is that the disk confirms it."""
        with self._explained():
            rows = [_row(record, history) for record, history in runs]
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany(_PUT, rows)

    def put_history(self, run_id: str, history: History) -> None:
        """Write a stored run's history anew: one that has more of the same numbers."""
        with self._explained():
            self._db.execute("UPDATE runs SET history = ? WHERE id = ?", (history.packed(), run_id))

    def get(self, ids: Sequence[str]) -> dict[str, RunRecord]:
        """The records of those ``ids`` that are stored."""
        found: dict[str, RunRecord] = {}
        with self._explained():
            for run_id in ids:
                row = self._db.execute("SELECT record FROM runs WHERE id = ?", (run_id,)).fetchone()
                if row:
                    found[run_id] = RunRecord.read(row[0])
        return found

    def records(self, id_prefix: str = "") -> Iterator[RunRecord]:
        """All records whose id starts so, ordered by task, model, recipe and seed; one at a time."""
        with self._explained():
            # A range, which the index of the ids serves: a page may ask for thousands of them.
            chosen, limits = ("WHERE id >= ? AND id < ?", (id_prefix, id_prefix + LAST)) if id_prefix else ("", ())
            rows = self._db.execute(f"SELECT record FROM runs {chosen} ORDER BY task, model, recipe, seed, id", limits)
            for (text,) in rows:
                yield RunRecord.read(text)

    def find(self, id_prefix: str) -> RunRecord:
        """The one record whose id starts so.

        Raises:
            StoreError: There is none, or there are several.
        """
        found = list(self.records(id_prefix))
        if len(found) != 1:
            raise StoreError(
                f"{len(found) or 'no'} runs in {self.path.parent} have an id that starts with {id_prefix!r}",
                "see: stabbench list runs" if not found else f"give more of it: {', '.join(r.id for r in found[:3])}…",
            )
        return found[0]

    def history(self, run_id: str) -> History:
        """What happened during a stored run."""
        with self._explained():
            (packed,) = self._db.execute("SELECT history FROM runs WHERE id = ?", (run_id,)).fetchone()
            return History.unpacked(packed)

    def histories(self, ids: Iterable[str]) -> dict[str, History]:
        """What happened during those of the runs ``ids`` that are stored, by id."""
        found: dict[str, History] = {}
        with self._explained():
            for run_id in ids:
                row = self._db.execute("SELECT history FROM runs WHERE id = ?", (run_id,)).fetchone()
                if row:
                    found[run_id] = History.unpacked(row[0])
        return found

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite and the file system raise into a StoreError."""
        try:
            yield
        except (sqlite3.Error, OSError, zlib.error, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"the store {self.path} cannot be used: {error}", _advice(str(error))) from error


def _make(folder: Path) -> None:
    """A folder for a store, which git ignores; a folder with other things in it is left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        write_whole(folder / ".gitignore", "*\n")


def _row(record: RunRecord, history: History) -> tuple[object, ...]:
    text, packed = json.dumps(record.to_json()), history.packed()
    return record.id, record.task, record.model, record.recipe, record.seeds.seed, record.outcome, text, packed


def _advice(message: str) -> str:
    if "readonly" in message or "unable to open" in message or "Permission" in message or "Read-only" in message:
        return "make the folder writable, or name another store with --store"
    if "full" in message or "No space" in message or "disk I/O" in message:
        return "free some space and give the same command again: what was recorded before is kept"
    if "locked" in message:
        return "another process holds the store; try again when it is done"
    return "the file is damaged or no store; move it away, or name another store with --store"
