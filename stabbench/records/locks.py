"""Claims on what is being trained, so that two processes that share a store never train the same run twice."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from stabbench._system.files import held
from stabbench.errors import StoreError

FOLDER = "locks"


@contextlib.contextmanager
def claimed(store: Path, names: Sequence[str], waiting: Callable[[], None]) -> Iterator[None]:
    """Hold all of ``names`` in a store; wait for other processes that hold any of them.

    The operating system gives back what a killed process held.

    Args:
        store: The store's folder.
        names: What to claim; each must be a valid file name.
        waiting: Called once if there is something to wait for.

    Raises:
        StoreError: The store cannot be written.
    """
    told = False

    def tell() -> None:
        nonlocal told
        if not told:
            waiting()
        told = True

    with contextlib.ExitStack() as all_held:
        # In one order for all processes: two of them never wait for each other.
        for name in sorted(set(names)):
            try:
                (store / FOLDER).mkdir(parents=True, exist_ok=True)
                all_held.enter_context(held(store / FOLDER / f"{name}.lock", tell))
            except OSError as error:
                raise StoreError(
                    f"nothing can be claimed in {store}: {error}", "make it writable, or name another with --store"
                ) from error
        yield
