"""The history of gates: what is kept, what is read again, and which steps are found in it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.random import Generator

from stabbench.errors import StabbenchError
from stabbench.gate.elsewhere import gate_elsewhere, record_elsewhere
from stabbench.gate.history import (
    SCHEMA,
    PastCell,
    PastGate,
    add_to_history,
    find_changes,
    history_path,
    load_history,
)
from stabbench.gate.rules import Rules
from stabbench.imported.choice import Choice
from stabbench.imported.runs import read_all
from stabbench.report.history import history_tables, steps_text


def past(scores: list[float], recipe: str = "mosbach", runs: str | None = None) -> PastGate:
    failed = [score <= 0.5 for score in scores]
    cell = PastCell(recipe, "lab/entailment", "lab", "PASS", scores, failed, runs or str(hash(tuple(scores))))
    return PastGate(SCHEMA, "2026-11-20T10:00:00+00:00", "0.1.0", f"{len(scores):040x}", False, "PASS", [cell])


def drawn(draws: Generator, level: float, spread: float = 0.01, failing: float = 0.0) -> list[float]:
    scores = draws.normal(level, spread, 20)
    scores[draws.random(20) < failing] = 0.5
    return [float(score) for score in scores]


@pytest.mark.parametrize(
    ("what", "after"),
    [("mean", {"level": 0.76}), ("spread", {"level": 0.78, "spread": 0.05}), ("failed runs", {"failing": 0.5})],
)
def test_a_step_is_marked_in_what_changed(what: str, after: dict[str, float]) -> None:
    draws = np.random.default_rng(0)
    gates = [past(drawn(draws, **{"level": 0.78, **(after if gate >= 4 else {})})) for gate in range(7)]
    changes = find_changes(gates, 0.05)
    assert (what, 4) in [(change.what, change.gate) for change in changes]
    if what != "failed runs":  # runs that fail change mean and spread as well
        assert [change.what for change in changes] == [what]
    assert f"{what} " in steps_text(changes, gates, 0.05)
    (table,) = history_tables(gates, changes, [gates[0].cells[0].name])
    assert [bool(row[-1]) for row in table.texts] == [number == 4 for number in range(7)]


def test_gates_of_the_same_runs_are_no_new_evidence() -> None:
    """Twenty gates of one commit judge the same runs: by chance they differ from those of another commit."""
    draws = np.random.default_rng(3)
    first, second = past(drawn(draws, 0.78)), past(drawn(draws, 0.786))
    once = find_changes([first, second], 0.2)
    repeated = find_changes([first] * 20 + [second] * 20, 0.2)
    assert [(c.what, c.step.p) for c in once] == [(c.what, c.step.p) for c in repeated]
    (table,) = history_tables([first, first, second], [], [first.cells[0].name])
    assert [row[2] for row in table.texts] == ["20", "20=", "20"]


def test_what_a_gate_found_is_read_again(tmp_path: Path) -> None:
    rows = ["recipe,seed,score", *(f"bert,{seed},{0.7 + seed / 100}" for seed in range(5)), "bert,9,nan"]
    (tmp_path / "scores.csv").write_text("\n".join(rows))
    runs = read_all([("", tmp_path / "scores.csv")], Choice(None, None, 0.5, False, None))
    baselines = tmp_path / "baselines.json"
    record_elsewhere(runs, baselines)
    result = gate_elsewhere(baselines, runs, Rules())
    with pytest.raises(StabbenchError, match="no gate has left a history"):
        load_history(baselines)
    add_to_history(result, baselines)
    with history_path(baselines).open("ab") as file:
        file.write(b'{"schema": "stabbench/history/1", "da')  # a gate was killed
    add_to_history(result, baselines)
    gates, notes = load_history(baselines)
    assert len(gates) == 2
    assert "line 2 is passed over" in notes[0]
    (cell,) = gates[0].cells
    assert cell.scores == [0.7, 0.71, 0.72, 0.73, 0.74, None]
    assert list(cell.failed) == [False] * 5 + [True]
    assert cell.effects["mean"][0] == 0
    assert replace(gates[0], date="") == replace(gates[1], date="")


@pytest.mark.parametrize(
    "line", ["[]", "{}", "\x00", '{"schema": 1}', '{"cells": [{"scores": [1], "failed": []}]}', "9" * 5000]
)
def test_lines_that_are_no_gate_are_passed_over(tmp_path: Path, line: str) -> None:
    (tmp_path / "b.history.jsonl").write_text(f"{line}\n\n")
    gates, notes = load_history(tmp_path / "b.json")
    assert gates == []
    assert len(notes) == 1


def test_the_commit_and_whether_files_differ_from_it(tmp_path: Path) -> None:
    baselines = tmp_path / "baselines.json"

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    def gated() -> PastGate:
        from stabbench.gate.gate import GateResult
        from stabbench.gate.rules import Verdict

        class Passed(GateResult):
            verdict = Verdict.PASS  # type: ignore[assignment]

        add_to_history(Passed([], Rules()), baselines)
        return load_history(baselines)[0][-1]

    assert gated().commit == ""
    git("init", "-q")
    (tmp_path / "code.py").write_text("a")
    git("add", ".")
    git("commit", "-qm", "first")
    assert (gated().commit, gated().changed) == (git("rev-parse", "HEAD"), False)
    (tmp_path / "code.py").write_text("b")
    assert gated().changed
