"""The files that a command reads: its code and data, whose content is a part of its runs' identity."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from stabbench.errors import excerpt
from stabbench.trainings.training import TrainingError

MOST_FILES = 100_000


def find_inputs(where: str, folder: Path, patterns: Sequence[str], command: Sequence[str]) -> tuple[Path, ...]:
    """The files of the patterns, and those that the command names, in order.

    Args:
        where: What a message calls the training file.
        folder: What paths are relative to.
        patterns: Files, folders (all that is in them) or patterns such as ``data/*.csv``.
        command: The program and its arguments: a script among them counts without being listed.

    Raises:
        TrainingError: A pattern that finds nothing, or too many files.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        try:
            files = list(_files(folder, pattern))
        except (ValueError, NotImplementedError, OSError) as error:
            raise TrainingError(f"{where}: inputs has {excerpt(pattern)}: {error}") from error
        if not files:
            raise TrainingError(f"{where}: inputs has {excerpt(pattern)}, and there is no such file in {folder}")
        found |= dict.fromkeys(files)
        if len(found) > MOST_FILES:
            raise TrainingError(f"{where}: its inputs are over {MOST_FILES:,} files", "name those that matter")
    found |= dict.fromkeys(folder / part for part in command if _is_own_file(folder, part))
    return tuple(sorted(found))


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    named = folder / pattern
    matching = [named] if named.exists() else [] if Path(pattern).is_absolute() else folder.glob(pattern)
    for path in matching:
        yield from (file for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file())


def _is_own_file(folder: Path, part: str) -> bool:
    try:
        return not Path(part).is_absolute() and (folder / part).is_file()
    except (OSError, ValueError):  # too long for a name, or with a null character
        return False


def digest(folder: Path, files: Sequence[Path], texts: Sequence[str]) -> str:
    """16 hexadecimal digits of the names and contents of files, and of texts.

    Raises:
        TrainingError: A file cannot be read.
    """
    total = hashlib.sha256()
    for path in files:
        name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
        try:
            status = path.stat()
            content = _content(path, status.st_mtime_ns, status.st_size)
        except OSError as error:
            raise TrainingError(f"{path} cannot be read: {error.strerror}") from error
        total.update(f"{len(name)}:{name}{content}".encode(errors="surrogateescape"))
    for text in texts:
        total.update(f"{len(text)}:{text}".encode(errors="surrogateescape"))
    return total.hexdigest()[:16]


@lru_cache(maxsize=MOST_FILES)
def _content(path: Path, _changed: int, _size: int) -> str:
    """Of a file that has not changed since it was last read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
