"""Runs as CSV: every run a row, every number to the last bit, and no formula."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from examples import record

from stabbench.imported.choice import Choice
from stabbench.imported.runs import read_all
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.rows import COLUMNS, run_rows
from stabbench.records.run import Outcome
from stabbench.report.as_csv import as_csv

SCORES = [0.1 + 0.2, 1 / 3, 5e-324]
RUNS = [
    RecipeRuns("devlin", [record(seed, score=score) for seed, score in enumerate(SCORES)]),
    RecipeRuns("mosbach", [record(7, score=None, outcome=Outcome.FAILED, reason='loss, "nan"')]),
]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_run_is_a_row_and_every_number_comes_back() -> None:
    found = rows(as_csv(RUNS))
    assert [(r["recipe"], r["seed"], r["outcome"]) for r in found] == [
        ("devlin", "0", "ok"), ("devlin", "1", "ok"), ("devlin", "2", "ok"), ("mosbach", "7", "failed"),
    ]  # fmt: skip
    assert [float(r["score"]) for r in found[:3]] == SCORES
    assert (found[3]["score"], found[3]["reason"]) == ("", 'loss, "nan"')
    assert tuple(found[0]) == COLUMNS


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "=cmd|' /C calc'!A0"])
def test_no_text_is_a_formula(text: str) -> None:
    runs = RecipeRuns(text, [record(0, score=-0.5, model=text, reason=text)])
    (row,) = csv.DictReader(io.StringIO(as_csv([runs])))
    for column in ("recipe", "model", "reason"):
        assert row[column] == f"'{text.strip()}"
    assert row["score"] == "-0.5", "a number is no formula"


def test_what_is_written_is_read_as_the_same_runs(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(as_csv(RUNS))
    found = read_all([("", path)], Choice())
    expected = [(s, Outcome.OK) for s in SCORES], [(None, Outcome.FAILED)]
    assert {runs.label: [(r.score, r.outcome) for r in runs.records] for runs in found} == dict(
        zip(("devlin", "mosbach"), expected, strict=True)
    )
    again = read_all([("", path)], Choice())
    path.write_text(as_csv(again))
    assert [r.score for runs in read_all([("", path)], Choice()) for r in runs.records] == [*SCORES, None]


def test_what_another_tool_did_not_say_is_empty() -> None:
    elsewhere = replace(RUNS[0], records=[record(0, steps=0, seconds=0.0, constant_score=None)], source="a.csv")
    (row,) = run_rows([elsewhere])
    assert (row["steps"], row["seconds"], row["constant_score"]) == (None, None, None)
