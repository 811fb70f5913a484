"""Logging runs: once each, and no tracker costs a run. The trackers here are those of an installed package."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import pytest
from examples import HISTORY, record
from noting import Noting
from tracking import installed, logged

from stabbench.errors import StabbenchError
from stabbench.records.run import Outcome, RunRecord
from stabbench.records.seeds import Seeds
from stabbench.records.store import Store
from stabbench.runner.resources import Resources
from stabbench.trackers.log import tracked
from stabbench.trackers.tracker import LoggedRun


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return installed(tmp_path, monkeypatch)


RUNS = [
    record(0, score=0.75),
    record(1, score=0.5, outcome=Outcome.FAILED, reason="no better than the best constant predictor"),
    record(2, score=None, outcome=Outcome.FAILED, reason="not finite from step 2", final_loss=None),
    record(3, score=None, outcome=Outcome.MISSING, reason="out of memory"),
]


def log(folder: Path, trackers: list[str], runs: list[RunRecord]) -> list[str]:
    progress = Noting()
    with Store(folder) as store:
        store.put_all((run, HISTORY) for run in runs)
        with tracked(trackers, store, progress.note) as to:
            to.add(runs)
    return progress.notes


def test_every_measured_run_is_logged_once(lines: Path, tmp_path: Path) -> None:
    assert log(tmp_path / "store", ["lines", "lines"], RUNS[1:]) == []
    assert logged(lines) == [1, 2], "a missing run is tried again, and is no measurement"
    measured = record(3, score=0.7)
    assert log(tmp_path / "store", ["lines"], [*RUNS[:3], measured]) == []
    assert logged(lines) == [1, 2, 0, 3]
    assert lines.with_suffix(".closed").exists()


def test_two_stores_that_have_the_same_runs_log_them_once(lines: Path, tmp_path: Path) -> None:
    """The tracker is asked, not the store."""
    log(tmp_path / "one", ["lines"], RUNS)
    log(tmp_path / "other", ["lines"], RUNS)
    assert logged(lines) == [0, 1, 2]


def test_two_processes_at_once_log_no_run_twice(lines: Path, tmp_path: Path) -> None:
    runs = [record(seed) for seed in range(40)]
    log(tmp_path / "store", [], runs)
    at_once = [threading.Thread(target=log, args=(tmp_path / "store", ["lines"], runs)) for _ in range(3)]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    assert logged(lines) == list(range(40))


def test_a_tracker_that_fails_costs_a_note_and_no_run_of_another(lines: Path, tmp_path: Path) -> None:
    notes = log(tmp_path / "store", ["full", "unreachable"], RUNS)
    assert len(notes) == 2
    assert notes[0].startswith("unreachable fails")
    assert "ConnectionError: nobody listens" in notes[0]
    assert "the disk is full" in notes[1]
    assert logged(lines) == [0]
    assert log(tmp_path / "store", ["lines"], RUNS) == []
    assert logged(lines) == [0, 1, 2]


def test_what_is_logged_of_a_run() -> None:
    run = LoggedRun.of(record(4, seeds=Seeds.of(4, order=7), score=None), HISTORY, ended=1000.0)
    assert run.name == "devlin, lab/entailment, seed 4"
    assert {"seed": 4, "order_seed": 7, "recipe": "devlin", "parameters.lr": 2e-5}.items() <= run.parameters.items()
    assert run.parameters["environment.torch"] == "2"
    assert math.isnan(run.metrics["score"])
    assert (run.metrics["final_loss"], run.started) == (0.1, 998.5)
    steps, losses = zip(*run.curves["train/loss"], strict=True)
    assert steps == (1, 2, 3)
    assert losses == pytest.approx((0.7, math.nan, 0.5), nan_ok=True)
    assert run.curves["eval/score"] == [(2, 0.5), (3, 0.75)]
    assert [step for step, _ in run.curves["gradient_norm/head"]] == [1, 3]


def test_an_unknown_tracker_is_refused_before_anything_is_trained() -> None:
    with pytest.raises(StabbenchError, match="unknown tracker 'mlfow': did you mean 'mlflow'"):
        Resources(trackers=["mlfow"])
    with pytest.raises(StabbenchError, match="track takes a list"):
        Resources(trackers="mlflow")
