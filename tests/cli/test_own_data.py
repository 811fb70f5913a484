"""Data of one's own through the real command: from a file to a verdict."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from command import COMMAND, stabbench, unfolded

import stabbench as stabbench_package

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SHORT = ["--max-steps", "2", "--workers", "2"]

PLUGIN = """
import stabbench


@stabbench.metric
def right(predictions, labels):
    return float((predictions == labels).mean())
"""

PACKAGE = """
import stabbench


def right(predictions, labels):
    return float((predictions == labels).mean())


def notes():
    part = stabbench.Examples(["it broke", "lovely", "so so", "a cat"] * 10, None, [0, 1, 1, 0] * 10)
    return stabbench.Task("notes", "right", ("bad", "good"), train=part, evaluation=part)
"""


def test_from_a_file_with_three_classes_to_a_verdict(tmp_path: Path) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    shutil.copytree(EXAMPLES, project / "data")
    done = stabbench(
        "baseline", "record", "devlin", "--task", "data/notes.toml", "--seeds", "4", *SHORT, cwd=project
    )  # fmt: skip
    assert "90 of 300 rows are for evaluation" in done.stderr
    (cell,) = json.loads((project / "baselines.json").read_text())["cells"]
    assert (cell["task"], cell["task_file"], cell["metric"]) == ("notes", "./data/notes.toml", "macro_f1")
    assert "devlin on notes, lab" in stabbench("baseline", "show", "-v", cwd=project).stdout
    # Another checkout, and a command that is given outside of it.
    project.rename(elsewhere)
    gate = ["gate", "--baselines", "elsewhere/baselines.json", "--seeds", "3", "--workers", "2"]
    done = stabbench(*gate, "--task", "elsewhere/data/notes.toml", cwd=tmp_path, expect=2)
    assert "notes, model lab" in done.stdout
    assert "verdict: INCONCLUSIVE" in done.stdout
    of_task = ["--task", "elsewhere/data/notes.toml"]
    past = stabbench("history", "--baselines", "elsewhere/baselines.json", *of_task, cwd=tmp_path)
    assert "devlin on notes, lab" in past.stdout
    known = stabbench("diagnose", "devlin", "--task", "data/notes.toml", "--json", "causes.json", cwd=elsewhere)
    assert "there are no runs" not in known.stdout
    file, store = elsewhere / "data" / "notes.toml", elsewhere / ".stabbench"
    assert len(stabbench_package.diagnose(store=store, task=str(file), every=True)) == 4
    for file in ("notes.csv", "notes.toml"):
        done = stabbench(*gate, "--json", f"elsewhere/data/{file}", cwd=tmp_path, expect=3)
        assert "would be written over the data" in done.stderr, "though no option names the task"
    with (elsewhere / "data" / "notes.csv").open("a") as file:
        file.write("happy king sees horse,good\n")
    done = stabbench(*gate, cwd=tmp_path, expect=3)
    assert "verdict: INCOMPARABLE" in done.stdout
    assert re.search(r"INCOMPARABLE .* data: [0-9a-f]+ → [0-9a-f]+", unfolded(done.stdout))


def test_a_file_of_rows_and_a_metric_of_a_plugin_in_workers(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN)
    rows = (EXAMPLES / "notes.csv").read_text().replace("note,mood", "text,label")
    (tmp_path / "rows.csv").write_text(rows)
    (tmp_path / "task.toml").write_text('name = "own metric"\ntrain = "rows.csv"\nmetric = "right"\n')
    done = stabbench("run", "devlin", "--task", "rows.csv:examples=40", "--seeds", "2", *SHORT, cwd=tmp_path)
    assert "rows:examples=40, model lab: accuracy, best constant predictor 0.333" in done.stdout
    plugin = ["--task", "task.toml", "--plugin", "mine.py", "--seeds", "2", "--stack", "1"]
    done = stabbench("run", "devlin", *plugin, *SHORT, "--json", "out.json", cwd=tmp_path)
    assert "own metric, model lab: right, best constant predictor 0.333" in done.stdout
    done = stabbench("run", "devlin", "--task", "task.toml", cwd=tmp_path, expect=3)
    assert "unknown metric 'right'" in done.stderr


def test_no_output_is_written_over_the_data(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "data")
    before = (tmp_path / "data" / "notes.csv").read_bytes()
    for task, file in (
        ("data/notes.toml", "notes.csv"),
        ("data/notes.toml", "notes.toml"),
        ("data/notes.csv", "notes.csv"),
    ):
        done = stabbench("run", "devlin", "--task", task, "--json", f"data/{file}", *SHORT, cwd=tmp_path, expect=3)
        assert "would be written over the data" in done.stderr
    assert (tmp_path / "data" / "notes.csv").read_bytes() == before


def test_a_task_and_a_metric_of_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known by their entry points, in the command and in its workers; and missed where the package is not installed."""
    site = tmp_path / "site"
    (site / "shop-1.0.dist-info").mkdir(parents=True)
    (site / "shop.py").write_text(PACKAGE)
    (site / "shop-1.0.dist-info" / "METADATA").write_text("Name: shop\nVersion: 1.0\n")
    (site / "shop-1.0.dist-info" / "entry_points.txt").write_text(
        "[stabbench.metrics]\nright = shop:right\n"
        "[stabbench.tasks]\nshop/notes = shop:notes\nshop/broken = nowhere:task\n"
    )
    with monkeypatch.context() as installed:
        installed.setenv("PYTHONPATH", f"{site}:{ROOT}")
        run = [*COMMAND, "baseline", "record", "devlin", "--task", "shop/notes", "--seeds", "2", *SHORT, "--stack", "1"]
        done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
        # One that cannot be loaded is named, and hides no other.
        assert done.returncode == 3, done.stderr
        assert "the installed task 'shop/broken' (nowhere:task) cannot be loaded" in done.stderr
        entries = site / "shop-1.0.dist-info" / "entry_points.txt"
        entries.write_text(entries.read_text().replace("shop/broken = nowhere:task\n", ""))
        done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    (cell,) = json.loads((tmp_path / "baselines.json").read_text())["cells"]
    assert (cell["task"], cell["metric"], len(cell["scores"])) == ("shop/notes", "right", 2)
    done = stabbench("gate", cwd=tmp_path, expect=3)
    assert "the task 'shop/notes' of the baseline devlin on shop/notes, lab is not known here" in unfolded(done.stdout)
