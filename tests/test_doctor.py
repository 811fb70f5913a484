"""What `stabbench doctor` says of a plan: measured, and true of the runs that follow."""

import time
from pathlib import Path

import pytest
from command import stabbench as command

import stabbench
from stabbench.doctor import diagnose, machine
from stabbench.models.source import find_model
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


def test_groups_memory_and_time_are_those_of_the_runs(tmp_path: Path) -> None:
    found = diagnose(plan("bias-correction", "mixout"), tmp_path)
    plain, mixout = found.outlooks
    assert (plain.recipe, plain.runs, plain.steps, plain.stack) == ("bias-correction", 5, 20, 5)
    assert found.reason == ""
    assert plain.memory is not None
    assert mixout.memory is not None
    # Weights, gradients, two moments, and activations; mixout keeps the pretrained weights, but no masks of dropout.
    weights = find_model("lab").weights_bytes()
    assert 100 * weights > plain.memory > 5 * weights
    assert 100 * weights > mixout.memory > 5 * weights
    started = time.perf_counter()
    done = stabbench.compare(["bias-correction", "mixout"], seeds=5, max_steps=20, store=tmp_path)
    took = time.perf_counter() - started
    assert {record.stack for record in done.recipes[0].records} == {5}
    assert 0.05 * took < found.seconds < 20 * took  # of the right kind; the machine has other things to do
    again = diagnose(plan("bias-correction", "mixout"), tmp_path)
    assert (again.outlooks, again.seconds) == ([], 0)
    assert "every run is stored" in str(again)


def test_an_intermediate_training_counts_too(tmp_path: Path) -> None:
    found = diagnose(plan("intermediate-task", seeds=1, max_steps=3), tmp_path)
    assert [(o.task, o.runs) for o in found.outlooks] == [("lab/inference", 1), ("lab/entailment", 1)]


def test_the_command(tmp_path: Path) -> None:
    alone = command("doctor", cwd=tmp_path)
    assert "processor: " in alone.stdout
    done = command("doctor", "devlin", "--seeds", "3", "--max-steps", "4", cwd=tmp_path)
    assert "seeds are stacked" in done.stdout
    assert "for 3 runs" in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []
    command("doctor", "devlin", "--task", "lab/nothing", cwd=tmp_path, expect=3)


def test_tf32_on_a_cpu_is_refused(tmp_path: Path) -> None:
    with pytest.raises(stabbench.StabbenchError, match="arithmetic of a GPU"):
        diagnose(plan("devlin:precision=tf32"), tmp_path)
