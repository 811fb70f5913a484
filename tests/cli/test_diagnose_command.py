"""`stabbench diagnose`, `compare --paired` and `show --plot` on a store, from the command line."""

import json
from pathlib import Path

import pytest
from command import stabbench, unfolded
from examples import record

from stabbench.records.history import History
from stabbench.records.run import Outcome
from stabbench.records.store import Store

STEPS = list(range(1, 101, 5))
FLAT, LEARNT = [0.69] * 100, [0.69] * 20 + [0.2] * 80
HOSTILE = "devlin\x1b[31m\n::error::"


def norms(low: float) -> dict[str, list[float | None]]:
    return {"block 0": [0.5] * 5 + [low] * 15, "head": [0.5] * 20}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two runs that failed and one that did not; of an earlier version, without predictions and distances."""
    bad = {"outcome": Outcome.FAILED, "score": 0.5, "reason": "no better"}
    with Store(tmp_path / ".stabbench") as opened:
        for seed, loss, low, changes in ((0, FLAT, 0.001, bad), (1, FLAT, 0.4, bad), (2, LEARNT, 0.4, {})):
            history = History(loss, STEPS, norms(low), [100], [0.5], constant_loss=0.69)
            opened.put(record(seed, id=f"{seed}" * 16, steps=100, **changes), history)
    return tmp_path


def test_failed_runs_get_their_causes(store: Path) -> None:
    done = stabbench("diagnose", "--json", "causes.json", cwd=store)
    text = unfolded(done.stdout)
    assert "devlin on lab/entailment, lab: 2 of 3 runs failed: 1 vanishing gradients, 1 plateau" in text
    assert "seed 0 (0000000000000000) vanishing-gradients: " in text
    assert "try: bias correction" in text
    assert "not looked at, as it was not kept: distances to the start, predictions" in text
    runs = json.loads((store / "causes.json").read_text())["runs"]
    assert [run["cause"] for run in runs] == ["vanishing-gradients", "plateau"]
    assert all(run["advice"] and run["evidence"] for run in runs)


def test_a_run_or_a_recipe_can_be_named(store: Path) -> None:
    one = stabbench("diagnose", "111", cwd=store).stdout
    assert "seed 1" in one
    assert "seed 0" not in one
    assert "seed 0" in stabbench("diagnose", "devlin", cwd=store).stdout
    # A run that is named is asked about although it is a good one.
    assert "2 of 3 runs failed" in stabbench("diagnose", "222", cwd=store).stdout
    assert "there are no runs" in stabbench("diagnose", "--task", "glue/rte", cwd=store).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["diagnose", "absent"], "has no run and no recipe 'absent'"),
        (["diagnose", "--store", "nowhere"], "no store at"),
        (["diagnose", "devlin", "--from", "x"], "give one of the two"),
        (["diagnose", "--metric", "f1"], "--metric has no effect without --from"),
        (["diagnose", "--json", ".stabbench/runs.sqlite"], "would be written over the run store"),
        (["show", "000", "--plot", ".stabbench/runs.sqlite"], "does not end in .png"),
        (["compare", "devlin", "mosbach", "--paired", "--detail", "brief"], "--paired needs predictions"),
    ],
)
def test_bad_input_is_one_clear_message(store: Path, arguments: list[str], message: str) -> None:
    assert message in unfolded(stabbench(*arguments, cwd=store, expect=3).stderr)


def test_the_spread_says_what_is_left_out(store: Path) -> None:
    assert "0 of 3 runs have predictions" in unfolded(stabbench("diagnose", "--spread", cwd=store).stdout)


def test_names_have_no_effect_on_a_terminal(tmp_path: Path) -> None:
    with Store(tmp_path / ".stabbench") as opened:
        opened.put(record(0, recipe=HOSTILE, outcome=Outcome.FAILED, reason=HOSTILE, score=None), History())
    done = stabbench("diagnose", cwd=tmp_path).stdout
    assert "\x1b" not in done
    assert not any(line.startswith("::") for line in done.splitlines())


def test_a_run_is_drawn(store: Path) -> None:
    pytest.importorskip("matplotlib")
    assert json.loads(stabbench("show", "000", "--plot", "run.svg", cwd=store).stdout)["seeds"]["seed"] == 0
    assert (store / "run.svg").read_text().startswith("<?xml")
