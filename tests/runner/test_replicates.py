"""One seed several times: on a CPU all numbers are the same; where they are not, it is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command import stabbench, unfolded

from stabbench.errors import StabbenchError
from stabbench.recipes import parse_recipe
from stabbench.records.history import History, Predictions
from stabbench.records.seeds import Seeds
from stabbench.report.estimate import replicates_text
from stabbench.runner.plan import DEFAULT_MODEL, DEFAULT_TASK, Plan
from stabbench.runner.replicates import Replicates, _first_differing, _flipped, replicate
from stabbench.runner.resources import Resources
from stabbench.trainings.function import function_training

SHORT = {"task": "lab/entailment:examples=64", "model": "lab", "max_steps": 4}


@pytest.mark.parametrize("workers", [1, 2])
def test_on_a_cpu_nothing_is_left(tmp_path: Path, workers: int) -> None:
    plan = Plan([parse_recipe("devlin"), parse_recipe("mixout")], seeds=[Seeds.of(3), Seeds.of(4)], **SHORT)  # type: ignore[arg-type]
    for found in replicate(plan, Resources(tmp_path / "store", "cpu", workers), 3):
        assert (found.seed, len(found.scores), found.losses_from, found.flipped) == (3, 3, None, 0)
        assert found.summary.std == 0
        assert found.identical
    assert not (tmp_path / "store").exists()


def test_what_differs_is_found_and_said() -> None:
    def history(loss: float, value: int) -> History:
        values = np.array([0, 1, value])
        return History([0.7, loss], predictions=Predictions(values, np.zeros(3, np.float16), values == 1, 2))

    histories = [history(0.6, 1), history(0.6, 0), history(0.5, 1)]
    assert (_first_differing(histories), _first_differing(histories[:2])) == (2, None)
    assert (_flipped(histories), _flipped(histories[::2]), _flipped([*histories, History()])) == (1, 0, None)
    text = replicates_text([Replicates("devlin", 0, [0.5, 0.7], 2, 1), Replicates("x", 0, [], None, None, "a bug")])
    assert "0.600 ± 0.141" in text
    assert "x could not be tried: a bug" in text
    assert "arithmetic that is not deterministic" in unfolded(text).replace("\n", " ")


def test_what_has_no_replicates_is_refused(tmp_path: Path) -> None:
    training = function_training(lambda seed: seed, "mine", "score", None, lower_is_better=False)
    resources = Resources(tmp_path, "cpu", 1)
    with pytest.raises(StabbenchError, match="training code has no replicates"):
        replicate(Plan([training], DEFAULT_TASK, DEFAULT_MODEL, [Seeds.of(0)]), resources, 2)
    plan = Plan([parse_recipe("intermediate-task")], seeds=[Seeds.of(0)], **SHORT)  # type: ignore[arg-type]
    with pytest.raises(StabbenchError, match="starts from an encoder"):
        replicate(plan, resources, 2)


def test_the_command(tmp_path: Path) -> None:
    short = ["--task", "lab/entailment:examples=64", "--max-steps", "2", "--seeds", "1", "--workers", "1"]
    done = stabbench("doctor", "devlin", *short, "--replicates", "2", cwd=tmp_path)
    assert "devlin: one seed gave the same numbers every time." in done.stdout
    assert "the options say how" in stabbench("doctor", "--replicates", "2", cwd=tmp_path, expect=3).stderr
