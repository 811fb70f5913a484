"""What others add to this room by name, metrics and tasks: installed packages through entry points, and plugins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from stabbench.code.users_code import users_code
from stabbench.errors import TaskError, unknown

Thing = TypeVar("Thing")


class Offered(Generic[Thing]):
    """Things by name, of which no two have the same.

    Args:
        kind: What they are, in messages.
        group: The entry points' group.
        built_in: Those that come with this package.
        make: From a name and the value of an entry point to the thing; raises TypeError where the value is none.
    """

    def __init__(self, kind: str, group: str, built_in: Mapping[str, Thing], make: Callable[[str, Any], Thing]) -> None:
        self._kind, self._group, self._built_in, self._make = kind, group, built_in, make
        self._installed: dict[str, Thing] | None = None
        self._added: dict[str, tuple[Thing, str]] = {}

    def add(self, name: str, thing: Thing, origin: str) -> None:
        """Add one that a module defines; the same definition, loaded again, takes its own place.

        Raises:
            TaskError: The name is that of another.
        """
        before = self._added.get(name)
        if name in self._built_in or (before is not None and before[1] != origin):
            other = "one of stabbench's own" if before is None else before[1]
            raise TaskError(f"two {self._kind}s are named {name!r}: {other} and {origin}", "rename one of them")
        self._added[name] = (thing, origin)

    def added_by(self, module: str) -> list[str]:
        """Names of those that a module, or one inside it, has added."""
        return [
            name for name, (_, origin) in self._added.items() if f"{origin.partition(':')[0]}.".startswith(f"{module}.")
        ]

    def all(self) -> dict[str, Thing]:
        """All of them by name, the built-in ones first.

        Raises:
            TaskError: One of an installed package cannot be loaded.
        """
        if self._installed is None:
            self._installed = {entry.name: self._load(entry) for entry in entry_points(group=self._group)}
        added = {name: thing for name, (thing, _) in self._added.items()}
        return {**self._installed, **added, **self._built_in}

    def find(self, name: str) -> Thing:
        """One by its name.

        Raises:
            TaskError: There is none of that name.
        """
        if name in self._built_in:  # without a look at what is installed
            return self._built_in[name]
        known = self.all()
        if name not in known:
            raise TaskError(unknown(self._kind, name, known))
        return known[name]

    def _load(self, entry: Any) -> Thing:
        try:
            with users_code():
                return self._make(entry.name, entry.load())
        except Exception as error:
            raise TaskError(
                f"the installed {self._kind} {entry.name!r} ({entry.value}) cannot be loaded: {error}",
                "repair or uninstall the package that provides it",
            ) from error
