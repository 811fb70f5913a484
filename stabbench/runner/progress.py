"""Progress callbacks of a plan that is run."""

from __future__ import annotations

from collections.abc import Sequence

from stabbench.records.run import RunRecord


class Progress:
    """Callbacks of a plan that is run; each does nothing here."""

    def planned(self, stored: int, to_run: int, steps: int) -> None:
        """``stored`` runs need no training; ``to_run`` do, with ``steps`` seed-steps in all, 0 where nobody knows."""

    def note(self, text: str) -> None:
        """Something that the user should know."""

    def tick(self, steps: int) -> None:
        """``steps`` more seed-steps were made; runs, where the number of steps is not known."""

    def finished(self, records: Sequence[RunRecord]) -> None:
        """A group of runs of one recipe is done and stored."""
