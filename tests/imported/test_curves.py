"""Histories from a Trainer's log, and the causes that can be told from them."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from stabbench.diagnostics.causes import Cause
from stabbench.diagnostics.diagnose import diagnose_failed
from stabbench.imported.choice import Choice
from stabbench.imported.curves import logged_evaluations, logged_history
from stabbench.imported.runs import read_all
from stabbench.report.diagnosis import diagnosis_text, failures_line


def entry(step: int, loss: float, **more: Any) -> dict[str, Any]:
    return {"step": step, "epoch": step / 100, "loss": loss, "grad_norm": 1.5, "learning_rate": 1e-5, **more}


def folder(path: Path, seed: int, losses: list[float], score: float, **more: Any) -> None:
    """As a Trainer leaves it."""
    run = path / f"seed-{seed}"
    run.mkdir(parents=True)
    log: list[dict[str, Any]] = [entry(10 * (i + 1), loss, **more) for i, loss in enumerate(losses)]
    log += [{"step": 10 * len(losses), "eval_accuracy": score, "eval_runtime": 1.0}, {"train_loss": 0.5}]
    state = {"log_history": log, "global_step": 10 * len(losses), "max_steps": 10 * len(losses)}
    (run / "trainer_state.json").write_text(json.dumps(state))


def read(path: Path) -> Any:
    choice = Choice("eval_accuracy", r"seed-(\d+)", 0.5, lower_is_better=False, task=None)
    (runs,) = read_all([("", path)], choice)
    return runs


def test_what_is_logged_is_the_history(tmp_path: Path) -> None:
    folder(tmp_path / "runs", 3, [0.7, math.nan, 0.3], 0.8)
    runs = read(tmp_path / "runs")
    (history,) = runs.histories(runs.records).values()
    assert (history.loss_steps, history.losses) == ([10, 20, 30], [0.7, None, 0.3])
    assert (history.probe_steps, history.gradient_norms) == ([10, 20, 30], {"all": [1.5, 1.5, 1.5]})
    assert history.learning_rates == [1e-5] * 3
    assert (history.evaluation_steps, history.scores) == ([30], [0.8])


@pytest.mark.parametrize(
    "odd", [{}, {"step": "x", "loss": 1}, {"step": 3}, {"step": 3, "loss": [1], "grad_norm": None}]
)
def test_what_is_no_number_is_passed_over(odd: dict[str, Any]) -> None:
    assert logged_history([odd]).losses == []
    assert logged_evaluations([odd]) == {}


FLAT, LEARNT = [0.69] * 30, [0.7, 0.5, 0.4, 0.3] + [0.2] * 26


@pytest.mark.parametrize(
    ("losses", "more", "cause"),
    [
        (FLAT, {}, Cause.PLATEAU),
        ([*FLAT[:10], math.nan, *FLAT[11:]], {}, Cause.NON_FINITE),
        (FLAT, {"learning_rate": 0.0}, Cause.NEVER_MOVED),
        ([*LEARNT[:20], 5.0, 3.0, 2.0, 1.5, 0.9, *FLAT[:15]], {}, Cause.SPIKE),
        ([*LEARNT[:20], *FLAT[:15]], {}, Cause.LATE_COLLAPSE),
        (LEARNT, {}, Cause.NO_GENERALISATION),
    ],
)
def test_causes_are_told_as_far_as_the_log_goes(
    losses: list[float], more: dict[str, Any], cause: Cause, tmp_path: Path
) -> None:
    folder(tmp_path / "runs", 0, losses, 0.5, **more)
    folder(tmp_path / "runs", 1, LEARNT, 0.8)
    runs = read(tmp_path / "runs")
    (found,) = diagnose_failed(runs)
    assert found.cause is cause
    assert "gradient norms of the blocks" in found.lacking
    assert failures_line(runs) == f"1 of 2 failed: 1 {cause.words}"
    assert "has none of it" in diagnosis_text(runs, [found])
