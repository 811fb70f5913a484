"""A progress that keeps what it is told."""

from stabbench.records.run import RunRecord
from stabbench.runner.progress import Progress


class Noting(Progress):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.trained: list[int] = []
        self.plans: list[tuple[int, int, int]] = []
        self.ticks = 0

    def planned(self, stored: int, to_run: int, steps: int) -> None:
        self.plans.append((stored, to_run, steps))

    def note(self, text: str) -> None:
        self.notes.append(text)

    def tick(self, steps: int) -> None:
        self.ticks += steps

    def finished(self, records: list[RunRecord]) -> None:  # type: ignore[override]
        self.trained += [record.seeds.seed for record in records]
