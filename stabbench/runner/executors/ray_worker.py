"""A worker on a Ray cluster: an actor that lives as long as the executor, and what the driver asks of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ray

from stabbench.errors import StabbenchError
from stabbench.recipes import load_plugin
from stabbench.runner.executors.base import Item, Result, Tick
from stabbench.runner.executors.ray_connection import NEEDS


class Worker:
    """A worker as the driver sees it: calls that it answers later."""

    def __init__(self, device: str) -> None:
        # A thread of its own for questions, so that a running training does not keep them waiting.
        remote = ray.remote(max_restarts=0, max_task_retries=0, concurrency_groups={"questions": 1}, **NEEDS[device])
        self._actor = remote(StabbenchWorker).remote()
        self._made = 0

    def start(self, plugins: Sequence[str], check: Callable[[], str]) -> Any:
        return self._actor.start.remote(plugins, check)

    def work(self, function: Callable[[Item, Tick], Result], item: Item) -> Any:
        try:
            return self._actor.work.remote(function, item)
        except TypeError as error:
            raise StabbenchError(
                "a recipe cannot be sent to another process: it holds what cannot be pickled",
                "let its parameters be plain data",
            ) from error

    def ask(self) -> Any:
        return self._actor.made.remote()

    def progress(self, made: int) -> int:
        """What was made since the last answer; an earlier answer may come later."""
        before, self._made = self._made, max(self._made, made)
        return self._made - before

    def stop(self) -> None:
        ray.kill(self._actor)


class StabbenchWorker:
    """The worker itself: it does one item at a time, and says meanwhile how far it is."""

    def __init__(self) -> None:
        self._made = 0

    def start(self, plugins: Sequence[str], check: Callable[[], str]) -> str:
        for plugin in plugins:
            load_plugin(plugin)
        return check()

    def work(self, function: Callable[[Item, Tick], Result], item: Item) -> tuple[Result, int]:
        return function(item, self._count), self._made

    @ray.method(concurrency_group="questions")  # type: ignore[untyped-decorator]
    def made(self) -> int:
        return self._made

    def _count(self, steps: int) -> None:
        self._made += steps
