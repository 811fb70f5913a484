"""Data of one's own in a test: a task as an object, and a task file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
OBJECT = """
    import stabbench

    TEXTS = ["it broke", "lovely", "so so", "a cat"] * 5
    PART = stabbench.Examples(TEXTS, None, [0, 1, 1, 0] * 5)
    TASK = stabbench.Task("mine", "accuracy", ("bad", "good"), train=PART, evaluation=PART)

    def test_mine(stability):
        result = stability.run("devlin", task=TASK, seeds=4, max_steps=2)
        result.not_less_stable_than_baseline(rate_margin=0.9, spread_margin=99, mean_margin=0.9)
        assert result.against("mosbach").candidate == "devlin"
"""


def test_a_task_as_an_object(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_suite=OBJECT)
    missing = pytester.runpytest_inprocess()
    missing.assert_outcomes(failed=1)
    missing.stdout.fnmatch_lines(["*there is no baseline of devlin on mine, lab*", "*pytest --stability-update*"])
    missing.stdout.no_fnmatch_line("*stabbench baseline record*")  # no command finds the object
    assert pytester.runpytest_inprocess("--stability-update").ret == 0
    judged = pytester.runpytest_inprocess()
    assert judged.parseoutcomes().keys() <= {"passed", "inconclusive"}, "so few seeds of two steps may decide or not"
    (cell,) = json.loads((pytester.path / "baselines.json").read_text())["cells"]
    assert (cell["task"], cell.get("task_file")) == ("mine", None)
    changed = OBJECT.replace('"a cat"', '"a dog"')
    pytester.makepyfile(test_suite=changed)
    other = pytester.runpytest_inprocess()
    other.assert_outcomes(failed=1)
    other.stdout.fnmatch_lines(["*INCOMPARABLE*data:*"])


def test_a_task_file(pytester: pytest.Pytester) -> None:
    for name in ("notes.toml", "notes.csv"):
        shutil.copy(EXAMPLES / name, pytester.path)
    pytester.makepyfile(
        test_suite="""
        def test_notes(stability):
            result = stability.run("devlin", task="notes.toml:examples=40", seeds=3, max_steps=2)
            assert result.summary.planned == 3
            result.not_less_stable_than_baseline()
        """
    )
    missing = pytester.runpytest_inprocess()
    missing.stdout.fnmatch_lines(["*stabbench baseline record devlin --task notes.toml:examples=40 *"])
    assert pytester.runpytest_inprocess("--stability-update").ret == 0
    assert pytester.runpytest_inprocess().parseoutcomes().keys() <= {"passed", "inconclusive"}
    (cell,) = json.loads((pytester.path / "baselines.json").read_text())["cells"]
    assert (cell["task"], cell["task_file"]) == ("notes:examples=40", "./notes.toml")
