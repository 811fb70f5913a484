"""Where jobs run: in this process, or in a pool of processes, one a core. One interface, one result a job."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import pickle
import queue
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from stabbench.errors import StabbenchError

Item = TypeVar("Item")
Result = TypeVar("Result")
Tick = Callable[[int], None]

POLL_SECONDS = 0.2


class Executor(Protocol):
    """Calls a function on items, somewhere."""

    def map(self, function: Callable[[Item, Tick], Result], items: Iterable[Item], tick: Tick) -> Iterator[Result]:
        """Results in the order in which they are done.

        Args:
            function: Importable; called with an item and a function that counts progress.
            items: Picklable.
            tick: Called with progress made anywhere.
        """
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class InProcess:
    """One after the other, here."""

    def map(self, function: Callable[[Item, Tick], Result], items: Iterable[Item], tick: Tick) -> Iterator[Result]:
        for item in items:
            yield function(item, tick)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class ProcessPool:
    """Several processes of this machine, each importing what it needs once.

    Args:
        workers: The number of processes.
        plugins: Plugin modules that define recipes; loaded in every process.
    """

    def __init__(self, workers: int, plugins: Sequence[str] = ()) -> None:
        # Spawned, not forked: a forked process inherits PyTorch's threads in a state that can hang.
        context = multiprocessing.get_context("spawn")
        self._counter = context.Value("Q", 0)
        self._pool = ProcessPoolExecutor(
            workers, context, initializer=_start_worker, initargs=(self._counter, tuple(plugins))
        )

    def map(self, function: Callable[[Item, Tick], Result], items: Iterable[Item], tick: Tick) -> Iterator[Result]:
        # A queue, not `concurrent.futures.wait`: Ctrl-C inside that leaves a future locked, and the pool hangs.
        done: queue.SimpleQueue[Future[Result]] = queue.SimpleQueue()
        seen, waiting = self._made(), 0
        for item in items:
            self._pool.submit(_work, function, item).add_done_callback(done.put)
            waiting += 1
        while waiting:
            try:
                future = done.get(timeout=POLL_SECONDS)
            except queue.Empty:
                future = None
            seen, before = self._made(), seen
            tick(seen - before)
            if future is not None:
                waiting -= 1
                yield self._result(future)

    def _made(self) -> int:
        # Without the lock: a worker that was killed may hold it for ever.
        return int(self._counter.get_obj().value)

    @staticmethod
    def _result(future: Future[Result]) -> Result:
        try:
            return future.result()
        except BrokenProcessPool as error:
            raise StabbenchError(
                "a worker process ended without a result: it was killed (out of memory, perhaps), or could not start",
                "what was recorded is kept: try a smaller --stack, or --workers 1; in a script of your own, guard its "
                'main part with `if __name__ == "__main__":`, or use workers=1',
            ) from error
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
        if kind is not None:
            # Stopped in the middle: the workers ignore Ctrl-C, and nobody waits for their current jobs.
            for process in list((self._pool._processes or {}).values()):
                process.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)


_worker_counter: Any = None


def _start_worker(counter: Any, plugins: Sequence[str]) -> None:
    global _worker_counter
    _worker_counter = counter
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    from stabbench.recipes import load_plugin

    for plugin in plugins:
        load_plugin(plugin)


def _die_with_parent() -> None:
    """A killed driver must not leave workers behind that train for nobody."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def _work(function: Callable[[Item, Tick], Result], item: Item) -> Result:
    return function(item, _count)


def _count(steps: int) -> None:
    with _worker_counter.get_lock():
        _worker_counter.value += steps
