"""Logging a command's runs, each of them once. A tracker that fails costs a note, and never a run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from stabbench.code.users_code import in_short, users_code
from stabbench.errors import shortened
from stabbench.escape import one_line
from stabbench.records.locks import claimed
from stabbench.records.run import Outcome, RunRecord
from stabbench.records.store import Store
from stabbench.trackers.find import open_tracker
from stabbench.trackers.tracker import LoggedRun, Tracker

# Characters of a tracker's error that a note repeats.
_LONGEST = 300


class TrackerLog:
    """Writes runs of a store to trackers.

    Args:
        names: Of the trackers.
        store: Where the runs are.
        note: Told what the user should know.
    """

    def __init__(self, names: Sequence[str], store: Store, note: Callable[[str], None]) -> None:
        self._store, self._note = store, note
        self._open: dict[str, Tracker] = {}
        self._done: set[str] = set()
        for name in dict.fromkeys(names):
            with self._tried(name):
                self._open[name] = open_tracker(name)

    def add(self, records: Iterable[RunRecord]) -> None:
        """Log those that are not logged yet, and stored. A missing run is none: the same command tries it again."""
        new = [r for r in records if r.id not in self._done and r.outcome is not Outcome.MISSING]
        if not new or not self._open:
            return
        # One process at a time: two that have the same runs from the store would both find that they are not logged.
        folder = self._store.path.parent
        with claimed(folder, ["trackers"], lambda: self._note("another process logs to a tracker: waiting for it")):
            for name, tracker in list(self._open.items()):
                with self._tried(name):
                    for record in new:
                        if not tracker.logged(record.id):
                            tracker.log(LoggedRun.of(record, self._store.history(record.id), _ended(record)))
        self._done |= {record.id for record in new}

    def close(self) -> None:
        """Let every tracker write out what it holds back."""
        for name, tracker in list(self._open.items()):
            with self._tried(name):
                tracker.close()

    @contextlib.contextmanager
    def _tried(self, name: str) -> Iterator[None]:
        try:
            with users_code():
                yield
        except Exception as error:
            self._open.pop(name, None)
            self._note(
                f"{name} fails, and gets no more runs: {shortened(one_line(in_short(error)))[:_LONGEST]}; they are "
                "stored, and the same command logs those that it lacks"
            )


@contextlib.contextmanager
def tracked(names: Sequence[str], store: Store, note: Callable[[str], None]) -> Iterator[TrackerLog]:
    """A log that is closed in the end."""
    log = TrackerLog(names, store, note)
    try:
        yield log
    finally:
        log.close()


def _ended(record: RunRecord) -> float:
    try:
        return datetime.fromisoformat(record.finished).timestamp()
    except ValueError:  # of a store that somebody wrote by hand
        return datetime.now(UTC).timestamp()
