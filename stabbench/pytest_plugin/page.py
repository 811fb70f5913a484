"""``--stability-report``: a page about all stability benchmarks of a test run."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from stabbench.errors import StabbenchError
from stabbench.escape import one_line
from stabbench.gate.rules import Verdict
from stabbench.records.recipe_runs import RecipeRuns, by_recipe
from stabbench.records.store import Store
from stabbench.report.page.build import settings_of
from stabbench.report.page.html import SUFFIX
from stabbench.report.page.make import write_report
from stabbench.report.page.subject import Judged, Subject
from stabbench.report.page.svg import check_drawable

_VERDICTS = {"passed": Verdict.PASS, "failed": Verdict.FAIL, "inconclusive": Verdict.INCONCLUSIVE}


def check_page(path: Path) -> None:
    """Find out before the training that the page can be written.

    Raises:
        pytest.UsageError: It cannot.
    """
    try:
        check_drawable()
    except StabbenchError as error:
        raise pytest.UsageError(f"--stability-report: {error}") from None
    if path.suffix not in ("", SUFFIX):
        raise pytest.UsageError(f"--stability-report: {path} does not end in {SUFFIX}; a folder has no ending")
    if not path.absolute().parent.is_dir():
        raise pytest.UsageError(f"--stability-report: there is no folder {path.parent}")


def write_suite_page(reports: Mapping[str, Sequence[Any]], store: Path, path: Path) -> str:
    """Write the page, and say so.

    Args:
        reports: The reports of all tests by their category, as pytest's terminal reporter has them.
        store: The folder of the run store.
        path: A file that ends in .html, or a folder.
    """
    tests = [(kind, report) for kind in _VERDICTS for report in reports.get(kind, ()) if _has_runs(report)]
    if not tests:
        return "no benchmark trained a run: there is nothing to write a page about"
    try:
        recipes = _runs(store, [report.stability_runs for _, report in tests])
        judged = [Judged(report.nodeid, "", _VERDICTS[kind], _reason(report)) for kind, report in tests]
        title = f"Fine-tuning stability: {len(tests)} {'test' if len(tests) == 1 else 'tests'}"
        command = shlex.join(["pytest", *sys.argv[1:]])
        write_report(Subject(title, settings_of(recipes), judged, command=command), path)
    except StabbenchError as error:
        return f"there is no page: {one_line(str(error))}"
    return f"a page about {sum(len(runs.records) for runs in recipes)} runs: {path}"


def _has_runs(report: Any) -> bool:
    return bool(getattr(report, "stability_runs", None))


def _runs(store: Path, of_tests: Sequence[Mapping[str, Sequence[str]]]) -> list[RecipeRuns]:
    """The runs of all tests, each once, under the labels of the test that has them first."""
    labels: dict[str, str] = {}
    for of_test in of_tests:
        for label, ids in of_test.items():
            for run_id in ids:
                labels.setdefault(run_id, label)
    with Store(store, write=False) as opened:
        records = opened.get(list(labels))
    known = [dataclasses.replace(records[i], recipe=label) for i, label in labels.items() if i in records]
    return by_recipe(known, store)


def _reason(report: Any) -> str:
    return "; ".join(_lines(report)) or "every assertion holds"


def _lines(report: Any) -> Iterator[str]:
    """The first line of what failed or is undecided."""
    text = getattr(report, "stability_undecided", None)
    if text is None and report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        text = report.longreprtext if crash is None else crash.message
    if text and text.strip():
        yield text.strip().splitlines()[0].removeprefix("AssertionError: ")
