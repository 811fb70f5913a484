"""Several processes of this machine: one a core, or one a GPU."""

from __future__ import annotations

import contextlib
import gc
import importlib
import multiprocessing
import multiprocessing.connection
import os
import pickle
import queue
import signal
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pebble
from filelock import FileLock, Timeout

from stabbench.errors import StabbenchError
from stabbench.executors._base import Instead, Item, Lost, Result, Tick, nothing, replaced
from stabbench.machine import use_gpu

POLL_SECONDS = 0.2
# Items that are sent for each worker before one is done.
AHEAD = 2
# Pools in a row that break before they have done anything.
TRIES = 3
_BROKEN = object()


class ProcessPool:
    """Processes that each import what they need once. One that dies is replaced, and only its item is lost.

    Args:
        workers: The number of processes.
        plugins: Plugin modules that define recipes; loaded in every process.
        modules: What every process imports at once, not with its first item only.
        gpus: The GPUs to spread the processes over; every process sees only its own.
    """

    def __init__(
        self, workers: int, plugins: Sequence[str] = (), modules: Sequence[str] = (), gpus: Sequence[int] = ()
    ) -> None:
        # Spawned, not forked: a forked process inherits PyTorch's threads in a state that can hang.
        self._context = multiprocessing.get_context("spawn")
        self._folder = tempfile.TemporaryDirectory(prefix="stabbench-")
        # One counter a place, without a lock: a worker that is killed would hold it for ever.
        self._counters = self._context.RawArray("Q", workers)
        self._start = (Path(self._folder.name), self._counters, tuple(gpus), tuple(plugins), tuple(modules))
        self._pool = self._made_pool()

    def _made_pool(self) -> pebble.ProcessPool:
        return pebble.ProcessPool(
            len(self._counters), context=self._context, initializer=_start_worker, initargs=self._start
        )

    def map(
        self,
        function: Callable[[Item, Tick], Result],
        items: Iterable[Item],
        tick: Tick,
        instead: Instead[Item] = nothing,
    ) -> Iterator[Result | Lost[Item]]:
        todo, failures = deque(items), 0
        while todo:
            unknown: list[Item] = []
            for item, result in self._round(function, todo, tick):
                if result is _BROKEN:
                    unknown.append(item)
                else:
                    failures = 0
                    if not replaced(result, todo, instead):
                        yield result
            todo.extendleft(reversed(unknown))
            if todo:
                # pebble gives the pool up when a worker dies that has nothing to do, or has not started yet.
                failures += 1
                if failures == TRIES:
                    raise StabbenchError(
                        "the worker processes cannot start, or end at once",
                        'in a script of your own, guard its main part with `if __name__ == "__main__":`, or use '
                        "workers=1",
                    )
                self._pool.stop()
                self._pool.join()
                self._pool = self._made_pool()

    def _round(
        self, function: Callable[[Item, Tick], Result], todo: deque[Item], tick: Tick
    ) -> Iterator[tuple[Item, Any]]:
        """What becomes of each item, until there are no more, or the pool broke."""
        # A queue, not `concurrent.futures.wait`: Ctrl-C inside that leaves a future locked, and the pool hangs.
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        waiting: dict[Any, Item] = {}
        seen = self._made()
        while True:
            # A few ahead of the workers: what is done, but not yet taken, would pile up here.
            for _ in range(min(len(todo), AHEAD * len(self._counters) - len(waiting))):
                item = todo.popleft()
                try:
                    future = self._pool.schedule(_work, (function, item))
                except RuntimeError:
                    yield item, _BROKEN
                    continue
                waiting[future] = item
                future.add_done_callback(done.put)
            if not waiting:
                return
            future = _next(done)
            seen, before = self._made(), seen
            tick(seen - before)
            if future is not None:
                item = waiting.pop(future)
                yield item, self._result(future, item)

    def _made(self) -> int:
        return sum(self._counters)

    @staticmethod
    def _result(future: pebble.ProcessFuture[Any], item: Any) -> Any:
        try:
            return future.result()
        except pebble.ProcessExpired as error:
            return Lost(item, f"its process ended without a result ({_ended(error.exitcode)})")
        except MemoryError as error:
            return Lost(item, str(error))
        except BrokenProcessPool:
            return _BROKEN
        except (pickle.PicklingError, AttributeError) as error:
            if "pickle" not in str(error) and "local object" not in str(error):
                raise
            raise StabbenchError(
                f"a recipe cannot be sent to another process: {error}",
                "define it at the top of a module, or use workers=1",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not closed: nobody waits for what they may still do (they ignore Ctrl-C), nor for a second in which Python
        # clears PyTorch away.
        self._pool.stop()
        self._pool.join()
        self._folder.cleanup()


def _next(done: queue.SimpleQueue[Any]) -> Any:
    with contextlib.suppress(queue.Empty):
        return done.get(timeout=POLL_SECONDS)


def _ended(exitcode: int) -> str:
    if exitcode == -signal.SIGKILL:
        return "killed: by the system for want of memory, perhaps"
    return f"exit code {exitcode}"


# Of this process, where it is a worker: its place in the pool, held as long as it lives, and the counters of all.
_place: Any = None
_counters: Any = None


def _start_worker(
    folder: Path, counters: Any, gpus: Sequence[int], plugins: Sequence[str], modules: Sequence[str]
) -> None:
    global _place, _counters
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _place, _counters = _take_place(folder, len(counters)), counters
    if gpus:
        use_gpu(gpus[_place[0] % len(gpus)])
    from stabbench.recipes import load_plugin

    # Importing makes very many objects, none of them garbage: to look for it takes a fifth of the time.
    gc.disable()
    for plugin in plugins:
        load_plugin(plugin)
    for module in modules:
        importlib.import_module(module)
    gc.freeze()
    gc.enable()


def _take_place(folder: Path, places: int) -> tuple[int, FileLock]:
    """The first place that no other worker holds; the system gives back those of the dead."""
    while True:
        for number in range(places):
            with contextlib.suppress(Timeout):
                lock = FileLock(folder / f"{number}.lock")
                lock.acquire(timeout=0)
                return number, lock
        time.sleep(POLL_SECONDS)


def _die_with_parent() -> None:
    """A killed driver must not leave workers behind that train for nobody."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def _work(function: Callable[[Item, Tick], Result], item: Item) -> Result:
    return function(item, _count)


def _count(steps: int) -> None:
    _counters[_place[0]] += steps
