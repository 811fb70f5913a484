"""What a source of a task is: it knows its task's name and which data folder it reads, and loads the task."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from stabbench.tasks.task import Task


class TaskSource(Protocol):
    """Where the data of one task are: plain data, so that another process loads the same task."""

    @property
    def name(self) -> str:
        """The task's name in run records."""

    @property
    def folder(self) -> Path | None:
        """The data folder that it reads, absolute; None where it reads none."""

    def __hash__(self) -> int:
        """A worker keeps the task that it loaded last."""

    def load(self) -> Task:
        """The task with its data.

        Raises:
            TaskError: The data cannot be read.
        """
