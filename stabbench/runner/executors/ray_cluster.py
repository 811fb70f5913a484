"""The machines of a Ray cluster: one long-lived worker a core, or one a GPU."""

from __future__ import annotations

import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import ray
from ray.exceptions import RayError, RayTaskError

from stabbench.errors import StabbenchError
from stabbench.records.run import OUT_OF_MEMORY
from stabbench.runner.executors.base import Item, Lost, Result, Retry, Tick, no_retry, requeued
from stabbench.runner.executors.ray_connection import INSTALL, connected, in_words, slots
from stabbench.runner.executors.ray_worker import Worker

POLL_SECONDS = 1.0
MOST_KILLED = 100
PATIENCE_SECONDS = 20.0


class RayCluster:
    """Workers of a Ray cluster. One that dies is replaced where the cluster has room, and only its item is lost.

    An item is sent when a worker is free for it, and Ray repeats none: it would ask for the same memory again, and what
    was sent to a worker that is gone would wait for its return.

    Args:
        address: As for :func:`stabbench.runner.executors.ask`.
        workers: Their number; None for as many as the cluster has cores or GPUs.
        device: ``cpu`` or ``cuda``: a worker has one core, or one whole GPU.
        plugins: Plugin modules that define recipes; loaded by every worker.
        check: Importable; called by every worker before it gets an item. It says why that worker cannot be used, or
            nothing.
        note: Told which workers are left out and why, and that some do not start.

    Attributes:
        workers: How many there are at most.
    """

    def __init__(
        self,
        address: str | None,
        workers: int | None,
        device: str,
        plugins: Sequence[str],
        check: Callable[[], str],
        note: Callable[[str], None],
    ) -> None:
        self._device, self._check, self._note = device, check, note
        # A worker's working folder may be another one.
        self._plugins = [str(Path(name).resolve()) if name.endswith(".py") else name for name in plugins]
        # Every worker is in one of these, by the call that it is to answer.
        self._starting: dict[Any, Worker] = {}
        self._idle: list[Worker] = []
        self._running: dict[Any, tuple[Worker, Any]] = {}
        self._refused: list[Worker] = []
        self._reasons: list[str] = []
        self._killed = 0
        self._patient_until = math.inf
        self._connection = contextlib.ExitStack()
        self._connection.enter_context(connected(address))
        self._slots = slots(address, device)
        self.workers = workers or self._slots
        if not self.workers:
            self._connection.close()
            raise StabbenchError(
                f"the Ray cluster has no {'GPUs' if device == 'cuda' else 'cores'}",
                "add a machine to it, or say --workers where it grows when there is work",
            )

    def map(
        self,
        function: Callable[[Item, Tick], Result],
        items: Iterable[Item],
        tick: Tick,
        retry: Retry[Item] = no_retry,
    ) -> Iterator[Result | Lost[Item]]:
        queue: deque[Item] = deque(items)
        asked: dict[Any, Worker] = {}
        due = time.monotonic()
        try:
            while queue or self._running:
                self._hire(len(queue) + len(self._running))
                while queue and self._idle:
                    worker, item = self._idle.pop(), queue.popleft()
                    self._running[worker.work(function, item)] = worker, item
                if time.monotonic() >= due:
                    due = time.monotonic() + POLL_SECONDS
                    answering = set(asked.values())
                    asked |= {worker.ask(): worker for worker, _ in self._running.values() if worker not in answering}
                for call in ray.wait([*self._running, *self._starting, *asked], timeout=POLL_SECONDS)[0]:
                    if call in asked:
                        with contextlib.suppress(RayError):
                            tick(asked.pop(call).progress(ray.get(call)))
                    elif call in self._starting:
                        self._welcome(call)
                    elif not requeued(result := self._result(call, tick), queue, retry):
                        yield result
        finally:
            # Left in the middle: what they do is for nobody.
            for worker, _ in self._running.values():
                worker.stop()
            self._running.clear()

    def _hire(self, jobs: int) -> None:
        """As many as there is work for. Those refused keep their places: the next in one would be refused, too."""
        started = len(self._idle) + len(self._running)
        if self._refused and not started and len(self._refused) >= self._slots:
            raise StabbenchError(f"no worker of the Ray cluster can be used: {'; '.join(self._reasons)}", INSTALL)
        places = max(self.workers, self._slots) - len(self._refused)
        while started + len(self._starting) < min(self.workers, jobs, places):
            worker = Worker(self._device)
            self._starting[worker.start(self._plugins, self._check)] = worker
            self._patient_until = time.monotonic() + PATIENCE_SECONDS
        if self._starting and time.monotonic() > self._patient_until:
            self._patient_until = math.inf
            self._note(
                f"{started} of {started + len(self._starting)} workers have started: the rest waits for room in the "
                "Ray cluster (`ray status` shows what takes it)"
            )

    def _welcome(self, call: Any) -> None:
        worker = self._starting.pop(call)
        try:
            reason: str = ray.get(call)
        except RayError as error:
            reason = in_words(error)
            if not isinstance(error, RayTaskError) and self._killed < MOST_KILLED:
                self._killed += 1  # killed as it started: another one takes its place
                return
        if not reason:
            self._idle.append(worker)
            return
        self._refused.append(worker)
        if reason not in self._reasons:
            self._reasons.append(reason)
            self._note(f"a worker of the Ray cluster is left out: {reason}")

    def _result(self, call: Any, tick: Tick) -> Any:
        worker, item = self._running.pop(call)
        self._idle.append(worker)
        try:
            result, made = ray.get(call)
        except RayTaskError as error:
            if isinstance(error.cause, MemoryError):
                return Lost(item, str(error.cause) or OUT_OF_MEMORY)
            if isinstance(error.cause, RayError):
                raise StabbenchError(
                    f"a worker of the Ray cluster cannot read what it was sent: {in_words(error)}",
                    "what defines a recipe must be a plugin, or be installed on every machine of the cluster",
                ) from error
            raise error.cause from error
        except RayError as error:
            self._idle.remove(worker)
            worker.stop()
            return Lost(item, in_words(error))
        tick(worker.progress(made))
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in [*self._starting.values(), *self._idle, *self._refused, *(w for w, _ in self._running.values())]:
            worker.stop()
        for places in (self._starting, self._idle, self._refused, self._running):
            places.clear()
        self._connection.close()
