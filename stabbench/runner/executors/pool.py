"""Several processes of this machine: one a core, or one a GPU."""

from __future__ import annotations

import multiprocessing.connection
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from stabbench.code.users_code import in_short
from stabbench.errors import StabbenchError
from stabbench.records.run import OUT_OF_MEMORY
from stabbench.runner.executors.base import Item, Lost, Result, Retry, Tick, no_retry, requeued
from stabbench.runner.executors.fork_server_handle import ForkServerHandle
from stabbench.runner.executors.worker_handle import WorkerProcess, packed

# A death that closes no connection, as a forked child holds it open, is noticed so late.
POLL_SECONDS = 1.0
# Processes that may end without having had an item, one after the other: then no more are started.
TRIES = 3


class ProcessPool:
    """Copies of a process that has imported what they need. One that ends is replaced, and only its item is lost.

    Args:
        workers: The number of processes.
        plugins: Plugin modules that define recipes; loaded in every process.
        modules: What every process imports, before its first item.
        gpus: The GPUs to spread the processes over; every process sees only its own.
    """

    def __init__(
        self, workers: int, plugins: Sequence[str] = (), modules: Sequence[str] = (), gpus: Sequence[int] = ()
    ) -> None:
        self._plugins, self._modules, self._gpus = plugins, modules, gpus
        self._server: ForkServerHandle | None = None
        # By its place: the successor of a worker sees the same GPU.
        self._workers: list[WorkerProcess | None] = [None] * workers
        self._idle: list[WorkerProcess] = []
        self._busy: dict[WorkerProcess, Any] = {}
        self._failures = 0
        self._last_end = ""

    def map(
        self,
        function: Callable[[Item, Tick], Result],
        items: Iterable[Item],
        tick: Tick,
        retry: Retry[Item] = no_retry,
    ) -> Iterator[Result | Lost[Item]]:
        todo = deque(items)
        try:
            while todo or self._busy:
                self._hire()
                self._hand_out(function, todo)
                results, error = self._collect(tick)
                yield from [result for result in results if not requeued(result, todo, retry)]
                if error is not None:
                    raise error
        finally:
            # Left in the middle: what they do is for nobody.
            for worker in list(self._busy):
                self._dismiss(worker)

    def _hire(self) -> None:
        if self._failures >= TRIES:
            if not any(self._workers):
                raise StabbenchError(
                    f"the worker processes end before they have done anything, {TRIES} in a row: {self._last_end}",
                    "what they have printed may say why; with workers=1 there are none",
                )
            return  # those that are there do the rest, or end as well
        if self._server is None or not self._server.alive:
            # A copy could not use a GPU whose driver an import has woken; nor may one be made of much on macOS.
            self._server = ForkServerHandle(self._modules if sys.platform == "linux" and not self._gpus else ())
        for place, worker in enumerate(self._workers):
            if worker is None:
                gpu = self._gpus[place % len(self._gpus)] if self._gpus else None
                self._workers[place] = WorkerProcess(self._server, self._plugins, self._modules, gpu)

    def _hand_out(self, function: Callable[[Item, Tick], Result], todo: deque[Item]) -> None:
        while todo and self._idle:
            worker = self._idle.pop()
            if worker.work(packed(function, todo[0])):
                self._busy[worker] = todo.popleft()

    def _collect(self, tick: Tick) -> tuple[list[Any], BaseException | None]:
        """What has come in, results or items lost, and the first error of an item, when something has."""
        multiprocessing.connection.wait([worker.connection for worker in self._workers if worker], POLL_SECONDS)
        results: list[Any] = []
        error: BaseException | None = None
        for worker in [worker for worker in self._workers if worker]:
            for kind, content in worker.messages():
                if kind == "made":
                    tick(content)
                elif kind == "ready":
                    self._idle.append(worker)
                elif kind == "refused":
                    raise _cannot_start(content) from content
                elif kind == "ended":
                    results += self._ended(worker, content)
                else:
                    self._failures = 0
                    item = self._busy.pop(worker)
                    self._idle.append(worker)
                    if kind == "raised":
                        error = error or content
                    else:
                        results.append(content if kind == "done" else Lost(item, content or OUT_OF_MEMORY))
        return results, error

    def _ended(self, worker: WorkerProcess, how: str) -> list[Lost[Any]]:
        """What is lost with a worker, whatever its exit code: it ends by itself only where something makes it end."""
        lost = []
        if worker in self._busy:
            lost = [Lost(self._busy[worker], f"its process ended without a result ({how})")]
        else:
            self._failures, self._last_end = self._failures + 1, how
        self._dismiss(worker)
        return lost

    def _dismiss(self, worker: WorkerProcess) -> None:
        worker.stop()
        self._workers[self._workers.index(worker)] = None
        self._busy.pop(worker, None)
        if worker in self._idle:
            self._idle.remove(worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in [worker for worker in self._workers if worker]:
            self._dismiss(worker)
        if self._server is not None:
            self._server.close()
            self._server = None


def _cannot_start(error: BaseException) -> StabbenchError:
    if isinstance(error, StabbenchError):
        return StabbenchError(f"a worker process cannot start: {error.message}", error.hint)
    return StabbenchError(
        f"a worker process cannot start: {in_short(error)}",
        "every worker imports your script anew: put what only the script itself is to do under "
        '`if __name__ == "__main__":`, or use workers=1',
    )
