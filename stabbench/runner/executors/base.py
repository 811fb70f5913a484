"""The interface of an executor, and the simplest one."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from stabbench.errors import StabbenchError
from stabbench.records.run import OUT_OF_MEMORY

Item = TypeVar("Item")
Result = TypeVar("Result")
Tick = Callable[[int], None]


@dataclass(frozen=True)
class Lost(Generic[Item]):
    """An item without a result: its worker died over it, or it did not fit into the memory.

    Attributes:
        item: What was to be done.
        reason: Why it was not, in words.
    """

    item: Item
    reason: str


Retry = Callable[[Lost[Item]], Sequence[Item]]


def no_retry(_: Lost[Item]) -> Sequence[Item]:
    """Queue nothing in the place of a lost item."""
    return ()


class Executor(Protocol):
    """Calls a function on items, somewhere. What to do about those that are lost is left to the caller."""

    def map(
        self,
        function: Callable[[Item, Tick], Result],
        items: Iterable[Item],
        tick: Tick,
        retry: Retry[Item] = no_retry,
    ) -> Iterator[Result | Lost[Item]]:
        """Results in the order in which they are done.

        Args:
            function: Importable; called with an item and a function that counts progress. A ``MemoryError`` that it
                raises makes the item lost; any other exception is raised here.
            items: Picklable.
            tick: Called with progress made anywhere.
            retry: Gives the items to queue in the place of one that is lost, after all others, when memory may be free
                again; where it gives none, the Lost is among the results.
        """
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def requeued(result: Any, queue: deque[Item], retry: Retry[Item]) -> bool:
    """Whether a result is lost, and something else has been put into the queue for it."""
    parts = retry(result) if isinstance(result, Lost) else ()
    queue.extend(parts)
    return bool(parts)


def refuse_while_imported() -> None:
    """Refuse to run plans while a worker process imports the user's script.

    Raises:
        StabbenchError: This process is doing that: the script would do all its work again, and wait for itself.
    """
    # As multiprocessing itself finds it out.
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise StabbenchError(
            "the script is run anew by every worker process that it starts, as they import it",
            'put its main part under `if __name__ == "__main__":`, or use workers=1',
        )


class InProcess:
    """One after the other, here."""

    def map(
        self,
        function: Callable[[Item, Tick], Result],
        items: Iterable[Item],
        tick: Tick,
        retry: Retry[Item] = no_retry,
    ) -> Iterator[Result | Lost[Item]]:
        queue = deque(items)
        while queue:
            item = queue.popleft()
            try:
                result: Result | Lost[Item] = function(item, tick)
            except MemoryError as error:
                result = Lost(item, str(error) or OUT_OF_MEMORY)
            if not requeued(result, queue, retry):
                yield result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
