"""Claims on what is being trained, so that two processes that share a store never train the same run twice."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from stabbench.errors import StoreError

FOLDER = "locks"
POLL_SECONDS = 0.5


@contextlib.contextmanager
def claimed(store: Path, names: Sequence[str], waiting: Callable[[], None]) -> Iterator[None]:
    """Hold all of ``names`` in a store; wait for other processes that hold any of them.

    The operating system gives back what a killed process held.

    Args:
        store: The store's folder.
        names: Of what is claimed; fit for file names.
        waiting: Called once if there is something to wait for.

    Raises:
        StoreError: The store cannot be written.
    """
    # Imported here: a command that finds everything stored needs no locks.
    from filelock import FileLock, Timeout

    told = False
    with contextlib.ExitStack() as held:
        # In one order for all processes: two of them never wait for each other.
        for name in sorted(set(names)):
            try:
                (store / FOLDER).mkdir(parents=True, exist_ok=True)
                lock = FileLock(store / FOLDER / f"{name}.lock")
                try:
                    lock.acquire(timeout=0)
                except Timeout:
                    if not told:
                        waiting()
                    told = True
                    lock.acquire(poll_interval=POLL_SECONDS)
            except (OSError, NotImplementedError) as error:
                raise StoreError(
                    f"nothing can be claimed in {store}: {error}", "make it writable, or name another with --store"
                ) from error
            held.callback(lock.release)
        yield
