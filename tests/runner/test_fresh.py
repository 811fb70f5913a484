"""Training anew: every bit is compared, the store keeps what it has, and nothing that was measured is lost."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from examples import HISTORY, record

from stabbench.errors import StabbenchError
from stabbench.records.history import History
from stabbench.records.run import Outcome, RunRecord
from stabbench.records.store import Store
from stabbench.report.fresh import fresh_text
from stabbench.runner.fresh import MEASURED, Fresh, resources_to_use
from stabbench.runner.resources import Resources

STORED = record(0)
Run = tuple[RunRecord, History]


def retrained(store: Path, stored: list[Run], new: list[Run]) -> Fresh:
    """What comes of a command that trained ``new`` while the store had ``stored``."""
    with Store(store) as usual:
        usual.put_all(stored)
    with resources_to_use(Resources(store), anew=True) as (resources, fresh):
        assert resources.store != store
        with Store(resources.store) as own:
            own.put_all(new)
    assert fresh is not None
    return fresh


def runs_in(store: Path) -> dict[str, Run]:
    with Store(store, write=False) as opened:
        return {r.id: (r, opened.history(r.id)) for r in opened.records()}


def test_without_training_anew_the_usual_store_is_used(tmp_path: Path) -> None:
    usual = Resources(tmp_path / "store")
    with resources_to_use(usual, anew=False) as used:
        assert used == (usual, None)
    assert not (tmp_path / "store").exists()


def test_the_same_numbers_leave_nothing_behind(tmp_path: Path) -> None:
    """How long it took, when, in what company and under what name may differ."""
    again = dataclasses.replace(
        STORED, finished="2026-02-02T00:00:00+00:00", seconds=99.0, stack=7, recipe="devlin:lr=2e-5"
    )
    fresh = retrained(tmp_path, [(STORED, HISTORY)], [(again, HISTORY)])
    assert fresh.error() is None
    assert "1 of them were in the store" in fresh_text(fresh)
    assert "the same to the last bit: devlin:lr=2e-5 on lab/entailment, seeds 0" in fresh_text(fresh)
    assert fresh.to_json() == {"trained": 1, "compared": 1, "different": [], "kept_in": None}
    assert {path.name for path in tmp_path.iterdir()} == {"runs.sqlite", ".gitignore"}
    assert runs_in(tmp_path)[STORED.id][0] == STORED


CHANGES: dict[str, Any] = {
    "outcome": Outcome.FAILED, "reason": "at chance", "score": 0.7500000000000001, "validation_score": None,
    "kept_step": 2, "constant_score": 0.4, "final_loss": 0.10000000000000002, "steps": 4,
}  # fmt: skip


@pytest.mark.parametrize("name", MEASURED)
def test_whatever_a_run_measured_is_compared(tmp_path: Path, name: str) -> None:
    other = dataclasses.replace(STORED, **{name: CHANGES[name]})
    fresh = retrained(tmp_path, [(STORED, HISTORY)], [(other, HISTORY)])
    (found,) = fresh.to_json()["different"]
    assert found["differences"] == [
        f"{name} {getattr(STORED, name)} → {'none' if CHANGES[name] is None else CHANGES[name]}"
    ]
    assert f"DIFFERENT: devlin on lab/entailment, seed 0 ({STORED.id}, stored 2026-01-01): {name} " in fresh_text(fresh)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"losses": [0.7, None, 0.5000001]}, "losses from step 3"),
        ({"losses": [0.7, 0.6, 0.5]}, "losses from step 2"),
        ({"losses": [0.7, None]}, "losses from step 3"),
        ({"gradient_norms": {"head": [0.2, None]}}, "gradient norms"),
        ({"scores": [0.5, 0.76]}, "scores"),
        ({"validation_scores": [0.6, 0.1]}, "validation scores"),
    ],
)
def test_a_curve_that_differs_in_a_bit_is_named(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    fresh = retrained(tmp_path, [(STORED, HISTORY)], [(STORED, dataclasses.replace(HISTORY, **changes))])
    (found,) = fresh.to_json()["different"]
    assert found["differences"] == [said]


def test_the_store_keeps_its_run_and_the_new_measurement_is_kept_beside_it(tmp_path: Path) -> None:
    other = dataclasses.replace(STORED, score=0.5)
    fresh = retrained(tmp_path, [(STORED, HISTORY)], [(other, HISTORY)])
    assert runs_in(tmp_path)[STORED.id][0] == STORED
    assert runs_in(fresh.folder)[STORED.id][0] == other
    assert json.loads(json.dumps(fresh.to_json()))["kept_in"] == str(fresh.folder)
    error = fresh.error()
    assert isinstance(error, StabbenchError)
    assert "1 of 1 runs gave other numbers" in error.message
    assert str(fresh.folder) in error.hint


def test_what_the_store_lacks_or_has_as_missing_it_gets(tmp_path: Path) -> None:
    gone = record(1, outcome=Outcome.MISSING, score=None, reason="killed")
    gone = dataclasses.replace(gone, id=gone.fingerprint.run_id(gone.seeds))
    new = [record(0), record(1), record(2)]
    fresh = retrained(tmp_path, [(gone, History())], [(r, HISTORY) for r in new])
    assert fresh_text(fresh) == "3 runs trained anew: the store had none of them to compare with"
    assert {r.id: r for r, _ in runs_in(tmp_path).values()} == {r.id: r for r in new}
    assert not (tmp_path / "fresh").exists()


def test_a_command_that_is_stopped_loses_nothing(tmp_path: Path) -> None:
    with Store(tmp_path) as usual:
        usual.put(STORED, HISTORY)
    with pytest.raises(KeyboardInterrupt), resources_to_use(Resources(tmp_path), anew=True) as (used, _):  # noqa: PT012
        with Store(used.store) as own:
            own.put_all([(dataclasses.replace(STORED, score=0.1), HISTORY), (record(1), HISTORY)])
        raise KeyboardInterrupt
    assert set(runs_in(tmp_path)) == {STORED.id, record(1).id}
    assert runs_in(used.store)[STORED.id][0].score == 0.1


def test_nothing_trained_is_nothing_compared(tmp_path: Path) -> None:
    with pytest.raises(StabbenchError), resources_to_use(Resources(tmp_path), anew=True):
        raise StabbenchError("bad input")
    assert {path.name for path in tmp_path.iterdir()} == {"runs.sqlite", ".gitignore"}


def test_what_a_run_of_before_did_not_keep_is_added_where_all_is_the_same(tmp_path: Path) -> None:
    more = dataclasses.replace(HISTORY, constant_loss=0.7, learning_rates=[1e-5, 2e-5])
    retrained(tmp_path, [(STORED, HISTORY)], [(STORED, more)])
    assert runs_in(tmp_path)[STORED.id][1] == more
    other = dataclasses.replace(more, scores=[0.5, 0.1], one_class=[True, True])
    retrained(tmp_path, [], [(STORED, other)])
    assert runs_in(tmp_path)[STORED.id][1] == more, "another number is no addition"
