"""What `stabbench doctor` says of a plan: measured, and true of the runs that follow."""

from pathlib import Path

import pytest
from command import stabbench as command
from harmful import HARMFUL

import stabbench
from stabbench.doctor import diagnose, machine
from stabbench.plan import Plan
from stabbench.recipes import parse_recipe
from stabbench.seeds import Seeds


def plan(*recipes: str, seeds: int = 5, **options: object) -> Plan:
    usual = {"task": "lab/entailment", "model": "lab", "workers": 1, "device": "cpu", "max_steps": 20}
    return Plan(
        recipes=[parse_recipe(text) for text in recipes],
        seeds=[Seeds.of(n) for n in range(seeds)],
        **{**usual, **options},  # type: ignore[arg-type]
    )


def test_the_machine_is_said_line_by_line() -> None:
    lines = machine().splitlines()
    assert lines[0].startswith(f"stabbench {stabbench.__version__}: torch ")
    assert lines[1].startswith("processor: ")
    assert any(line.startswith("GPU") for line in lines)
    assert lines[-2].startswith("plot: ")
    assert lines[-1].startswith("ray: ")


def test_groups_are_those_of_the_runs_and_what_is_stored_takes_no_time(tmp_path: Path) -> None:
    found = diagnose(plan("bias-correction", "mixout"), tmp_path)
    assert [(o.recipe, o.runs, o.steps, o.stack) for o in found.outlooks] == [
        ("bias-correction", 5, 20, 5), ("mixout", 5, 20, 5)
    ]  # fmt: skip
    assert found.reason == ""
    assert found.seconds > sum(seconds for o in found.outlooks for seconds in o.groups) > 0
    assert all(o.seed_step is not None and o.groups[0] > 5 * 20 * o.seed_step for o in found.outlooks)
    assert "about " in str(found)
    done = stabbench.compare(["bias-correction", "mixout"], seeds=5, max_steps=20, store=tmp_path)
    assert {record.stack for record in done.recipes[0].records} == {5}
    again = diagnose(plan("bias-correction", "mixout"), tmp_path)
    assert (again.outlooks, again.seconds) == ([], 0)
    assert "every run is stored" in str(again)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_recipe_that_cannot_be_tried_is_said_and_the_others_are(tmp_path: Path, workers: int) -> None:
    stabbench.load_plugin(HARMFUL)
    asked = plan("broken", "greedy", "devlin", workers=workers, stack=5, plugins=[HARMFUL])
    found = diagnose(asked, tmp_path)
    broken, greedy, devlin = found.outlooks
    assert broken.reason.startswith("ValueError: a bug")
    assert greedy.reason
    assert devlin.reason == ""
    assert "broken could not be tried: ValueError: a bug" in str(found)
    assert "for 5 of 15 runs" in str(found)


def test_an_intermediate_training_counts_too(tmp_path: Path) -> None:
    found = diagnose(plan("intermediate-task", seeds=1, max_steps=3), tmp_path)
    assert [(o.task, o.runs) for o in found.outlooks] == [("lab/inference", 1), ("lab/entailment", 1)]
    stabbench.compare(["intermediate-task"], seeds=1, max_steps=3, store=tmp_path)
    found = diagnose(plan("intermediate-task", seeds=2, max_steps=3), tmp_path)
    assert [(o.task, o.runs) for o in found.outlooks] == [("lab/entailment", 1)], "its encoder is there"


def test_the_command(tmp_path: Path) -> None:
    alone = command("doctor", cwd=tmp_path)
    assert "processor: " in alone.stdout
    done = command("doctor", "devlin", "--seeds", "3", "--max-steps", "4", cwd=tmp_path)
    assert "seeds are stacked" in done.stdout
    assert "for 3 runs" in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []
    command("doctor", "devlin", "--task", "lab/nothing", cwd=tmp_path, expect=3)
    asked = command("doctor", "--task", "lab/nothing", cwd=tmp_path, expect=3)
    assert "name some" in asked.stderr


def test_tf32_on_a_cpu_is_refused(tmp_path: Path) -> None:
    with pytest.raises(stabbench.StabbenchError, match="arithmetic of a GPU"):
        diagnose(plan("devlin:precision=tf32"), tmp_path)
