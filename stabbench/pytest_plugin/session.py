"""The session of one test: its options, its progress, and its undecided assertions."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stabbench.errors import StabbenchError
from stabbench.escape import printable
from stabbench.recipes import recipe_class, recipe_names
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.report.progress import shown_progress
from stabbench.runner.methods import Method
from stabbench.runner.progress import Progress
from stabbench.trainings.training import Training


@dataclass(frozen=True)
class Settings:
    """The stability options of the pytest run."""

    seeds: int
    store: Path
    baselines: Path
    sequential: bool
    update: bool
    device: str
    plugins: tuple[str, ...] = ()


class Session:
    """The stability benchmarks of one test.

    Args:
        settings: The options of the pytest run.
        undecided: A list to which the test's results append what could not be decided.
        days: Filled with the test's runs by id: the day on which each was trained, or an empty text where the test
            trained it.
        runs: Filled with the ids of the test's runs by the recipe's label.
        request: The request of the test's ``stability`` fixture.
    """

    def __init__(
        self,
        settings: Settings,
        undecided: list[str],
        days: dict[str, str],
        runs: dict[str, list[str]],
        request: pytest.FixtureRequest,
    ) -> None:
        self.settings = settings
        self.undecided = undecided
        self._days = days
        self._runs = runs
        self._request = request

    def note_origin(self, runs: RecipeRuns) -> None:
        """Remember the runs, and which come from the store. Called again, those that the test trained do, too."""
        for record, day in zip(runs.records, runs.days, strict=True):
            self._days.setdefault(record.id, day)
            known = self._runs.setdefault(runs.label, [])
            if record.id not in known:
                known.append(record.id)

    def note_for_benchmark(self, name: str, content: dict[str, Any]) -> None:
        """Add a result to the timings of pytest-benchmark, if the test uses its fixture."""
        if "benchmark" in self._request.fixturenames:
            benchmark = self._request.getfixturevalue("benchmark")
            benchmark.extra_info.setdefault("stability", {}).setdefault(name, {}).update(content)

    @contextlib.contextmanager
    def shown_progress(self) -> Iterator[Progress]:
        """Shows progress despite pytest's capturing, as training takes minutes; silent under pytest-xdist."""
        capture = self._request.config.pluginmanager.getplugin("capturemanager")
        if capture is None or "PYTEST_XDIST_WORKER" in os.environ:
            yield Progress()
            return
        with capture.global_and_fixture_disabled(), shown_progress() as progress:
            yield progress


def usual_workers(recipe: Method) -> int | None:
    """None (the default number of workers) where other processes can import the recipe; otherwise 1.

    Workers know the built-in recipes and those of installed packages and of ``--stability-plugin``, but not a class of
    a test file. Under pytest-xdist each process trains by itself.
    """
    if isinstance(recipe, Training):
        return None if recipe.kind == "command" else 1
    cls = type(recipe)
    known = cls.name in recipe_names() and recipe_class(cls.name) is cls
    return None if known and "PYTEST_XDIST_WORKER" not in os.environ else 1


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Reports a StabbenchError, or a wrong argument, by its message alone: a traceback adds nothing."""
    __tracebackhide__ = True
    try:
        yield
    except (StabbenchError, TypeError) as error:
        if isinstance(error, TypeError) and "unexpected keyword argument" not in str(error):
            raise
        raise pytest.fail.Exception(printable(str(error)), pytrace=False) from None
