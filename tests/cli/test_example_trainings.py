"""The training code in examples/, run as its own comments say."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest
from command import stabbench

from stabbench import Store

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def python_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python` in their commands is the interpreter that runs the tests, whatever else there is."""
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))


def test_a_script_with_the_trainer_of_transformers(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    stabbench("run", "run_pairs.toml:steps=3", "--seeds", "2", "--store", tmp_path, "--json", out, cwd=EXAMPLES)
    written = json.loads(out.read_text())
    assert written["constant_score"] == 0.54  # 108 of the 200 pairs do not entail
    assert (written["metric"], written["recipes"]["pairs:steps=3"]["steps"]) == ("accuracy", 3)
    with Store(tmp_path, write=False) as store:
        histories = [store.history(record.id) for record in store.records()]
    for history in histories:
        assert len(history.losses) == len(history.gradient_norms["all"]) == 3
        assert len(history.given_predictions) == 200
        assert history.scores
    assert histories[0].losses[0] != histories[1].losses[0], "another head, another order"


def test_scikit_learn_without_torch(tmp_path: Path) -> None:
    run = stabbench("compare", "sgd.toml", "sgd.toml:alpha=0.1", "--seeds", "3", "--store", tmp_path, cwd=EXAMPLES)
    assert "neg_log_loss, best constant predictor -1.099" in run.stdout
    assert "sgd            3     0 " in run.stdout


def test_a_loop_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import stabbench as package

    spec = importlib.util.spec_from_file_location("loop", EXAMPLES / "loop.py")
    assert spec is not None
    assert spec.loader is not None
    loop = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loop)
    monkeypatch.setattr(loop, "EPOCHS", 1)
    comparison = package.measure(loop.train, seeds=3, constant_score=loop.constant_score(), store=tmp_path)
    (runs,) = comparison.recipes
    assert len({record.final_loss for record in runs.records}) == 3
    assert runs.failures_known


def test_trl(tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="an optional package of the tests")
    run = stabbench("run", "sft.toml:steps=2", "--seeds", "2", "--store", tmp_path, cwd=EXAMPLES)
    assert "neg_eval_loss, best constant predictor -4.660" in run.stdout
    with Store(tmp_path, write=False) as store:
        (first, _) = store.records()
        history = store.history(first.id)
    assert len(history.losses) == 2
    assert history.scores == [first.score]
