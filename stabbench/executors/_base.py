"""The interface of an executor, and the simplest one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

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


class Executor(Protocol):
    """Calls a function on items, somewhere. What to do about those that are lost is left to the caller."""

    def map(
        self, function: Callable[[Item, Tick], Result], items: Iterable[Item], tick: Tick
    ) -> Iterator[Result | Lost[Item]]:
        """Results in the order in which they are done.

        Args:
            function: Importable; called with an item and a function that counts progress. A ``MemoryError`` that it
                raises makes the item lost; any other exception is raised here.
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

    def map(
        self, function: Callable[[Item, Tick], Result], items: Iterable[Item], tick: Tick
    ) -> Iterator[Result | Lost[Item]]:
        for item in items:
            try:
                result: Result | Lost[Item] = function(item, tick)
            except MemoryError as error:
                result = Lost(item, str(error))
            yield result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
