"""The real package of every tracker that is installed: what is written there is read again by ``--from``."""

from __future__ import annotations

import importlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from trackers.test_log import HISTORY, RUNS, log, record

from stabbench.imported.choice import Choice
from stabbench.imported.runs import read_all
from stabbench.records.history import History
from stabbench.records.run import Outcome
from stabbench.records.store import Store
from stabbench.trackers.find import _BUILT_IN
from stabbench.trackers.log import tracked
from stabbench.trackers.tracker import LoggedRun, Tracker

# Of these packages' own libraries.
pytestmark = pytest.mark.filterwarnings("ignore")

OTHER = [record(5, recipe="mosbach", id="0" * 16, score=1 / 3, outcome=Outcome.FAILED)]


def _mlflow(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    return folder / "mlflow.db"


def _trackio(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("trackio.sqlite_storage.TRACKIO_DIR", folder / "trackio")
    return folder / "trackio" / "stabbench.db"


def _wandb(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WANDB_DIR", str(folder))
    return folder / "wandb"


SETTINGS: dict[str, Callable[[Path, pytest.MonkeyPatch], Path]] = {
    "mlflow": _mlflow,
    "trackio": _trackio,
    "wandb": _wandb,
}


@pytest.fixture(params=_BUILT_IN)
def tracker(request: pytest.FixtureRequest) -> str:
    pytest.importorskip(request.param)
    return str(request.param)


@pytest.fixture
def results(tracker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What ``--from`` reads of what the tracker writes."""
    monkeypatch.chdir(tmp_path)
    return SETTINGS[tracker](tmp_path, monkeypatch)


def test_what_is_logged_is_read_again(tracker: str, results: Path, tmp_path: Path) -> None:
    assert log(tmp_path / "store", [tracker], [*RUNS, *OTHER]) == []
    assert log(tmp_path / "store", [tracker], [*RUNS, *OTHER]) == [], "and again: they are there"
    devlin, mosbach = read_all([("", results)], Choice())
    assert (devlin.label, mosbach.label) == ("devlin", "mosbach")
    measured = [*RUNS[:3]]
    assert [(r.seeds.seed, r.score, r.outcome) for r in devlin.records] == [
        (r.seeds.seed, r.score, r.outcome) for r in measured
    ]
    assert {r.task for r in devlin.records} == {"lab/entailment"}
    assert [r.steps for r in devlin.records] == [3, 3, 3]
    assert [(r.seeds.seed, r.score, r.outcome) for r in mosbach.records] == [(5, 1 / 3, Outcome.FAILED)]


def test_what_a_killed_command_has_left_of_a_run_is_written_anew(
    tracker: str, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _, name = _BUILT_IN[tracker].partition(":")
    made: Tracker = getattr(importlib.import_module(module), name)()

    class KilledError(Exception):
        pass

    class Broken(dict[str, float]):
        """Metrics of a run whose writing ends before they are written."""

        def items(self) -> object:  # type: ignore[override]
            raise KilledError

    whole = LoggedRun.of(RUNS[0], HISTORY, ended=1000.0)
    with pytest.raises(KilledError):
        made.log(LoggedRun(**{**vars(whole), "metrics": Broken(whole.metrics)}))
    made.close()
    assert not made.logged(RUNS[0].id)
    assert log(tmp_path / "store", [tracker], RUNS[:1]) == []
    (runs,) = read_all([("", results)], Choice())
    assert [(r.seeds.seed, r.score, r.outcome) for r in runs.records] == [(0, 0.75, Outcome.OK)]


def test_mlflow_has_the_curves_and_a_failed_run_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow")
    file = _mlflow(tmp_path, monkeypatch)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "ours")
    log(tmp_path / "store", ["mlflow"], [RUNS[2]])
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT status, start_time, end_time FROM runs").fetchall() == [
            ("FINISHED", 1767225598500, 1767225600000)
        ]
        assert ("ours",) in db.execute("SELECT name FROM experiments").fetchall()
        losses = db.execute("SELECT step, value, is_nan FROM metrics WHERE key = 'train/loss' ORDER BY step").fetchall()
    assert losses == [(1, 0.7, 0), (2, 0.0, 1), (3, 0.5, 0)]


def test_mlflow_takes_whatever_a_training_calls_its_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow")
    file = _mlflow(tmp_path, monkeypatch)
    names = ["eval accuracy %", "../x", "a//b", "x/", "loss", "日本", "e\nf"]
    with Store(tmp_path / "store") as store:
        store.put(RUNS[0], History(metrics=dict.fromkeys(names, 0.25)))
        with tracked(["mlflow"], store, pytest.fail) as to:
            to.add(RUNS[:1])
    with closing(sqlite3.connect(file)) as db:
        found = [name for (name,) in db.execute("SELECT key FROM latest_metrics WHERE value = 0.25")]
    assert len(found) == len(names)
    assert "metric/eval accuracy _" in found


def test_a_server_that_is_not_there_costs_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed_endpoint: str
) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", closed_endpoint)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    (note,) = log(tmp_path / "store", ["mlflow"], RUNS)
    assert note.startswith("mlflow fails, and gets no more runs: MlflowException")
    with Store(tmp_path / "store", write=False) as store:
        assert len(list(store.records())) == len(RUNS)
