"""What it is all for: a change that makes a team's recipe less stable does not get through. Whole, real trainings."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import stabbench, unfolded, without_origin

pytestmark = pytest.mark.long

# Trained at most: 20 runs of the baseline, 16 of the unchanged recipe, and 20 of each bad change, which a sequential
# gate stops much earlier. A run is 189 steps.
BASELINE_SEEDS, GATE_SEEDS = 20, 16

TEAM = '''\
"""The team's recipe."""

from stabbench import Recipe


class Team(Recipe):
    """Three epochs, with bias correction."""

    name = "team"
    bias_correction = True
'''


class Project:
    """A folder with the team's plugin, its baselines file and its store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stabbench(self, team: str, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        (self.folder / "team.py").write_text(team)
        return stabbench(*arguments, "--plugin", "team.py", cwd=self.folder, expect=expect, timeout=900)

    def cell(self, file: str) -> dict[str, Any]:
        cell: dict[str, Any]
        (cell,) = json.loads((self.folder / file).read_text())["cells"]
        return cell


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("project"))
    recorded = made.stabbench(TEAM, "baseline", "record", "team", "--seeds", str(BASELINE_SEEDS))
    assert "recorded in baselines.json" in recorded.stdout
    return made


def test_an_unchanged_recipe_passes_with_fresh_seeds_and_a_comment_costs_nothing(project: Project) -> None:
    first = project.stabbench(TEAM, "gate", "--seeds", str(GATE_SEEDS), "--json", "pass.json")
    assert f"{GATE_SEEDS} to train" in first.stderr
    assert "verdict: PASS" in first.stdout
    assert "changed" not in first.stdout
    cell = project.cell("pass.json")
    assert cell["verdict"] == "PASS"
    assert cell["candidate"]["seeds"] == list(range(BASELINE_SEEDS, BASELINE_SEEDS + GATE_SEEDS))
    assert cell["baseline"]["seeds"] == list(range(BASELINE_SEEDS))

    reworded = TEAM.replace("Three epochs, with", "As ever, three epochs with") + "    # reviewed by the whole team\n"
    again = project.stabbench(reworded, "gate", "--seeds", str(GATE_SEEDS))
    assert "to train" not in again.stderr
    assert without_origin(again.stdout) == without_origin(first.stdout)


def test_five_seeds_of_an_unchanged_recipe_are_too_few_to_know(project: Project) -> None:
    done = project.stabbench(TEAM, "gate", "--seeds", "5", expect=2)
    assert "verdict: INCONCLUSIVE" in done.stdout
    assert "more seeds would decide" in unfolded(done.stdout)


def without_bias_correction(team: str) -> str:
    return team.replace("bias_correction = True", "bias_correction = False")


def with_five_times_the_rate(team: str) -> str:
    return team + "    lr = 1e-4\n"


def with_three_times_the_rate(team: str) -> str:
    return team + "    lr = 6e-5\n"


@pytest.mark.parametrize(
    ("change", "shown", "reason", "at_least_failed"),
    [
        # Stopped after so few runs that the failed ones alone decide.
        (without_bias_correction, "recipe changed: bias_correction: true → false", "runs failed, 0 of 20", 0.3),
        (with_five_times_the_rate, "recipe changed: lr: 2e-05 → 0.0001", "the mean fell from 0.", 0.1),
        # No run fails here: they are only worse, and further apart.
        (with_three_times_the_rate, "recipe changed: lr: 2e-05 → 6e-05", "the mean fell from 0.", 0.0),
    ],
)
def test_a_bad_change_is_caught_and_named(
    project: Project, change: Callable[[str], str], shown: str, reason: str, at_least_failed: float
) -> None:
    arguments = ["gate", "--seeds", "20", "--sequential", "--json", "fail.json", "--markdown", "fail.md"]
    done = project.stabbench(change(TEAM), *arguments, expect=1)
    assert "verdict: FAIL" in done.stdout
    assert reason in unfolded(done.stdout)
    assert shown in unfolded(done.stdout)
    assert shown.replace("_", r"\_") in (project.folder / "fail.md").read_text()
    cell = project.cell("fail.json")
    candidate = cell["candidate"]
    assert candidate["failed"] >= at_least_failed * candidate["planned"]
    assert (candidate["failed"] > 0) is (at_least_failed > 0)
    assert candidate["planned"] < 20, "decided early"
    assert cell["saved_runs"] == 20 - candidate["planned"]
    assert f"{cell['saved_runs']} runs saved" in unfolded(done.stdout)

    # The baseline stays what it was: with the change taken back, nothing is trained and all is well.
    assert "verdict: PASS" in project.stabbench(TEAM, "gate", "--seeds", str(GATE_SEEDS)).stdout


def test_a_bad_change_cannot_be_recorded_over_the_old_baseline(project: Project) -> None:
    before = (project.folder / "baselines.json").read_bytes()
    arguments = ["baseline", "record", "team", "--seeds", "2"]
    done = project.stabbench(without_bias_correction(TEAM), *arguments, expect=3)
    assert "has team on lab/entailment, lab already" in done.stderr
    assert "to train" not in done.stderr
    assert (project.folder / "baselines.json").read_bytes() == before
