"""Progress of training on stderr: a bar with the time left on a terminal, otherwise one line a group of runs."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence

from tqdm import tqdm

from stabbench.escape import one_line, printable
from stabbench.records.run import Outcome, RunRecord
from stabbench.runner.progress import Progress

LOADING = "loading PyTorch and the model"


class _Lines(Progress):
    """Progress as lines, for logs."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._done = self._runs = 0

    def planned(self, stored: int, to_run: int, steps: int) -> None:
        self._done, self._runs = 0, to_run
        self._say(f"{stored} runs are stored, {to_run} to train" + (f" ({steps:,} steps)" if steps else ""))

    def note(self, text: str) -> None:
        self._say(f"note: {text}")

    def finished(self, records: Sequence[RunRecord]) -> None:
        self._done += len(records)
        self._say(f"{self._done}/{self._runs} runs, {time.monotonic() - self._started:.0f} s: {_group(records)}")

    def _say(self, text: str) -> None:
        print(f"stabbench: {printable(one_line(text))}", file=sys.stderr, flush=True)


class _Bar(Progress):
    """Progress as a bar, for a terminal."""

    def __init__(self) -> None:
        self._bar: tqdm[None] | None = None
        self._runs = ""

    def planned(self, stored: int, to_run: int, steps: int) -> None:
        if stored:
            _write(f"{stored} runs are stored, {to_run} to train")
        self.close()  # a sequential gate starts one wave after another
        self._runs = f"{to_run} runs"
        # Until the first step PyTorch and the model are loaded and checked, in every worker: that takes seconds.
        total, unit, what = (steps, "step", LOADING) if steps else (to_run, "run", self._runs)
        self._bar = tqdm(total=total, unit=unit, desc=what, leave=False, smoothing=0.1)

    def note(self, text: str) -> None:
        _write(f"note: {text}")

    def tick(self, steps: int) -> None:
        if self._bar is not None and steps:
            if self._bar.desc.startswith(LOADING):
                self._bar.set_description(self._runs, refresh=False)
            self._bar.update(steps)

    def finished(self, records: Sequence[RunRecord]) -> None:
        _write(_group(records))

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


@contextlib.contextmanager
def shown_progress() -> Iterator[Progress]:
    """Progress callbacks: a bar if stderr is a terminal, lines if not."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    bar = _Bar()
    try:
        yield bar
    finally:
        bar.close()


def _write(text: str) -> None:
    """Print a line above the bar."""
    tqdm.write(printable(one_line(text)), file=sys.stderr)


def _group(records: Sequence[RunRecord]) -> str:
    """``devlin, seeds 0-2 7: 1 failed``."""
    numbers = " ".join(_spans([record.seeds.seed for record in records]))
    failed = sum(record.outcome is Outcome.FAILED for record in records)
    missing = sum(record.outcome is Outcome.MISSING for record in records)
    ends = [f"{count} {name}" for count, name in ((failed, "failed"), (missing, "missing")) if count]
    seeds = "seed" if len(records) == 1 else "seeds"
    return f"{records[0].recipe}, {seeds} {numbers}: {', '.join(ends) or 'none failed'}"


def _spans(numbers: Sequence[int]) -> Iterator[str]:
    """Seeds with runs of neighbours joined, ``0-2 7``: a group on a GPU may have thousands."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ("-".join(map(str, span)) for span in spans)
