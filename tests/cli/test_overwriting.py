"""Before anything is trained: no output is written over an input, the store or another output."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command import stabbench

STUDY = "title = 'x'\nrecipes = ['devlin']\ntasks = ['lab/entailment']\nmodels = ['lab']\nseeds = 1\nview = 'bias'\n"
TRAINING = (
    "name = 'rte'\ncommand = 'python train.py {seed}'\nscore = 'stdout:(.*)'\nconstant_score = 0\ninputs = ['*.csv']\n"
)
PLUGIN = "from stabbench import Recipe\nclass Mine(Recipe):\n    'x'\n    name = 'mine'\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Inputs of every kind, and links of every kind to some of them."""
    for file, text in {
        "baselines.json": "{}", "mine.py": PLUGIN, "study.toml": STUDY, "GLUE/RTE/train.tsv": "x",
        "train.py": "", "rte.toml": TRAINING, "rows.csv": "text,label\na,0\nb,1\n",
        "GLUE/RTE/dev.tsv": "x", "model/config.json": "{}", "s/runs.sqlite": "", "s/locks/a.lock": "",
    }.items():  # fmt: skip
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    (tmp_path / "link.json").symlink_to("mine.py")
    (tmp_path / "dangling.json").symlink_to("s/runs.sqlite-wal")
    os.link(tmp_path / "s/runs.sqlite", tmp_path / "hard.json")
    os.link(tmp_path / "GLUE/RTE/dev.tsv", tmp_path / "hard-dev.json")
    return tmp_path


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["run", "devlin", "--store", "s", "--json", "s/runs.sqlite"], "the run store s"),
        (["run", "devlin", "--store", "s", "--json", "s/locks/a.lock"], "the run store s"),
        (["run", "devlin", "--store", "s", "--json", "dangling.json"], "the run store s"),
        (["run", "devlin", "--store", "s", "--json", "hard.json"], "the run store s"),
        (["run", "devlin", "--store", "new", "--json", "new"], "the run store new"),
        (["run", "devlin", "--store", "new.json/store", "--json", "new.json"], "the run store new.json/store"),
        (["run", "devlin", "--json", "a.png", "--plot", "./a.png"], "--json (a.png)"),
        (["run", "mine", "--plugin", "mine.py", "--json", "mine.py"], "the plugin (mine.py)"),
        (["run", "mine", "--plugin", "mine", "--json", "mine.py"], "the plugin"),
        (["run", "mine", "--plugin", "mine.py", "--json", "link.json"], "the plugin (mine.py)"),
        (["run", "devlin", "--task", "glue/rte", "--data-dir", "GLUE", "--json", "hard-dev.json"], "the data"),
        (["run", "devlin", "--model", "model", "--json", "model/config.json"], "the model (model/config.json)"),
        (["run", "devlin", "--task", "rows.csv:examples=2", "--json", "rows.csv"], "the data"),
        (["run", "rte.toml", "--json", "rte.toml"], "the training"),
        (["run", "rte.toml", "--csv", "train.py"], "the training"),
        (["run", "rte.toml", "--json", "rows.csv"], "the training"),
        (["baseline", "record", "rte.toml", "--baselines", "train.py"], "the training"),
        (["gate", "--json", "baselines.json"], "the baselines file (baselines.json)"),
        (["gate", "--markdown", "baselines.json"], "the baselines file (baselines.json)"),
        (["gate", "--json", "a", "--markdown", "a"], "--json (a)"),
        (["study", "study.toml", "--json", "study.toml"], "the study (study.toml)"),
        (["baseline", "record", "devlin", "--store", "s", "--baselines", "s/runs.sqlite"], "the run store s"),
        (["baseline", "update", "--store", "s", "--baselines", "hard.json"], "the run store s"),
    ],
)
def test_an_output_is_not_written_over_what_the_command_needs(folder: Path, arguments: list[str], what: str) -> None:
    before = contents(folder)
    done = stabbench(*arguments, cwd=folder, expect=3)
    assert f"would be written over {what}" in done.stderr
    assert {
        path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "pyc" not in str(path)
    } == before


def test_outputs_beside_the_inputs_are_fine(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN)
    arguments = ["run", "mine", "--plugin", "mine.py", "--store", ".", "--seeds", "1", "--max-steps", "1"]
    stabbench(*arguments, "--json", "out.json", "--plot", "out.png", "--workers", "1", cwd=tmp_path)
    stabbench(*arguments, "--json", "/dev/null", cwd=tmp_path)
    assert (tmp_path / "runs.sqlite").is_file()
    assert (tmp_path / "out.json").is_file()


@pytest.mark.parametrize(("name", "said"), [("'a\\nb'", "in one line"), ("'\\ud800'", "in one line")])
def test_a_recipes_name_that_cannot_be_stored_is_found_before_the_training(
    name: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(f"{PLUGIN}\n\nclass Odd(Mine):\n    name = {name}\n")
    code = f"import stabbench\nstabbench.load_plugin('mine.py')\nstabbench.compare([stabbench.get_recipe({name})])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said in done.stderr
    assert not (tmp_path / ".stabbench").exists()


def test_a_model_whose_name_is_no_text_is_found_before_the_training(tmp_path: Path) -> None:
    name = os.fsdecode(b"enc\xff")
    (tmp_path / name).mkdir()
    done = stabbench("run", "devlin", "--model", name, cwd=tmp_path, expect=3)
    assert "is not Unicode" in done.stderr


def test_no_command_writes_over_baselines(tmp_path: Path) -> None:
    path = tmp_path / "ours.json"
    path.write_text('{\n "schema": "stabbench/baselines/1",\n "cells": []\n}\n')
    done = stabbench("run", "devlin", "--seeds", "1", "--max-steps", "1", "--json", path, cwd=tmp_path, expect=3)
    assert "would be written over a baselines file" in done.stderr
    assert "baselines/1" in path.read_text()
    assert not (tmp_path / ".stabbench").exists()
