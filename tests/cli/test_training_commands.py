"""Training files through the commands: compared, recorded and gated as recipes are."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from command import stabbench, unfolded
from training_files import GOOD, PYTHON, training_file

PARAMETERS = "[parameters]\nshift = 0.0"
SCRIPT = GOOD.replace("draw.gauss(0.8, 0.02)", "draw.gauss(0.8, 0.02) + float(sys.argv[3])")


def test_a_training_file_is_compared_recorded_and_gated(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    training_file(
        folder, SCRIPT, more=PARAMETERS, command=f"{PYTHON} mine.py {{seed}} {{output}} {{shift}}", name="mine"
    )
    out = tmp_path / "out.json"
    compared = stabbench(
        *("compare", "code/mine.toml", "code/mine.toml:shift=-0.2", "--seeds", "8", "--check"),
        *("--workers", "2", "--json", out),
        cwd=tmp_path,
        expect=1,
    )
    assert "training code: accuracy, best constant predictor 0.500" in compared.stdout
    assert "FAIL mine:shift=-0.2 against mine: the mean fell" in unfolded(compared.stdout)
    assert "8 runs are stored" not in compared.stderr
    written = json.loads(out.read_text())
    assert [written["recipes"][label]["planned"] for label in ("mine", "mine:shift=-0.2")] == [8, 8]

    recorded = stabbench("baseline", "record", "code/mine.toml", "--seeds", "20", cwd=tmp_path)
    assert "recorded in baselines.json" in recorded.stdout
    assert json.loads((tmp_path / "baselines.json").read_text())["cells"][0]["task_file"] == "./code/mine.toml"
    passed = stabbench("gate", "--workers", "2", cwd=tmp_path)
    assert "PASS" in passed.stdout
    again = stabbench("gate", "code/mine.toml", cwd=tmp_path)
    assert "20 of 20 runs from the store" in again.stdout

    # What a pull request does: the code is changed, its name is not.
    (folder / "mine.py").write_text(SCRIPT.replace("0.8, 0.02", "0.6, 0.1"))
    failed = stabbench("gate", "--json", out, cwd=tmp_path, expect=1)
    assert "FAIL" in failed.stdout
    (cell,) = json.loads(out.read_text())["cells"]
    assert any(change.startswith("recipe_code: ") for change in cell["changed"]["recipe"]), "and it is said"

    # Another constant predictor is another evaluation set.
    training_file(
        folder, SCRIPT, more=PARAMETERS, command=f"{PYTHON} mine.py {{seed}} {{output}} {{shift}}", constant_score=0.6
    )
    incomparable = stabbench("gate", cwd=tmp_path, expect=3)
    assert "constant_score: 0.5 → 0.6" in unfolded(incomparable.stdout)


def test_a_verdict_needs_a_constant_score_and_a_missing_run_is_tried_again(tmp_path: Path) -> None:
    training_file(tmp_path, constant_score=None)
    described = stabbench("run", "mine.toml", "--seeds", "2", cwd=tmp_path)
    assert "unknown" in described.stdout
    refused = stabbench("baseline", "record", "mine.toml", "--seeds", "2", cwd=tmp_path, expect=3)
    assert "constant_score of a training" in refused.stderr
    assert not (tmp_path / "baselines.json").exists()

    training_file(tmp_path, GOOD + "sys.exit(pathlib.Path('broken').exists())", name="flaky")
    (tmp_path / "broken").touch()
    missing = stabbench("run", "flaky.toml", "--seeds", "2", cwd=tmp_path, expect=3)
    assert "2 of 2 runs are missing: exit code 1: done" in missing.stderr
    (tmp_path / "broken").unlink()
    assert "2 to train" in stabbench("run", "flaky.toml", "--seeds", "2", cwd=tmp_path).stderr


def test_what_says_nothing_of_a_training_is_refused(tmp_path: Path) -> None:
    training_file(tmp_path)
    for options, message in (
        (["--max-steps", "3"], "max_steps has no effect on training code"),
        (["--task", "lab/paraphrase"], "task has no effect on training code"),
        (["--stack", "2"], "one seed at a time"),
        (["--order-seed", "2"], "cannot be held still"),
    ):
        assert message in stabbench("run", "mine.toml", *options, cwd=tmp_path, expect=3).stderr
    assert "there is no such file" in stabbench("run", "absent.toml", cwd=tmp_path, expect=3).stderr
    # What is wrong with the one is more use than that there is one.
    alone = stabbench("compare", "mine.toml:shift=1", cwd=tmp_path, expect=3).stderr
    assert "training 'mine' has no parameters" in alone
    assert "needs two recipes" in stabbench("compare", "mine.toml", cwd=tmp_path, expect=3).stderr
    (tmp_path / "bad.toml").write_text('command = python "train.py"\n')
    said = stabbench("run", "bad.toml", cwd=tmp_path, expect=3).stderr
    assert "Invalid value (at line 1, column 11)" in unfolded(said)
    assert '\\"' not in said
    for file in ("mine.toml", "mine.py"):
        refused = stabbench("run", "mine.toml", "--json", file, cwd=tmp_path, expect=3)
        assert "would be written over the training" in refused.stderr


def test_a_training_file_is_a_recipe_in_every_command(tmp_path: Path) -> None:
    """The name that it gives itself is another than the file's."""
    bad = GOOD.replace("0.8, 0.02", "0.4, 0.02")
    file = training_file(tmp_path, bad, more='name = "own"', constant_score=0.5)
    named = (file.name, str(file), "own")
    stabbench("baseline", "record", file.name, "--seeds", "4", cwd=tmp_path)
    stabbench("gate", file.name, "--seeds", "3", cwd=tmp_path, expect=2)
    for name in named:
        diagnosed = stabbench("diagnose", name, cwd=tmp_path).stdout
        assert "own (training code): 7 of 7 runs failed" in diagnosed, name
        assert "own (training code)" in stabbench("history", name, cwd=tmp_path).stdout, name
        assert "own" in stabbench("baseline", "show", name, cwd=tmp_path).stdout
        assert "own (training code)" in stabbench("baseline", "verify", name, "--trials", "20", cwd=tmp_path).stdout
        for command in ("diagnose", "history", "gate", ("baseline", "show")):
            words = [command] if isinstance(command, str) else command
            said = stabbench(*words, name, "--task", "lab/entailment", cwd=tmp_path, expect=3).stderr
            assert "leave out --task" in said, (words, said)
    assert "--model has no effect" in stabbench("gate", "own", "--model", "lab", cwd=tmp_path, expect=3).stderr
    note = unfolded(stabbench("diagnose", file.name, cwd=tmp_path).stdout)
    assert "training code itself says what is kept" in note
    assert "--fresh" not in note
    for others in (["report", file.name, "--seeds", "2"], ["doctor", file.name, "--seeds", "9"]):
        stabbench(*others, cwd=tmp_path)


def test_torch_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that only hands out commands starts at once; torch would take seconds."""
    training_file(tmp_path)
    blocked = tmp_path / "blocked"
    for name in ("torch", "transformers", "datasets"):
        (blocked / name).mkdir(parents=True)
        (blocked / name / "__init__.py").write_text("raise SystemError('loaded')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(blocked), os.environ.get("PYTHONPATH")])))
    stabbench("run", "mine.toml", "--seeds", "3", "--workers", "2", cwd=tmp_path)


def test_a_study_of_a_training_file(tmp_path: Path) -> None:
    command = f"{PYTHON} mine.py {{seed}} {{output}} {{shift}}"
    training_file(tmp_path, SCRIPT, more=PARAMETERS, command=command)
    study = tmp_path / "study.toml"
    study.write_text('title = "Shifts"\nrecipes = ["mine.toml"]\nseeds = 3\n[grid]\nshift = [0, -0.2]\n')
    done = stabbench("study", "study.toml", cwd=tmp_path)
    assert "6 to train" in done.stderr
    assert re.search(r"mine\.toml +-0\.2 +0/3 ", done.stdout), done.stdout
    assert "training code" in done.stdout
    assert "its own" not in done.stdout
    for text, message in (
        ("[grid]\nshfit = [1]", "did you mean 'shift'"),
        ('[grid]\nshift = ["a"]', "must be a number"),
        ('tasks = ["lab/paraphrase"]', "task has no effect"),
        ("crossed = true", "cannot be held still"),
        ('view = "bias"', "needs Adam's beta1"),
    ):
        study.write_text(f'title = "Shifts"\nrecipes = ["mine.toml"]\nseeds = 2\n{text}\n')
        assert message in stabbench("study", "study.toml", cwd=tmp_path, expect=3).stderr
    training_file(tmp_path, SCRIPT, more=PARAMETERS, command=command, constant_score=None)
    study.write_text('title = "Shifts"\nrecipes = ["mine.toml"]\nseeds = 2\n')
    assert "its file needs constant_score" in stabbench("study", "study.toml", cwd=tmp_path, expect=3).stderr
