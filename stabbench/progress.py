"""Progress: a bar with the time left on a terminal, one line a group of runs elsewhere. Both on stderr."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence

from tqdm import tqdm

from stabbench.records import Outcome, RunRecord
from stabbench.watcher import Watcher


class _Lines(Watcher):
    """For logs."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._done = self._runs = 0

    def planned(self, stored: int, to_run: int, steps: int) -> None:
        self._done, self._runs = 0, to_run
        self._say(f"{stored} runs are stored, {to_run} to train ({steps:,} steps)")

    def note(self, text: str) -> None:
        self._say(f"note: {text}")

    def finished(self, records: Sequence[RunRecord]) -> None:
        self._done += len(records)
        self._say(f"{self._done}/{self._runs} runs, {time.monotonic() - self._started:.0f} s: {_group(records)}")

    def _say(self, text: str) -> None:
        print(f"stabbench: {text}", file=sys.stderr, flush=True)


class _Bar(Watcher):
    """For people."""

    def __init__(self) -> None:
        self._bar: tqdm[None] | None = None
        self._failed = 0

    def planned(self, stored: int, to_run: int, steps: int) -> None:
        if stored:
            tqdm.write(f"{stored} runs are stored, {to_run} to train", file=sys.stderr)
        self.close()  # a gate plans wave after wave
        self._bar = tqdm(total=steps, unit="step", desc=f"{to_run} runs", leave=False, smoothing=0.1)

    def note(self, text: str) -> None:
        tqdm.write(f"note: {text}", file=sys.stderr)

    def tick(self, steps: int) -> None:
        if self._bar is not None:
            self._bar.update(steps)

    def finished(self, records: Sequence[RunRecord]) -> None:
        tqdm.write(_group(records), file=sys.stderr)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


@contextlib.contextmanager
def watcher() -> Iterator[Watcher]:
    """The right one for where stderr goes."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    bar = _Bar()
    try:
        yield bar
    finally:
        bar.close()


def _group(records: Sequence[RunRecord]) -> str:
    """``devlin, seeds 0-2 7: 1 failed``."""
    numbers = " ".join(_spans([record.seeds.seed for record in records]))
    failed = sum(record.outcome is Outcome.FAILED for record in records)
    missing = sum(record.outcome is Outcome.MISSING for record in records)
    ends = [f"{count} {name}" for count, name in ((failed, "failed"), (missing, "missing")) if count]
    return f"{records[0].recipe}, seeds {numbers}: {', '.join(ends) or 'none failed'}"


def _spans(numbers: Sequence[int]) -> Iterator[str]:
    """Neighbours together, ``0-2 7``: a group on a GPU may have thousands of seeds."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ("-".join(map(str, span)) for span in spans)
