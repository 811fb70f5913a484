"""What training code records, as the history of its run."""

from __future__ import annotations

import json
from pathlib import Path

from stabbench.records.history import History
from stabbench.trainings.recorded import Recorded, read


def written(folder: Path, *entries: object) -> Recorded:
    file = folder / "recorded.jsonl"
    file.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
    return read(file)


def test_losses_norms_evaluations_and_predictions(tmp_path: Path) -> None:
    told = written(
        tmp_path,
        {"step": 1, "loss": 2.0, "grad_norm": 3.0},
        {"step": 2, "loss": float("nan")},
        {"step": 2, "metrics": {"eval_f1": 0.5, "eval_loss": 1.0}},
        {"step": 2, "predictions": [0, 1]},
        {"step": 4, "metrics": {"eval_f1": 0.75, "eval_loss": 0.5}},
        {"step": 4, "predictions": [1, 1]},
    ).history("f1", 0.75, History(metrics={"beside": 1.0}))
    assert (told.losses, told.loss_steps) == ([2.0, None], [])
    assert (told.probe_steps, told.gradient_norms) == ([1], {"all": [3.0]})
    assert (told.evaluation_steps, told.scores) == ([2, 4], [0.5, 0.75])
    assert told.metrics == {"eval_loss": 0.5, "beside": 1.0}
    assert told.given_predictions == [1, 1]


def test_losses_of_some_steps_say_which(tmp_path: Path) -> None:
    told = written(tmp_path, {"step": 5, "loss": 2.0}, {"step": 10, "loss": 1.0}).history("score", 0.5, History())
    assert (told.losses, told.loss_steps) == ([2.0, 1.0], [5, 10])


def test_an_evaluation_of_another_name_is_found_by_its_value(tmp_path: Path) -> None:
    told = written(tmp_path, {"step": 3, "metrics": {"a": 0.1, "b": 0.7}}).history("score", 0.7, History())
    assert (told.evaluation_steps, told.scores, told.metrics) == ([3], [0.7], {"a": 0.1})
    unknown = written(tmp_path, {"step": 3, "metrics": {"a": 0.1}}).history("score", 0.7, History())
    assert (unknown.evaluation_steps, unknown.metrics) == ([], {"a": 0.1})


def test_what_is_no_entry_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "recorded.jsonl"
    file.write_bytes(
        b'\xff\n[1]\n{"step": true, "loss": 1}\n{"step": -1, "loss": 1}\n{"loss": 1}\n{"step": 1, "loss": "x"}\n'
        b'{"step": 1, "metrics": [1]}\n' + b"[" * 100_000 + b'\n{"step": 1, "loss": 0.5}\n{"step": 2, "lo'
    )
    assert read(file).losses == {1: 0.5}
    assert read(tmp_path / "absent") == Recorded()
