"""Checkpoints of groups that are still being trained: files in the store's folder, each whole or not there at all.

A file is a zip of NumPy arrays, as ``numpy.savez`` writes them, and a header in JSON. It is read without unpickling,
and the zip has a checksum of everything in it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
import os
import shutil
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stabbench._system.files import replacing
from stabbench._version import __version__
from stabbench.errors import StabbenchError

Array: TypeAlias = NDArray[Any]

FOLDER = "checkpoints"
# To be raised when what is in a file changes; another version of the package is never read either.
FORMAT = 2
INTERVAL = "STABBENCH_CHECKPOINT_SECONDS"
INTERVAL_SECONDS = 150.0
# A checkpoint that nobody has gone on from for so long is removed.
ABANDONED_SECONDS = 30 * 24 * 3600.0
_HEADER = "header.json"
_UNREADABLE = (
    OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip


class CheckpointError(Exception):
    """It is not what was written, or another version wrote it."""


@dataclass(frozen=True)
class Header:
    """Everything in a checkpoint but its arrays.

    Attributes:
        runs: The identities of the group's runs, in the order of every array's first axis.
        stacked: Whether the model was stacked.
        made: Steps made.
        seconds: The time that these steps took, for each run.
        numbers: The rest of the training's state, as JSON values.
        version: The version of stabbench that wrote it.
    """

    runs: Sequence[str]
    stacked: bool
    made: int
    seconds: float
    numbers: dict[str, Any]
    version: str = f"{__version__}/{FORMAT}"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint file.

    Attributes:
        path: Its file.
        header: Its header.
    """

    path: Path
    header: Header

    @classmethod
    def at(cls, path: Path) -> Checkpoint:
        """The checkpoint at ``path``; only its header is read.

        Raises:
            CheckpointError: The file is no checkpoint of this version.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                fields = json.loads(archive.read(_HEADER))
            version = fields["version"]
            if version == Header.version:
                return cls(path, Header(**fields))
        except _UNREADABLE as error:
            raise CheckpointError(f"is damaged ({error})") from error
        raise CheckpointError(f"was written by another version ({version})")

    def check(self) -> None:
        """Read it once.

        Raises:
            CheckpointError: Its content is not what was written.
        """
        try:
            with zipfile.ZipFile(self.path) as archive:
                wrong = archive.testzip()
        except _UNREADABLE as error:
            raise CheckpointError(f"is damaged ({error})") from error
        if wrong is not None:
            raise CheckpointError(f"is damaged ({wrong} is not what was written)")

    @contextlib.contextmanager
    def arrays(self, runs: Sequence[str]) -> Iterator[Callable[[str], Array]]:
        """What gives the array of a name, of those runs only."""
        rows = [list(self.header.runs).index(run) for run in runs]
        with np.load(self.path, allow_pickle=False) as loaded:
            yield lambda name: loaded[name][rows]


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of a store.

    Attributes:
        folder: Where they are, in the store's. Where that does not exist, as on another machine of a cluster, none are
            written.
        interval: Seconds from one to the next of a group, at least.
    """

    folder: Path
    interval: float = INTERVAL_SECONDS

    @classmethod
    def of(cls, store: Path) -> Checkpoints:
        """The checkpoints of a store; the interval comes from STABBENCH_CHECKPOINT_SECONDS.

        Raises:
            StabbenchError: That variable is no number of seconds.
        """
        text = os.environ.get(INTERVAL, str(INTERVAL_SECONDS))
        try:
            interval = float(text)
        except ValueError:
            interval = math.nan
        if not interval >= 0:
            raise StabbenchError(f"{INTERVAL}={text!r} is no number of seconds", f"for example {INTERVAL}=600")
        return cls(store.resolve() / FOLDER, interval)

    def write(self, cell: str, header: Header, arrays: Iterable[tuple[str, Array]]) -> None:
        """Put a group's checkpoint in the place of its last one.

        Args:
            cell: The identity of the group's cell.
            header: Its header.
            arrays: By name; one at a time, so that no second copy of them all is needed.

        Raises:
            OSError: It cannot be written; the last one still is there.
        """
        self.folder.mkdir(exist_ok=True)
        with replacing(self._path(cell, header.runs)) as part, part.open("wb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr(_HEADER, json.dumps(dataclasses.asdict(header)))
                for name, array in arrays:
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())

    def has_room(self, size: int) -> bool:
        """Whether ``size`` bytes can be written beside the last checkpoint, with as much left for the store."""
        try:
            return shutil.disk_usage(self.folder.parent).free > 2 * size
        except OSError:
            return False

    def find(self, cell: str, runs: Sequence[str], *, stacked: bool, exact: bool) -> Checkpoint | None:
        """The furthest one that has all of those runs.

        Args:
            cell: The identity of their cell.
            runs: Their identities.
            stacked: Whether the model is stacked.
            exact: Whether it must have no others.
        """
        for found in self.usable(cell):
            same = list(found.header.runs) == list(runs) if exact else set(found.header.runs) >= set(runs)
            if same and found.header.stacked == stacked:
                return found
        return None

    def usable(self, cell: str, note: Callable[[str], None] | None = None) -> list[Checkpoint]:
        """The checkpoints of a cell from which training can go on, the furthest first.

        Args:
            cell: Its identity.
            note: Called for each unusable file, which is then removed; None leaves such files.
        """
        found = []
        for path in self._files(cell):
            try:
                checkpoint = Checkpoint.at(path)
                checkpoint.check()
                found.append(checkpoint)
            except CheckpointError as error:
                if note is not None:
                    _drop(path, error, note)
        return sorted(found, key=lambda checkpoint: -checkpoint.header.made)

    def tidy(self, recorded: Callable[[Sequence[str]], bool], note: Callable[[str], None], cell: str = "") -> None:
        """Remove what nobody will go on from: of runs that are recorded, unusable, or abandoned.

        Args:
            recorded: Whether all of those runs are.
            note: Told what cannot be used.
            cell: Of one cell only.
        """
        for path in self._files(cell):
            with contextlib.suppress(OSError):  # another process may have been faster
                old = time.time() - path.stat().st_mtime > ABANDONED_SECONDS
                try:
                    if old or recorded(Checkpoint.at(path).header.runs):
                        path.unlink()
                except CheckpointError as error:
                    _drop(path, error, note)
        with contextlib.suppress(OSError):  # there is none, or one is left
            self.folder.rmdir()

    def _path(self, cell: str, runs: Sequence[str]) -> Path:
        return self.folder / f"{cell}-{hashlib.sha256(' '.join(runs).encode()).hexdigest()[:16]}.npz"

    def _files(self, cell: str) -> Iterator[Path]:
        return self.folder.glob(f"{cell}*.npz")


def _drop(path: Path, error: CheckpointError, note: Callable[[str], None]) -> None:
    if path.exists():  # and no other process was faster
        note(f"checkpoint {path.name} {error}: its group is trained anew")
        path.unlink(missing_ok=True)
