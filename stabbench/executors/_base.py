"""The interface of an executor, and the simplest one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

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


Instead = Callable[[Lost[Item]], Sequence[Item]]


def nothing(_: Lost[Item]) -> Sequence[Item]:
    """An item that is lost stays so."""
    return ()


class Executor(Protocol):
    """Calls a function on items, somewhere. What to do about those that are lost is left to the caller."""

    def map(
        self,
        function: Callable[[Item, Tick], Result],
        items: Iterable[Item],
        tick: Tick,
        instead: Instead[Item] = nothing,
    ) -> Iterator[Result | Lost[Item]]:
        """Results in the order in which they are done.

        Args:
            function: Importable; called with an item and a function that counts progress. A ``MemoryError`` that it
                raises makes the item lost; any other exception is raised here.
            items: Picklable.
            tick: Called with progress made anywhere.
            instead: Asked what to do in the place of an item that is lost; that comes after the other items, when what
                was short for a while may be there again. Where it is nothing, the item is among the results as lost.
        """
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def replaced(result: Any, queue: deque[Item], instead: Instead[Item]) -> bool:
    """Whether a result is lost, and something else has been put into the queue for it."""
    parts = instead(result) if isinstance(result, Lost) else ()
    queue.extend(parts)
    return bool(parts)


class InProcess:
    """One after the other, here."""

    def map(
        self,
        function: Callable[[Item, Tick], Result],
        items: Iterable[Item],
        tick: Tick,
        instead: Instead[Item] = nothing,
    ) -> Iterator[Result | Lost[Item]]:
        queue = deque(items)
        while queue:
            item = queue.popleft()
            try:
                result: Result | Lost[Item] = function(item, tick)
            except MemoryError as error:
                result = Lost(item, str(error))
            if not replaced(result, queue, instead):
                yield result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
