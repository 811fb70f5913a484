"""Where a command's score is found: the last value of a file, or what an expression finds in its output."""

from __future__ import annotations

from pathlib import Path

import pytest

from stabbench.trainings.score import ScorePlace
from stabbench.trainings.training import NoScoreError


def found(tmp_path: Path, place: str, text: str) -> float:
    made = ScorePlace.parse("here", place)
    if made.file:
        (tmp_path / made.file.partition("/")[2]).write_text(text)
    return made.find(text, tmp_path, {"output": str(tmp_path)}).value


@pytest.mark.parametrize(
    ("place", "text", "value"),
    [
        ("{output}/r.json:eval_f1", '{"eval_f1": 0.5, "epoch": 3}', 0.5),
        ("{output}/r.json:a.b", '{"a": {"b": 0.25}}', 0.25),
        ("{output}/r.json:f1", '[{"f1": 0.1}, {"f1": 0.2}]', 0.2),
        ("{output}/r.jsonl:f1", '{"f1": 0.1}\n{"f1": 0.3}\n', 0.3),
        ("{output}/r.csv:f1", "step,f1\n1,0.1\n2,0.4\n", 0.4),
        ("{output}/r.tsv:f1", "step\tf1\n1\t0.1\n2\t7e-1\n", 0.7),
        ("{output}/r.json:loss", '{"loss": -Infinity}', float("-inf")),
        ("stdout:^accuracy: (.*)$", "loss: 1\naccuracy: 0.75\n", 0.75),
        ("stdout:[0-9.]+$", "0.5", 0.5),
        ("stdout:f1=(\\S+)", "f1=0.5 then again f1=0.5", 0.5),
    ],
)
def test_a_score_is_found(tmp_path: Path, place: str, text: str, value: float) -> None:
    assert found(tmp_path, place, text) == value


@pytest.mark.parametrize(
    ("place", "text", "message"),
    [
        ("{output}/r.json:f1", '{"eval_f1": 0.5}', "r.json has no f1; it has eval_f1"),
        ("{output}/r.json:f1", '{"f1": "high"}', "f1 'high' is no number"),
        ("{output}/r.json:f1", '{"f1": true}', "f1 True is no number"),
        ("{output}/r.json:f1", '{"f1": 0.5', "is no JSON"),
        ("{output}/r.csv:f1", "step,f1\n", "has no rows"),
        ("{output}/r.csv:f1", "", "is empty"),
        ("stdout:acc (\\S+)", "nothing", "it printed nothing that"),
        ("stdout:acc (\\S+)", "acc 0.5\nacc 0.6", r"it printed 2 scores \(0.5, 0.6…\)"),
        ("stdout:acc (\\S+)", "acc high", "'high', which is no number"),
    ],
)
def test_what_is_no_score_is_said(tmp_path: Path, place: str, text: str, message: str) -> None:
    with pytest.raises(NoScoreError, match=message):
        found(tmp_path, place, text)


def test_numbers_beside_it_tell_runs_apart_but_not_those_of_time_and_seed(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(
        '{"f1": 0.5, "loss": 0.1, "eval_runtime": 3.2, "seed": 4, "wall_time": 1, "x": "y"}'
    )
    place = ScorePlace.parse("here", "{output}/r.json:f1")
    assert place.find("", tmp_path, {"output": str(tmp_path)}).others == {"loss": 0.1}


def test_a_file_that_was_not_written_is_no_score(tmp_path: Path) -> None:
    with pytest.raises(NoScoreError, match="it wrote no file"):
        ScorePlace.parse("here", "{output}/r.json:f1").find("", tmp_path, {"output": str(tmp_path)})
