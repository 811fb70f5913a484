"""Who is told how an execution goes."""

from __future__ import annotations

from collections.abc import Sequence

from stabbench.records import RunRecord


class Watcher:
    """Told how an execution goes; this one keeps quiet."""

    def planned(self, stored: int, to_run: int, steps: int) -> None:
        """How many runs are stored already, how many will be trained, and their seed-steps in all."""

    def note(self, text: str) -> None:
        """Something that the user should know."""

    def tick(self, steps: int) -> None:
        """So many seed-steps were made."""

    def finished(self, records: Sequence[RunRecord]) -> None:
        """A group of runs of one recipe is done and stored."""
