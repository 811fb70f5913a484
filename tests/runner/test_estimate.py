"""What `stabbench doctor` says of a plan: measured, and true of the runs that follow."""

from pathlib import Path
from typing import Any

import pytest
from command import stabbench as command
from harmful import HARMFUL
from training_files import GOOD, training_file

import stabbench
from stabbench.recipes import parse_recipe
from stabbench.records.seeds import Seeds
from stabbench.report.estimate import estimate_text, machine_text
from stabbench.runner.effect_of_streams import Streams
from stabbench.runner.estimate import estimate, machine
from stabbench.runner.methods import find_method
from stabbench.runner.plan import Plan
from stabbench.runner.resources import Resources


def plan(*recipes: str, seeds: int = 5, max_steps: int = 20) -> Plan:
    return Plan(
        recipes=[parse_recipe(text) for text in recipes],
        task="lab/entailment",
        model="lab",
        seeds=[Seeds.of(n) for n in range(seeds)],
        max_steps=max_steps,
    )


def here(store: Path, **options: Any) -> Resources:
    return Resources(**{"store": store, "workers": 1, "device": "cpu", **options})


def test_the_machine_is_said_line_by_line() -> None:
    lines = machine_text(machine()).splitlines()
    assert lines[0].startswith(f"stabbench {stabbench.__version__}: torch ")
    assert lines[1].startswith("processor: ")
    assert any(line.startswith("GPU") for line in lines)
    assert lines[-2].startswith("plot: ")
    assert lines[-1].startswith("ray: ")


def test_groups_are_those_of_the_runs_and_what_is_stored_takes_no_time(tmp_path: Path) -> None:
    found = estimate(plan("bias-correction", "mixout"), here(tmp_path))
    assert [(o.recipe, o.runs, o.steps, o.stack) for o in found.outlooks] == [
        ("bias-correction", 5, 20, 5), ("mixout", 5, 20, 5)
    ]  # fmt: skip
    assert found.reason == ""
    assert found.seconds > sum(seconds for o in found.outlooks for seconds in o.groups) > 0
    assert all(o.seed_step is not None and o.groups[0] > 5 * 20 * o.seed_step for o in found.outlooks)
    assert "about " in estimate_text(found)
    done = stabbench.compare(["bias-correction", "mixout"], seeds=5, max_steps=20, store=tmp_path)
    assert {record.stack for record in done.recipes[0].records} == {5}
    again = estimate(plan("bias-correction", "mixout"), here(tmp_path))
    assert (again.outlooks, again.seconds) == ([], 0)
    assert "every run is stored" in estimate_text(again)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_recipe_that_cannot_be_tried_is_said_and_the_others_are(tmp_path: Path, workers: int) -> None:
    stabbench.load_plugin(HARMFUL)
    resources = here(tmp_path, workers=workers, stack=5, plugins=[HARMFUL])
    found = estimate(plan("broken", "greedy", "devlin"), resources)
    broken, greedy, devlin = found.outlooks
    assert broken.reason.startswith("ValueError: a bug")
    assert greedy.reason
    assert devlin.reason == ""
    assert "broken could not be tried: ValueError: a bug" in estimate_text(found)
    assert "for 5 of 15 runs" in estimate_text(found)


def test_an_intermediate_training_counts_too(tmp_path: Path) -> None:
    found = estimate(plan("intermediate-task", seeds=1, max_steps=3), here(tmp_path))
    assert [(o.task, o.runs) for o in found.outlooks] == [("lab/inference", 1), ("lab/entailment", 1)]
    stabbench.compare(["intermediate-task"], seeds=1, max_steps=3, store=tmp_path)
    found = estimate(plan("intermediate-task", seeds=2, max_steps=3), here(tmp_path))
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
        estimate(plan("devlin:precision=tf32"), here(tmp_path))


def test_which_of_head_order_and_dropout_change_a_run(tmp_path: Path) -> None:
    found = estimate(plan("devlin", "devlin:dropout=0", seeds=2), here(tmp_path))
    streams = {o.recipe: o.streams for o in found.outlooks}
    assert streams["devlin"] == Streams(["initialisation", "order", "dropout"])
    assert streams["devlin:dropout=0"] == Streams(["initialisation", "order"])
    text = estimate_text(found)
    assert "devlin: the new head, the order of the data and dropout each change a run\n" in text
    assert "the new head and the order of the data each change a run; dropout does not" in text
    assert not (tmp_path / "runs.sqlite").exists(), "nothing is stored"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (GOOD, "the same seed twice gave the same numbers; another seed gave others"),
        (GOOD.replace("Random(seed)", "Random(3)"), "so did another seed: it reaches nothing that is drawn"),
        (GOOD.replace("Random(seed)", "SystemRandom()"), "gave other numbers, so something besides the seed"),
        (
            GOOD.replace("(output /", "#"),
            "mine: could not be tried: it wrote no file result.json; it printed last: done",
        ),
    ],
)
def test_what_the_seed_of_training_code_changes(tmp_path: Path, script: str, said: str) -> None:
    training = find_method(str(training_file(tmp_path, script)))
    found = estimate(Plan([training], "lab/entailment", "lab", [Seeds.of(n) for n in range(4)]), here(tmp_path / "s"))
    assert said in estimate_text(found)
    assert "cannot be seen from outside" in estimate_text(found)
    assert estimate_text(found).endswith("for 0 of 4 runs" if "could not" in said else "seconds for 4 runs")
    assert not (tmp_path / "s").exists(), "nothing is stored"
