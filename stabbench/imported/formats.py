"""Every format that is known, told apart by content, not by a file's name."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from stabbench.imported import (
    hf_trainer,
    lm_eval,
    mlflow_database,
    mlflow_folder,
    table,
    tensorboard,
    trackio,
    wandb_chart,
    wandb_local,
    wandb_runs,
)
from stabbench.imported.content import first_bytes
from stabbench.imported.found import FoundRun, ResultsError
from stabbench.imported.logged import as_logged


class Format(Protocol):
    """One kind of results; each is a module."""

    NAME: str

    def matches(self, path: Path) -> bool:
        """Whether a file or folder looks like it."""
        ...

    def read(self, path: Path) -> list[FoundRun]:
        """Its runs.

        Raises:
            ResultsError: It cannot be read.
        """
        ...


#: The first that matches is the one; a table is what no other knows.
FORMATS: tuple[Format, ...] = (
    mlflow_folder,
    hf_trainer,
    lm_eval,
    tensorboard,
    wandb_local,
    mlflow_database,
    trackio,
    wandb_chart,
    wandb_runs,
    table,
)
# A pickle could run anything; torch writes its own into a zip file.
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")
_SQLITE = b"SQLite format 3\0"


def find(path: Path) -> tuple[Format, list[FoundRun]]:
    """The format of a file or folder, and the runs in it.

    Raises:
        ResultsError: It is not there, of no known format, or cannot be read.
    """
    try:
        return _find(path)
    except OSError as error:
        raise ResultsError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # a null character in a name
        raise ResultsError(f"{path} cannot be read: {error}") from error


def _find(path: Path) -> tuple[Format, list[FoundRun]]:
    if not path.exists():
        raise ResultsError(f"there is no file or folder {path}")
    if first_bytes(path).startswith(_PICKLES):
        raise ResultsError(
            f"{path} is a pickle or a zip file: it could run anything, and is not loaded",
            "name the folder of the runs, or a file such as CSV",
        )
    for known in FORMATS:
        if known is table and first_bytes(path).startswith(_SQLITE):
            raise ResultsError(f"{path} is a SQLite file of a tool that stabbench does not know", _KNOWN)
        if known.matches(path):
            return known, [as_logged(run) for run in known.read(path)]
    raise ResultsError(f"{path} holds no results that stabbench knows", _KNOWN)


_KNOWN = f"known are {', '.join(known.NAME for known in FORMATS)}"
