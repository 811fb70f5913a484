"""The methods and the variants of tasks through the real command: what is trained, stored, listed and refused."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from command import COMMAND, stabbench, without_origin

from stabbench import RunRecord

GLUE = Path(__file__).parents[3] / "shared" / "glue"
SHORT = ["--seeds", "2", "--max-steps", "3", "--workers", "1"]


def listed(folder: Path) -> list[list[str]]:
    """For each stored run its id, task, model, recipe, seed, outcome and score."""
    return [line.split("  ") for line in stabbench("list", "runs", cwd=folder).stdout.splitlines()]


def shown(run_id: str, folder: Path) -> dict[str, Any]:
    found = json.loads(stabbench("show", run_id, "--history", cwd=folder).stdout)
    assert isinstance(found, dict)
    return found


def test_an_intermediate_training_is_done_once_and_listed(tmp_path: Path) -> None:
    arguments = ["compare", "bias-correction", "intermediate-task", "--seeds", "2", "--max-steps", "3"]
    first = stabbench(*arguments, "--workers", "2", cwd=tmp_path)
    # Two runs of each recipe, three steps each; and the one before.
    assert "4 to train (15 steps)" in first.stderr
    assert "intermediate training on lab/inference, 3 steps: accuracy 0." in first.stderr
    runs = listed(tmp_path)
    assert sorted((run[1], run[3], run[4]) for run in runs) == [
        ("lab/entailment", "bias-correction", "seed 0"),
        ("lab/entailment", "bias-correction", "seed 1"),
        ("lab/entailment", "intermediate-task", "seed 0"),
        ("lab/entailment", "intermediate-task", "seed 1"),
        ("lab/inference", "bias-correction", "seed 0"),
    ]
    (before,) = [run[0] for run in runs if run[1] == "lab/inference"]
    assert [path.name for path in (tmp_path / ".stabbench" / "encoders").iterdir()] == [f"{before}.safetensors"]
    (one, *_) = [run[0] for run in runs if run[3] == "intermediate-task"]
    first_run = RunRecord.read(json.dumps(shown(before, tmp_path)))
    named = shown(one, tmp_path)["fingerprint"]["experiment"]["encoder"]
    assert named == first_run.fingerprint.experiment_id(first_run.seeds)

    again = stabbench(*arguments, cwd=tmp_path)
    assert without_origin(again.stdout) == without_origin(first.stdout)
    assert "to train" not in again.stderr
    assert "intermediate" not in again.stderr
    assert listed(tmp_path) == runs


def test_a_variant_with_the_best_evaluation_says_which_one_it_kept(tmp_path: Path) -> None:
    recipe = "gradual-unfreezing:steps=4,evaluations=2,keep=best,stages=2"
    done = stabbench(
        "run", recipe, "--task", "lab/entailment:split=zhang2021,examples=64", "--seeds", "2", "--workers", "1",
        cwd=tmp_path,
    )  # fmt: skip
    name = "lab/entailment:examples=64,split=zhang2021"
    assert f"{name}, model lab: accuracy" in done.stdout
    runs = listed(tmp_path)
    assert [(run[1], run[3]) for run in runs] == [(name, recipe)] * 2
    for run_id, *_ in runs:
        run = shown(run_id, tmp_path)
        history = run["history"]
        # Two in each of the two stages.
        assert history["evaluation_steps"] == [2, 4, 6, 8]
        assert run["validation_score"] == max(history["validation_scores"])
        assert (
            run["kept_step"] == history["evaluation_steps"][history["validation_scores"].index(run["validation_score"])]
        )
        assert run["score"] == history["scores"][history["evaluation_steps"].index(run["kept_step"])]
        assert run["fingerprint"]["experiment"]["task"] == name

    again = stabbench(
        "run", recipe, "--task", "lab/entailment:examples=64,split=zhang2021", "--seeds", "2", "--workers", "1",
        cwd=tmp_path,
    )  # fmt: skip
    assert without_origin(again.stdout) == without_origin(done.stdout)
    assert "to train" not in again.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "devlin", "--task", "lab/entailment:examples=0"], "examples must be a positive number, got '0'"),
        (["run", "devlin", "--task", "lab/entailment:exampels=5"], "did you mean 'examples'?"),
        (["run", "devlin", "--task", "lab/entailment:iterations=full"], "iterations=full needs examples=N"),
        (["run", "devlin", "--task", "lab/entailment:examples=9999"], "has 1000 training examples, not 9999"),
        (["run", "devlin", "--task", "lab/entailment:split=half"], "split can only be 'zhang2021'"),
        (["run", "intermediate-task", "--task", "lab/inference"], "lab/inference is the task itself"),
        (["run", "gradual-unfreezing:stages=13"], "13 stages, but the model has 12 blocks"),
        (["run", "llrd:lr_decay=1.5"], "lr_decay must be above 0 and below 1"),
        (["run", "devlin:precision=fp8"], "precision must be 'fp32' or 'tf32' or 'bf16'"),
    ],
)
def test_what_is_wrong_is_one_clear_message(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = stabbench(*arguments, *SHORT, cwd=tmp_path, expect=3)
    assert message in done.stderr


def test_recipes_and_tasks_are_listed(tmp_path: Path) -> None:
    recipes = stabbench("list", "recipes", "--verbose", cwd=tmp_path).stdout
    for name in ("longer", "llrd", "weight-decay", "pretrained-weight-decay", "intermediate-task",
                 "gradual-unfreezing", "gradual-unfreezing-restart"):  # fmt: skip
        assert any(line.startswith(f"{name}: ") for line in recipes.splitlines())
    assert "evaluations, evenly spread over the training" in recipes
    assert "lab/inference" in stabbench("list", "tasks", cwd=tmp_path).stdout


@pytest.mark.skipif(not (GLUE / "RTE").is_dir(), reason=f"the official GLUE files are not in {GLUE}")
def test_a_variant_of_the_real_rte(tmp_path: Path) -> None:
    done = stabbench(
        "run", "longer:steps=2,max_length=16,evaluations=2,keep=best", "--data-dir", GLUE,
        "--task", "glue/rte:iterations=full,examples=1000,split=zhang2021", "--seeds", "1", cwd=tmp_path,
    )  # fmt: skip
    ((run_id, task, *_),) = listed(tmp_path)
    assert task == "glue/rte:examples=1000,iterations=full,split=zhang2021"
    run = shown(run_id, tmp_path)
    assert run["steps"] == len(run["history"]["losses"]) == 2
    assert run["history"]["evaluation_steps"] == [1, 2]
    # Of 138 examples; the other 139 choose.
    assert run["score"] * 138 == pytest.approx(round(run["score"] * 138))
    assert run["validation_score"] * 139 == pytest.approx(round(run["validation_score"] * 139))
    assert f"best constant predictor {run['constant_score']:.3f}" in done.stdout


def test_two_commands_at_once_train_what_comes_first_only_once(tmp_path: Path) -> None:
    commands = [
        subprocess.Popen(
            [*COMMAND, "run", "intermediate-task", "--task", task, *SHORT],
            cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for task in ("lab/entailment", "lab/paraphrase")
    ]  # fmt: skip
    said = [command.communicate(timeout=300)[1] for command in commands]
    assert [command.returncode for command in commands] == [0, 0]
    assert sum("intermediate training on lab/inference" in text for text in said) == 1
    # Two runs of three steps each, and in one of the commands three steps before.
    assert sorted(steps for text in said for steps in ("(6 steps)", "(9 steps)") if steps in text) == [
        "(6 steps)",
        "(9 steps)",
    ]
    assert len(listed(tmp_path)) == 5
