"""`stabbench study`, the real command: a user's file, resumed, with cells that other commands made, and refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from command import COMMAND, stabbench, without_origin

STUDY = """
title = "Two recipes at two rates"
recipes = ["devlin", "bias-correction"]
tasks = ["lab/entailment", "lab/paraphrase"]
variants = ["examples=64"]
seeds = 2

[grid]
lr = [1e-5, 2e-5]
"""
SHORT = ["--max-steps", "3", "--workers", "1"]


def test_a_study_of_ones_own_trains_prints_and_is_cached(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(STUDY)
    first = stabbench("study", "mine.toml", *SHORT, "--json", "out.json", "--plot", "out.png", cwd=tmp_path)
    assert "mine: Two recipes at two rates" in first.stdout
    assert first.stderr.count("8 to train") == 2
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    places = [(row["task"], row["recipe"], row["varied"]["lr"]) for row in rows]
    assert places == [
        (task, recipe, lr)
        for task in ("lab/entailment", "lab/paraphrase")
        for recipe in ("devlin", "bias-correction")
        for lr in (1e-5, 2e-5)
    ]
    assert all(row["planned"] == 2 and row["steps"] == 3 and row["variant"] == "examples=64" for row in rows)
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")

    again = stabbench("study", "mine.toml", *SHORT, cwd=tmp_path)
    assert without_origin(again.stdout) == without_origin(first.stdout)
    assert "to train" not in again.stderr
    # The grid's second rate is the default: the same runs, to any other command.
    compared = stabbench(
        "compare", "devlin", "bias-correction", "--task", "lab/entailment:examples=64", "--seeds", "2", *SHORT,
        cwd=tmp_path,
    )  # fmt: skip
    assert "to train" not in compared.stderr

    (tmp_path / "other.toml").write_text(STUDY.replace("1e-5", "5e-5"))
    other = stabbench("study", "other.toml", *SHORT, "--task", "lab/entailment", "--format", "github", cwd=tmp_path)
    assert "4 runs are stored, 4 to train" in other.stderr
    assert "| devlin" in other.stdout


def test_a_shipped_study_runs_elsewhere_and_beside_the_published_numbers(tmp_path: Path) -> None:
    done = stabbench(
        "study", "zhang2021-table4", "--task", "lab/similarity", "--seeds", "2", *SHORT, "--published", cwd=tmp_path
    )
    assert "90.1 ± 0.7 (20 seeds)" in done.stdout
    assert "other data, other model" in done.stdout


def test_a_study_that_needs_no_training_leaves_no_store(tmp_path: Path) -> None:
    done = stabbench("study", "zhang2021-fig1", "--plot", "bias.png", cwd=tmp_path)
    assert "lab/entailment" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["bias.png"]


def test_a_killed_study_goes_on_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(STUDY)
    command = [*COMMAND, "study", "mine.toml", "--max-steps", "40", "--workers", "1", "--stack", "1"]
    running = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert running.stderr is not None
    for line in running.stderr:
        if " 2/8 runs" in line:
            break
    os.kill(running.pid, signal.SIGKILL)
    running.wait(timeout=60)
    running.stderr.close()
    time.sleep(0.1)
    stored = len(stabbench("list", "runs", cwd=tmp_path).stdout.splitlines())
    assert stored >= 2
    done = stabbench("study", "mine.toml", "--max-steps", "40", "--workers", "1", "--stack", "1", cwd=tmp_path)
    assert f"{stored} runs are stored, {8 - stored} to train" in done.stderr
    assert len(stabbench("list", "runs", cwd=tmp_path).stdout.splitlines()) == 16


def test_bad_input_ends_with_a_message(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(STUDY.replace("devlin", "devlni"))
    for arguments, message in (
        (["mosbach2021-table2"], "did you mean 'mosbach2021-table1'"),
        (["mine.toml"], "did you mean 'devlin'"),
        (["none.toml"], "cannot be read"),
        (["zhang2021-fig9", "--seeds", "3,3"], "seed 3 is given twice"),
        (["zhang2021-fig2", "--task", "glue/rte", "--data-dir", "nowhere"], "no such folder"),
        (["zhang2021-fig2", "--task", "lab/entailment:examples=2000"], "has 1000 training examples"),
        (["mosbach2021-table1", "--task", "lab/entailmnt"], "did you mean 'lab/entailment'"),
    ):
        assert message in stabbench("study", *arguments, cwd=tmp_path, expect=3).stderr
    assert not (tmp_path / ".stabbench").exists()
