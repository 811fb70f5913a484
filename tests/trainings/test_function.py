"""Functions that train: what they may give, what they may not, and when their runs are run again."""

from __future__ import annotations

import functools
import math
import os
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from noting import Noting

import stabbench
from stabbench import Outcome, RunRecord, StabbenchError, Store
from stabbench.code.identity import callable_identity
from stabbench.records.history import History
from stabbench.trainings.recorded import VARIABLE


def measured(given: Any, folder: Path, seeds: int = 1, **keys: Any) -> tuple[list[RunRecord], list[History]]:
    """The runs of a training that gives ``given``, or what that gives for a seed."""
    train = given if callable(given) else lambda _: given
    found = stabbench.measure(train, name="mine", seeds=seeds, store=folder, **keys).recipes[0].records
    with Store(folder, write=False) as store:
        return list(found), [store.history(record.id) for record in found]


def reason(train: Any, folder: Path) -> str:
    """Why the run of a training is missing."""
    with pytest.raises(StabbenchError, match="1 of 1 runs are missing"):
        measured(train, folder)
    with Store(folder, write=False) as store:
        (record,) = store.records()
    assert record.outcome is Outcome.MISSING
    return record.reason


def noisy(seed: int) -> float:
    return random.Random(seed).gauss(0.7, 0.02)


def test_a_function_is_measured_once(tmp_path: Path) -> None:
    noting = Noting()
    for _ in range(2):
        comparison = stabbench.measure(noisy, seeds=3, constant_score=0.5, store=tmp_path, progress=noting)
    (runs,) = comparison.recipes
    assert [record.score for record in runs.records] == [noisy(seed) for seed in range(3)]
    assert (runs.label, runs.failed, comparison.metric) == ("noisy", 0, "score")
    assert noting.trained == [0, 1, 2]
    assert "noisy   3     0 " in str(comparison)


@pytest.mark.parametrize(
    "given",
    [0.75, np.float32(0.75), np.array([0.75]), torch.tensor(0.75), {"score": 0.75}, {"score": np.float64(0.75)}],
)
def test_a_score_may_be_any_number(tmp_path: Path, given: Any) -> None:
    (record,), _ = measured(given, tmp_path)
    assert record.score == 0.75
    assert record.outcome is Outcome.UNKNOWN


def test_losses_and_predictions_are_the_runs_history(tmp_path: Path) -> None:
    given = {"score": 0.75, "losses": torch.tensor([2.0, math.nan, 1.0]), "predictions": np.array([[1, 0], [0, 1]])}
    (record,), (history,) = measured(given, tmp_path, constant_score=0.5)
    assert (record.final_loss, record.steps, record.outcome) == (1.0, 3, Outcome.OK)
    assert history.losses == [2.0, None, 1.0]
    assert history.loss_steps == []
    assert history.given_predictions == [[1, 0], [0, 1]]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, torch.tensor(math.nan)])
def test_a_score_that_is_not_finite_is_a_failed_run(tmp_path: Path, value: Any) -> None:
    (record,), _ = measured(value, tmp_path)
    assert (record.outcome, record.score) == (Outcome.FAILED, None)


def raises(error: BaseException) -> Any:
    def train(seed: int) -> float:
        raise error

    return train


@pytest.mark.parametrize(
    ("train", "said"),
    [
        (raises(ValueError("no data")), "ValueError: no data (at test_function.py:"),
        (raises(MemoryError("too large")), "MemoryError: too large"),
        (lambda _: sys.exit(3), "it ends the program by sys.exit(3)"),
        (raises(SystemExit("usage")), "it ends the program by sys.exit('usage')"),
        (lambda _: None, "it returned None, and no score"),
        (lambda _: {"losses": [1.0]}, "it returned no score"),
        (lambda _: 1e300, "is no score"),
    ],
)
def test_a_run_that_goes_wrong_is_missing_with_the_reason(tmp_path: Path, train: Any, said: str) -> None:
    assert said in reason(train, tmp_path)


def test_ctrl_c_passes_and_the_same_call_goes_on(tmp_path: Path) -> None:
    interrupted = [True]

    def train(seed: int) -> float:
        if seed == 2 and interrupted:
            raise KeyboardInterrupt
        return noisy(seed)

    with pytest.raises(KeyboardInterrupt):
        measured(train, tmp_path, seeds=3)
    with Store(tmp_path, write=False) as store:
        assert [record.seeds.seed for record in store.records()] == [0, 1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("high", "gave 'high', which is no number"),
        ([0.5, 0.6], "which is no number"),
        (np.array([0.5, 0.6]), "which is no number"),
        (True, "gave True, which is no number"),
        ({"score": 0.5, "loses": []}, "did you mean 'losses'"),
        ({"score": 0.5, "losses": "abc"}, "losses are 'abc', which is no list"),
        ({"score": 0.5, "losses": [None]}, "a loss is None, which is no number"),
        ({"score": 0.5, "predictions": [{}]}, r"a prediction is \{\}"),
    ],
)
def test_what_is_no_result_is_refused_at_once(tmp_path: Path, given: Any, message: str) -> None:
    with pytest.raises(StabbenchError, match=message):
        measured(given, tmp_path, seeds=2)


def test_bad_arguments_are_refused(tmp_path: Path) -> None:
    for keys, message in (
        ({"train": 3}, "3 is no function"),
        ({"name": "a:b"}, "cannot stand in a table"),
        ({"constant_score": math.nan}, "the constant score cannot be nan"),
        ({"seeds": 0}, "no seeds"),
        ({"workers": 2}, "cannot be sent to another process"),
    ):
        with pytest.raises(StabbenchError, match=message):
            stabbench.measure(**{"train": lambda seed: 0.5, "seeds": 2, "store": tmp_path, **keys})


def test_a_function_of_a_module_runs_in_other_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_training.py").write_text("import os\n\ndef train(seed):\n    return os.getpid() + seed / 10\n")
    monkeypatch.syspath_prepend(tmp_path)
    import own_training  # type: ignore[import-not-found]

    records, _ = measured(own_training.train, tmp_path / "store", seeds=2, workers=2)
    assert os.getpid() not in {int(record.score or 0) for record in records}


def test_identical_runs_are_an_error(tmp_path: Path) -> None:
    same = {"score": 0.75, "losses": [2.0, 1.0]}
    with pytest.raises(StabbenchError, match="seeds 0 and 1 are the same to the last bit"):
        measured(same, tmp_path / "losses", seeds=2)
    with pytest.raises(StabbenchError, match=r"all 3 runs have the score 0\.75"):
        measured(0.75, tmp_path / "scores", seeds=3)
    told_apart, _ = measured(lambda seed: {"score": 0.75, "predictions": [seed]}, tmp_path / "predictions", seeds=3)
    assert len(told_apart) == 3


class Rate:
    def __init__(self, rate: float) -> None:
        self.rate = rate

    def train(self, seed: int) -> float:
        return self.rate

    def __call__(self, seed: int) -> float:
        return self.rate


def with_rate(rate: float, seed: int) -> float:
    return rate


def test_code_and_what_it_is_bound_to_are_its_identity() -> None:
    made = [
        callable_identity(given)
        for rate in (0.1, 0.2)
        for given in (Rate(rate), Rate(rate).train, functools.partial(with_rate, rate), lambda seed, r=rate: r)
    ]
    assert len(set(made)) == len(made)
    assert callable_identity(Rate(0.1)) == made[0]


def test_the_environment_is_as_it_was(tmp_path: Path) -> None:
    seen = []

    def train(seed: int) -> float:
        seen.append(os.environ[VARIABLE])
        Path(os.environ[VARIABLE]).write_text('{"step": 1, "loss": 0.5, "grad_norm": 2.0}\n{"step": 1, "metr')
        return noisy(seed)

    (record,), (history,) = measured(train, tmp_path)
    assert VARIABLE not in os.environ
    assert (history.losses, history.gradient_norms, record.final_loss) == ([0.5], {"all": [2.0]}, 0.5)
    assert not Path(seen[0]).exists()
