"""Files that are written whole or not at all, and files that only one process holds."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

# While it is written: `.NAME.PID.part`, locked by the process that writes.
PARTS = ".*.[0-9]*.part"


def write_whole(path: Path, text: str) -> None:
    """Put ``text`` in the place of what is there: a half-written file would be read as a result. A link stays one.

    Raises:
        OSError: It cannot be written; what was there still is.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        target.write_text(text, encoding="utf-8")  # a pipe or a device
        return
    with replacing(target) as part:
        part.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside ``path`` to write to, which takes its place in the end; if something is raised, it is removed.

    It is there already and must stay the same file, as a lock on it says that its writer is alive.
    Who may read and write ``path`` stays as it was. What a killed process has left of its own try is removed.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    remove_abandoned(path.parent, f".{glob.escape(path.name)}.[0-9]*.part")
    with held(part):
        yield part
        if path.exists():
            shutil.copymode(path, part)
        part.replace(path)


@contextlib.contextmanager
def held(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the file ``path``, made for that and removed in the end; wait while another process holds it.

    The operating system gives back what a killed process held.

    Args:
        path: In a folder that exists.
        waiting: Called once if there is something to wait for.

    Raises:
        OSError: The file cannot be made, or the file system knows no locks.
    """
    told = False
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            if not _locked(descriptor):
                if not told:
                    waiting()
                told = True
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            # The one before may have removed it meanwhile, and another one made it anew.
            if _same(descriptor, path):
                try:
                    yield
                    return
                finally:
                    path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def remove_abandoned(folder: Path, *patterns: str) -> None:
    """Remove what nobody holds any more, as its process was killed; what cannot be removed stays.

    Args:
        folder: Where to look.
        patterns: Of what was made by :func:`held` and :func:`replacing`, and of nothing else.
    """
    for path in itertools.chain.from_iterable(map(folder.glob, patterns)):
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if _locked(descriptor) and _same(descriptor, path):
                    path.unlink()
            finally:
                os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Whether it could be locked at once."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False
