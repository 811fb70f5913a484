"""What the spread is made of, from the predictions in a store; and what is said where they are missing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples import record
from numpy.typing import NDArray

from stabbench.diagnostics.spread import paired, spread_of
from stabbench.errors import StabbenchError
from stabbench.records.history import History, Predictions
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Fingerprint, Outcome
from stabbench.records.store import Store
from stabbench.report.spread import agreement_table, parts_table

LABELS = np.arange(40, dtype=np.uint8) % 2


def predictions(right: NDArray[np.bool_]) -> Predictions:
    values = np.where(right, LABELS[: len(right)], 1 - LABELS[: len(right)]).astype(np.uint8)
    return Predictions(values, np.full(len(right), 0.75, np.float16), right, 9)


def recipe(bank: NDArray[np.bool_], label: str = "devlin", data: str = "d", **first: Any) -> RecipeRuns:
    made_of = Fingerprint({"recipe": label, "data": data}, {})
    runs = [record(seed, id=f"{label}{seed}", fingerprint=made_of) for seed in range(len(bank))]
    runs[0] = replace(runs[0], **first)
    given = {run.id: History(predictions=predictions(right)) for run, right in zip(runs, bank, strict=True)}
    return RecipeRuns(label, runs, given=given)


def bank(seed: int = 0, runs: int = 4, rate: float = 0.7) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).random((runs, len(LABELS))) < rate


def test_it_is_computed_from_what_the_store_keeps(tmp_path: Path) -> None:
    given = recipe(bank())
    with Store(tmp_path) as store:
        store.put_all([(run, given.given[run.id]) for run in given.records])
    stored = RecipeRuns("devlin", given.records, store=tmp_path)
    found = spread_of(stored)
    assert found == spread_of(given)
    right = bank()
    assert found.parts is not None
    assert found.parts.total == pytest.approx(right.mean(1).var(ddof=1))
    mixed = (right != right[0]).any(0)
    assert sorted(flip.example for flip in found.flips) == np.flatnonzero(mixed).tolist()
    assert found.flips[0].answers == (2, 2)
    assert found.flips[0].right == 0.5
    assert found.left_out == ""
    assert found.divergence is not None
    assert "devlin" in parts_table([found]).text()
    assert f"{mixed.sum()}/40" in agreement_table([found]).text()


def test_successful_runs_alone() -> None:
    runs = recipe(bank(), outcome=Outcome.FAILED)
    assert (spread_of(runs).runs, spread_of(runs, successful=True).runs) == (4, 3)


def test_a_store_without_predictions_says_what_is_left_out_and_how_to_get_it() -> None:
    runs = recipe(bank())
    old = replace(runs, given={key: History() for key in runs.given})
    found = spread_of(old)
    assert found.parts is None
    assert "0 of 4 runs have predictions" in found.left_out
    assert "--fresh" in parts_table([found]).text()
    some = replace(runs, given={**runs.given, "devlin3": History()})
    assert spread_of(some).left_out == "1 of 4 runs have no predictions"
    with pytest.raises(StabbenchError, match="0 of 4 runs of devlin have predictions") as error:
        paired(runs, old)
    assert "--fresh" in error.value.hint


def test_one_run_has_no_spread() -> None:
    assert "it takes two" in spread_of(recipe(bank(runs=1))).left_out


def test_numbers_are_neither_right_nor_wrong() -> None:
    none = np.zeros(0, np.float16), np.zeros(0, bool)
    runs = recipe(bank())
    values = {run.id: History(predictions=Predictions(np.ones(3, np.float32), *none, 9)) for run in runs.records}
    numbers = replace(runs, given=values)
    assert "labels are numbers" in spread_of(numbers).left_out
    with pytest.raises(StabbenchError, match="right or wrong"):
        paired(runs, numbers)


def test_an_evaluation_set_that_changed_is_refused() -> None:
    with pytest.raises(StabbenchError, match="different evaluation sets"):
        paired(recipe(bank()), recipe(bank(), "mosbach", data="changed"))
    runs = recipe(bank())
    shorter = History(predictions=predictions(bank()[0, :30]))
    with pytest.raises(StabbenchError, match="different evaluation sets"):
        spread_of(replace(runs, given={**runs.given, "devlin2": shorter}))


def test_two_recipes_are_paired_example_by_example() -> None:
    better, worse = recipe(bank(1, 6, 0.95), "mosbach"), recipe(bank(2, 5, 0.6))
    found = paired(better, worse)
    assert found.difference == pytest.approx(bank(1, 6, 0.95).mean() - bank(2, 5, 0.6).mean())
    assert found.p_better is not None
    assert found.p_better < 0.01
