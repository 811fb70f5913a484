"""What every result of a test needs: the options, the test's own fixtures, and where to put what is undecided."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stabbench.errors import StabbenchError
from stabbench.progress import watcher
from stabbench.watcher import Watcher


@dataclass(frozen=True)
class Settings:
    """The options of the test run."""

    seeds: int
    store: Path
    baselines: Path
    sequential: bool
    update: bool
    device: str


class Session:
    """One test's view of the test run.

    Args:
        settings: The options.
        undecided: Filled by the test's results with what could not be decided.
        request: Of the test.
    """

    def __init__(self, settings: Settings, undecided: list[str], request: pytest.FixtureRequest) -> None:
        self.settings = settings
        self.undecided = undecided
        self._request = request

    def note_for_benchmark(self, name: str, content: dict[str, Any]) -> None:
        """Put a result beside the timings of pytest-benchmark, where the test has its fixture."""
        if "benchmark" in self._request.fixturenames:
            benchmark = self._request.getfixturevalue("benchmark")
            benchmark.extra_info.setdefault("stability", {}).setdefault(name, {}).update(content)

    @contextlib.contextmanager
    def watching(self) -> Iterator[Watcher]:
        """Progress past pytest's capturing; trainings take minutes. Quiet under pytest-xdist."""
        capture = self._request.config.pluginmanager.getplugin("capturemanager")
        if capture is None or "PYTEST_XDIST_WORKER" in os.environ:
            yield Watcher()
            return
        with capture.global_and_fixture_disabled(), watcher() as watching:
            yield watching


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """A StabbenchError says what to do; its traceback says nothing more. So does the name of a wrong argument."""
    __tracebackhide__ = True
    try:
        yield
    except (StabbenchError, TypeError) as error:
        if isinstance(error, TypeError) and "unexpected keyword argument" not in str(error):
            raise
        raise pytest.fail.Exception(str(error), pytrace=False) from None
