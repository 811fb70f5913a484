"""`keep_weights`: the weights are those of the run, and the run is the same with and without."""

import dataclasses
import shutil
from pathlib import Path

import pytest
import torch
from noting import Noting
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import stabbench
from stabbench.errors import StabbenchError, StoreError
from stabbench.models.source import find_model
from stabbench.recipes import parse_recipe
from stabbench.records.seeds import Seeds
from stabbench.records.store import Store
from stabbench.records.weights import FOLDER, weights_file
from stabbench.runner.execute import execute
from stabbench.runner.fresh import resources_to_use
from stabbench.runner.plan import DEFAULT_MODEL, DEFAULT_TASK, Plan
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources
from stabbench.tasks.registry import find_task, load
from stabbench.trainings.function import function_training

PLAN = Plan([parse_recipe("devlin")], "lab/entailment:examples=64", "lab", [Seeds.of(0), Seeds.of(1)], max_steps=2)
PLAN_RUNS = resolve(PLAN, Resources(device="cpu")).run_ids


def resources(store: Path, **changes: object) -> Resources:
    return Resources(store, "cpu", 1, keep_weights=True, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("kept")
    execute(PLAN, resources(store)).check_complete()
    return store


def test_a_run_is_the_same_with_and_without(kept: Path, tmp_path: Path) -> None:
    (without,) = execute(PLAN, Resources(tmp_path, "cpu", 1)).results()
    assert not (tmp_path / FOLDER).exists()
    with Store(kept, write=False) as one, Store(tmp_path, write=False) as other:
        for record in without.records:
            found = one.find(record.id)
            assert (found.score, found.final_loss, found.fingerprint) == (
                record.score, record.final_loss, record.fingerprint,
            )  # fmt: skip
            assert one.history(record.id) == other.history(record.id)


def test_the_weights_give_the_runs_own_predictions_in_transformers(kept: Path) -> None:
    task, lab = load(find_task("lab/entailment", None)), find_model("lab")
    with Store(kept, write=False) as store:
        record = store.find(PLAN_RUNS[1])
        predictions = store.history(record.id).predictions
    model = AutoModelForSequenceClassification.from_pretrained(lab.folder, num_labels=2).eval()
    unused = model.load_state_dict(load_file(stabbench.kept_weights(record.id[:8], store=kept)), strict=False)
    assert not unused.unexpected_keys
    inputs = AutoTokenizer.from_pretrained(lab.folder)(
        list(task.evaluation.first), list(task.evaluation.second or ()), padding=True, return_tensors="pt"
    )
    with torch.no_grad():
        values = model(**inputs).logits.argmax(-1)
    assert predictions is not None
    assert (values.numpy() == predictions.values).all()


def test_stored_runs_are_trained_again_for_weights_that_are_gone(kept: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(kept, store)
    gone = weights_file(store, PLAN_RUNS[0])
    before = load_file(gone)
    gone.unlink()
    with pytest.raises(StoreError, match="or are gone"):
        stabbench.kept_weights(PLAN_RUNS[0], store=store)
    progress = Noting()
    (runs,) = execute(PLAN, resources(store), progress).results()
    assert progress.trained == [0]
    assert progress.notes == ["1 stored run is trained again to keep the weights; the numbers in the store stay"]
    assert runs.days[0]  # its numbers are those of the store
    after = load_file(gone)
    assert all(torch.equal(before[name], values) for name, values in after.items())
    again = Noting()
    execute(PLAN, resources(store), again)
    assert again.trained == []


def test_weights_of_a_training_with_other_numbers_are_not_kept(kept: Path, tmp_path: Path) -> None:
    """The store has another score under that id, as after arithmetic that is not deterministic."""
    with Store(kept, write=False) as store, Store(tmp_path) as changed:
        for run_id in PLAN_RUNS:
            changed.put(dataclasses.replace(store.find(run_id), score=0.999), store.history(run_id))
    progress = Noting()
    execute(PLAN, resources(tmp_path), progress)
    assert not list((tmp_path / FOLDER).iterdir())
    assert "gave other numbers than those in the store (score 0.999" in progress.notes[-1]


def test_weights_of_runs_trained_anew_come_into_the_usual_store(tmp_path: Path) -> None:
    execute(PLAN, Resources(tmp_path, "cpu", 1))
    with resources_to_use(resources(tmp_path), anew=True) as (used, fresh):
        execute(PLAN, used)
    assert fresh is not None
    assert not fresh.differing
    assert {path.stem for path in (tmp_path / FOLDER).iterdir()} == set(PLAN_RUNS)
    assert not (tmp_path / "fresh").exists()


def test_weights_of_training_code_cannot_be_kept(tmp_path: Path) -> None:
    training = function_training(lambda seed: seed, "mine", "score", None, lower_is_better=False)
    plan = Plan([training], DEFAULT_TASK, DEFAULT_MODEL, PLAN.seeds)
    with pytest.raises(StabbenchError, match="weights of training code cannot be kept"):
        execute(plan, resources(tmp_path))
