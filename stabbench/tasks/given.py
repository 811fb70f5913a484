"""Tasks that Python code gives: an object, or a function that is known by a name.

A function of one's own, in a plugin or any module::

    @stabbench.task("shop/reviews")
    def reviews():
        return stabbench.Task(...)

A package offers one through the entry-point group ``stabbench.tasks``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stabbench.code.users_code import users_code, where
from stabbench.errors import StabbenchError, TaskError, excerpt
from stabbench.tasks.offered import Offered
from stabbench.tasks.task import Task

MakeTask = Callable[[], Task]


@dataclass(frozen=True, eq=False)
class GivenSource:
    """A task as an object, which is sent to workers whole."""

    task: Task
    folder: None = None

    @property
    def name(self) -> str:
        """The object's."""
        return self.task.name

    def load(self) -> Task:
        """The object."""
        return self.task


@dataclass(frozen=True)
class DefinedSource:
    """A task that a package or a plugin defines.

    Attributes:
        name: By which it is known.
        folder: None: it reads no data folder.
    """

    name: str
    folder: None = None

    def load(self) -> Task:
        """What the function gives; whatever it raises is a TaskError."""
        make = _offered.find(self.name)
        try:
            with users_code():
                task = make()
        except StabbenchError:
            raise
        except Exception as error:
            raise TaskError(f"task {self.name!r} cannot be loaded: {where(error)}") from error
        if not isinstance(task, Task):
            raise TaskError(f"task {self.name!r} is {excerpt(task)}", "its function must return a stabbench.Task")
        return dataclasses.replace(task, name=self.name)


def task(name: str) -> Callable[[MakeTask], MakeTask]:
    """Make a function without arguments that returns a :class:`stabbench.Task` known by a name, as a decorator.

    Raises:
        TaskError: The name is taken, or cannot be told from a task's options.
    """
    if not isinstance(name, str) or not name.strip() or ":" in name:
        raise TaskError(f"a task cannot be named {excerpt(name)}", 'give a text without a colon: "shop/reviews"')

    def define(make: MakeTask) -> MakeTask:
        _offered.add(name, make, f"{make.__module__}:{make.__qualname__}")
        return make

    return define


def find_defined(name: str, _: Path | None) -> DefinedSource | None:
    """The source of a task that a package or a plugin defines."""
    return DefinedSource(name) if name in _offered.all() else None


def defined_names() -> list[str]:
    """Names of all tasks that packages and plugins define."""
    return list(_offered.all())


def tasks_of(module: str) -> list[str]:
    """Names of the tasks that a module defines."""
    return _offered.added_by(module)


def _made(_: str, value: Any) -> MakeTask:
    if isinstance(value, Task):
        return lambda: value
    if callable(value):
        return value  # type: ignore[no-any-return]
    raise TypeError(f"{excerpt(value)} is neither a task nor a function that makes one")


_offered: Offered[MakeTask] = Offered("task", "stabbench.tasks", {}, _made)
