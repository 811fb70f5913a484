"""Runs that are the same to the last bit are no sample: said before any number is printed, and the runs are kept."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from examples import HISTORY, record
from noting import Noting
from tiny_models import tiny_model

import stabbench
from stabbench import RunRecord, Seeds, StabbenchError, Store
from stabbench.models.source import find_model
from stabbench.runner.distinct import check_distinct, only_dropout_differs

TASK = "lab/entailment:examples=64"
HELD = [Seeds.of(seed, initialisation=0, order=0) for seed in range(3)]


def checked(folder: Path, runs: list[tuple[RunRecord, list[float]]]) -> None:
    with Store(folder) as store:
        store.put_all([(made, dataclasses.replace(HISTORY, losses=losses)) for made, losses in runs])
        check_distinct("devlin", [made for made, _ in runs], store)


def test_a_model_without_dropout_gives_one_run_for_all_dropout_seeds(tmp_path: Path) -> None:
    tiny_model("bert", vocab_size=200, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0).save_pretrained(
        tmp_path / "model"
    )
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(find_model("lab").folder / name, tmp_path / "model")
    for progress in (Noting(), Noting()):
        with pytest.raises(StabbenchError, match="seeds 0 and 1 are the same to the last bit") as caught:
            stabbench.compare(
                ["devlin"],
                task=TASK,
                model=str(tmp_path / "model"),
                seeds=HELD,
                max_steps=2,
                store=tmp_path / "s",
                progress=progress,
            )
        assert "initialisation and order are held still for both, and the model has no dropout" in str(caught.value)
    assert progress.plans == []  # all kept, none trained again
    with Store(tmp_path / "s", write=False) as store:
        assert len(list(store.records())) == 3


def test_a_recipe_without_dropout_is_refused_before_any_training(tmp_path: Path) -> None:
    with pytest.raises(StabbenchError, match="differ in their dropout alone"):
        stabbench.compare(["devlin:dropout=0"], task=TASK, seeds=HELD, max_steps=2, store=tmp_path / "s")
    assert not (tmp_path / "s").exists()
    # mixout draws from the dropout stream, though it has no dropout.
    stabbench.compare(["mixout"], task=TASK, seeds=HELD[:2], max_steps=2, store=tmp_path / "s")


def test_equal_scores_and_losses_alone_are_no_equal_runs(tmp_path: Path) -> None:
    checked(tmp_path, [(record(0), [0.7, 0.5]), (record(1), [0.6, 0.5])])


@pytest.mark.parametrize(
    ("held", "cause"),
    [
        ({}, "all their streams differ"),
        ({"initialisation": 0, "order": 0}, "the model has no dropout"),
        ({"order": 0, "dropout": 0}, "order and dropout held still for both, and nothing draws from initialisation"),
        ({"order": 0}, "order held still for both, and nothing draws from initialisation and dropout"),
    ],
)
def test_the_cause_is_named(tmp_path: Path, held: dict[str, int], cause: str) -> None:
    runs = [dataclasses.replace(record(seed), seeds=Seeds.of(seed, **held)) for seed in (3, 4)]
    with pytest.raises(StabbenchError, match=cause) as caught:
        checked(tmp_path, [(made, [0.7, 0.5]) for made in runs])
    assert "seeds 3 and 4" in str(caught.value)


def test_runs_without_a_finite_loss_are_failed_runs_and_not_compared(tmp_path: Path) -> None:
    checked(tmp_path, [(record(seed, final_loss=None), []) for seed in (0, 1)])


def test_seeds_that_differ_in_dropout_alone() -> None:
    assert only_dropout_differs(HELD)
    assert not only_dropout_differs([Seeds.of(0), Seeds.of(1), Seeds.of(2, order=0)])
