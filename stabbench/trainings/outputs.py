"""What the runs of training code leave, kept by run in the store's folder: small files, and what was printed."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from stabbench.trainings import recorded

#: In the store's folder; each run has a folder of its identity there.
FOLDER = "outputs"
# What a command writes as {output}. Weights and checkpoints are not for the store.
MOST_BYTES = 16 * 2**20
_WRITTEN = "output"
_REMOVED = "removed.txt"


def make(folder: Path) -> Path:
    """The empty folder for what a run writes; what an earlier try has left there is removed."""
    if folder.exists():
        shutil.rmtree(folder)
    written = folder / _WRITTEN
    written.mkdir(parents=True)
    return written


def keep(folder: Path, stdout: str, stderr: str) -> None:
    """Write down what a run printed, and remove its largest files beyond :data:`MOST_BYTES`, listed in a file."""
    with contextlib.suppress(OSError):  # a full disk loses a log, and not the score
        for name, text in (("stdout.txt", stdout), ("stderr.txt", stderr)):
            if text:
                (folder / name).write_text(text, encoding="utf-8")
    sizes = {}
    for path in (folder / _WRITTEN).rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and not path.is_symlink():
                sizes[path] = path.stat().st_size
    total, removed = 0, []
    for path, size in sorted(sizes.items(), key=lambda pair: pair[1]):
        total += size
        if total > MOST_BYTES:
            with contextlib.suppress(OSError):
                path.unlink()
            removed.append(f"{path.relative_to(folder).as_posix()}  {size:,} bytes\n")
    with contextlib.suppress(OSError):
        (folder / recorded.FILE).unlink(missing_ok=True)  # it is in the run's history
        if removed:
            (folder / _REMOVED).write_text("".join(removed), encoding="utf-8")
        for path in (folder / _WRITTEN, folder):
            path.rmdir()  # empty ones are of no use
