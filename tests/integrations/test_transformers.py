"""The callback for the Trainer: what it records, and that a run is the same with it and without it."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import tiny_model

import stabbench
from stabbench import Store
from stabbench.integrations.transformers import StabilityCallback
from stabbench.trainings.recorded import VARIABLE, read

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from transformers import Trainer, TrainingArguments, set_seed

ROWS = [
    {
        "input_ids": torch.tensor([1, 2 + number % 7, 3]),
        "attention_mask": torch.ones(3, dtype=torch.long),
        "labels": n % 2,
    }
    for n, number in enumerate(range(12))
]
STEPS = 4


def trained(folder: Path, seed: int, callback: bool) -> tuple[Trainer, float]:
    set_seed(seed)
    trainer = Trainer(
        tiny_model("bert", vocab_size=20),
        TrainingArguments(
            output_dir=str(folder), max_steps=STEPS, per_device_train_batch_size=4, logging_steps=1, seed=seed,
            report_to="none", disable_tqdm=True, use_cpu=True, save_strategy="no",
            eval_strategy="steps", eval_steps=2,
        ),
        train_dataset=ROWS,
        eval_dataset=ROWS,
        compute_metrics=lambda given: {"accuracy": float(np.mean(given.predictions.argmax(-1) == given.label_ids))},
    )  # fmt: skip
    if callback:
        trainer.add_callback(StabilityCallback(trainer))
    trainer.train()
    return trainer, trainer.evaluate()["eval_accuracy"]


@pytest.mark.filterwarnings("ignore")
def test_a_run_is_recorded_and_is_the_same_with_and_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare, score = trained(tmp_path / "bare", 3, callback=False)
    silent, _ = trained(tmp_path / "silent", 3, callback=True)
    assert [entry.get("loss") for entry in silent.state.log_history] == [
        entry.get("loss") for entry in bare.state.log_history
    ]
    found = tmp_path / "recorded.jsonl"
    monkeypatch.setenv(VARIABLE, str(found))
    trainer, recorded_score = trained(tmp_path / "told", 3, callback=True)
    assert recorded_score == score
    told = read(found)
    logged = {entry["step"]: entry["loss"] for entry in bare.state.log_history if "loss" in entry}
    assert list(logged) == [1, 2, 3, 4]
    assert told.losses == pytest.approx(logged)
    assert all(norm is not None and norm > 0 for norm in told.norms.values())
    assert list(told.evaluations) == [2, 4]
    assert set(told.evaluations[4]) == {"eval_accuracy", "eval_loss"}, "none of time and speed"
    assert told.evaluations[4]["eval_accuracy"] == score
    classes = trainer.predict(ROWS).predictions.argmax(-1).tolist()
    assert told.predictions == classes


@pytest.mark.filterwarnings("ignore")
def test_under_measure_it_is_the_history_of_the_run(tmp_path: Path) -> None:
    comparison = stabbench.measure(
        lambda seed: trained(tmp_path / str(seed), seed, callback=True)[1],
        name="tiny", metric="accuracy", seeds=2, store=tmp_path / "store",
    )  # fmt: skip
    with Store(tmp_path / "store", write=False) as store:
        histories = [store.history(record.id) for record in comparison.recipes[0].records]
    for record, history in zip(comparison.recipes[0].records, histories, strict=True):
        assert (len(history.losses), record.steps) == (STEPS, STEPS)
        assert record.final_loss == history.losses[-1]
        assert history.evaluation_steps == [2, STEPS]
        assert history.scores[-1] == record.score
        assert len(history.given_predictions) == len(ROWS)
    assert histories[0].losses != histories[1].losses
