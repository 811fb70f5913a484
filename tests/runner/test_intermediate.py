"""A training on another task first: one encoder for all runs, and part of what they are made of."""

import sqlite3
from pathlib import Path

import pytest
import torch
from noting import Noting
from safetensors.torch import load_file

import stabbench
from stabbench import Outcome, Recipe, RunRecord, Seeds, StabbenchError, Store
from stabbench.recipes import Intermediate, parse_recipe
from stabbench.records.store import ENCODERS
from stabbench.runner.cells import RecipeCell
from stabbench.runner.plan import Plan
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources
from stabbench.tasks.registry import load_task


def run(store: Path, *recipes: str | Recipe, seeds: int = 2, max_steps: int = 2) -> tuple[list[RunRecord], Noting]:
    progress = Noting()
    done = stabbench.compare(list(recipes), seeds=seeds, max_steps=max_steps, store=store, progress=progress)
    return [record for runs in done.recipes for record in runs.records], progress


def encoders(store: Path) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in (store / ENCODERS).iterdir()}


def intermediate_runs(store: Path) -> dict[str, RunRecord]:
    with Store(store, write=False) as opened:
        return {r.id: r for r in opened.records() if r.task != "lab/entailment"}


def losses(store: Path, record: RunRecord) -> list[float | None]:
    with Store(store, write=False) as opened:
        return list(opened.history(record.id).losses)


def test_all_runs_of_all_recipes_start_from_one_encoder(tmp_path: Path) -> None:
    records, progress = run(tmp_path, "intermediate-task", "intermediate-task:lr=1e-5")
    # Four runs of two steps, and two for the encoder.
    assert progress.plans == [(0, 4, 10)]
    assert progress.ticks == 10
    ((name, first),) = intermediate_runs(tmp_path).items()
    assert (first.task, first.recipe, first.seeds, first.steps) == ("lab/inference", "bias-correction", Seeds.of(0), 2)
    assert list(encoders(tmp_path)) == [name]
    named = {record.fingerprint.experiment["encoder"] for record in records}
    assert named == {first.fingerprint.experiment_id(first.seeds)}
    failed = "; it failed, and so may what starts from its encoder" if first.outcome is Outcome.FAILED else ""
    assert progress.notes == [
        f"intermediate training on lab/inference, 2 steps: accuracy {first.score:.3f}{failed}",
    ]


def test_it_is_trained_once(tmp_path: Path) -> None:
    run(tmp_path, "intermediate-task")
    kept = encoders(tmp_path)
    assert run(tmp_path, "intermediate-task")[1].plans == []
    _, more = run(tmp_path, "intermediate-task", seeds=3)
    assert (more.plans, more.notes) == ([(2, 1, 2)], [])
    # Lost, it is made again where it is needed, and the same.
    (tmp_path / ENCODERS / f"{next(iter(kept))}.safetensors").unlink()
    assert run(tmp_path, "intermediate-task", seeds=3)[1].plans == []
    assert run(tmp_path, "intermediate-task", seeds=4)[1].plans == [(3, 1, 4)]
    assert encoders(tmp_path) == kept
    assert list(intermediate_runs(tmp_path)) == list(kept)


def test_the_runs_are_those_of_bias_correction_from_that_encoder(tmp_path: Path) -> None:
    """Written apart: the model's folder with the kept encoder in it."""
    from stabbench.models.source import find_model

    (record, *_), _ = run(tmp_path, "intermediate-task:batch_size=8", seeds=1, max_steps=3)
    (plain, *_), _ = run(tmp_path, "bias-correction:batch_size=8", seeds=1, max_steps=3)
    assert all(a != b for a, b in zip(losses(tmp_path, record), losses(tmp_path, plain), strict=True))
    (weights,) = encoders(tmp_path).values()
    folder = tmp_path / "model"
    folder.mkdir()
    for path in find_model("lab").folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes() if path.suffix != ".safetensors" else weights)
    copy = stabbench.compare(
        # The lab model's own multiplier on the rate is 32.
        ["bias-correction:batch_size=8,lr=64e-5"], model=str(folder), seeds=1, max_steps=3, store=tmp_path / "copy"
    )  # fmt: skip
    assert losses(tmp_path / "copy", copy.recipes[0].records[0]) == losses(tmp_path, record)


def test_another_seed_first_is_another_encoder(tmp_path: Path) -> None:
    run(tmp_path, "intermediate-task", "intermediate-task:intermediate_seed=1", seeds=1)
    assert len(encoders(tmp_path)) == len(intermediate_runs(tmp_path)) == 2
    one, other = (load_file(path) for path in (tmp_path / ENCODERS).iterdir())
    assert any(not torch.equal(one[name], other[name]) for name in one)


def plan(recipe: Recipe | str, task: str = "lab/entailment", max_steps: int | None = None) -> Plan:
    made = parse_recipe(recipe) if isinstance(recipe, str) else recipe
    return Plan(recipes=[made], task=task, model="lab", seeds=[Seeds.of(0)], max_steps=max_steps)


def cell_of(plan: Plan) -> RecipeCell:
    (cell,) = resolve(plan, Resources(device="cpu")).cells
    return cell


def test_what_comes_first_is_part_of_the_fingerprint() -> None:
    options = ("", ":intermediate_seed=1", ":task=lab/paraphrase", ":task=lab/inference:examples=500")
    plans = [plan(f"intermediate-task{option}") for option in options] + [plan("intermediate-task", max_steps=2)]
    found = {cell_of(each).fingerprint.experiment["encoder"] for each in plans}
    assert len(found) == len(plans)
    assert "encoder" not in cell_of(plan("bias-correction")).fingerprint.experiment


def test_the_task_itself_and_unknown_ones_are_refused_before_any_training(tmp_path: Path) -> None:
    for recipe, task, message in (
        ("intermediate-task", "lab/inference", "lab/inference is the task itself"),
        ("intermediate-task:task=lab/nothing", "lab/entailment", "unknown task 'lab/nothing'"),
    ):
        with pytest.raises(StabbenchError, match=message):
            stabbench.compare([recipe], task=task, seeds=1, max_steps=2, store=tmp_path)
    assert not (tmp_path / ENCODERS).exists()


class Crashing(Recipe):
    """Gives up."""

    name = "crashing"

    def gradient_scales(self, norms: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("no more memory")


class After(Recipe):
    """Follows one that gives up."""

    name = "after"

    def intermediate(self, task: str) -> Intermediate:
        return Intermediate("lab/paraphrase", Crashing(), Seeds.of(0))


class Twice(Recipe):
    """The same scheme on both tasks."""

    name = "twice"

    def intermediate(self, task: str) -> Intermediate:
        return Intermediate("lab/paraphrase:examples=100", self, Seeds.of(3))


def test_nothing_starts_from_an_encoder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(
        StabbenchError, match=r"intermediate training on lab/paraphrase.*missing.*no more memory"
    ) as caught:
        run(tmp_path, After())
    assert "the same command tries it again" in caught.value.hint
    assert [r.outcome for r in intermediate_runs(tmp_path).values()] == [Outcome.MISSING]
    with Store(tmp_path, write=False) as opened:
        assert len(list(opened.records())) == 1


def test_a_recipe_may_come_before_itself() -> None:
    cell = cell_of(plan(Twice()))
    before = cell.prerequisite
    assert before is not None
    assert (before.label, before.task.name, before.seeds, before.prerequisite) == (
        "twice", "lab/paraphrase:examples=100", [Seeds.of(3)], None,
    )  # fmt: skip
    assert (before.steps, cell.steps) == (3 * 7, 3 * 63)
    assert before.fingerprint.experiment["data"] == load_task("lab/paraphrase:examples=100").digest
    assert cell.encoder == before.fingerprint.run_id(Seeds.of(3))


@pytest.mark.parametrize("lost", ["the encoder", "the record", "both"])
def test_a_command_killed_between_the_encoder_and_its_record_is_made_good(tmp_path: Path, lost: str) -> None:
    run(tmp_path, "intermediate-task")
    ((name, before),), kept = intermediate_runs(tmp_path).items(), encoders(tmp_path)
    numbers = losses(tmp_path, before)
    with sqlite3.connect(tmp_path / "runs.sqlite") as db:
        db.execute("DELETE FROM runs WHERE task = 'lab/entailment'")
        if lost != "the encoder":
            db.execute("DELETE FROM runs")
    db.close()
    if lost != "the record":
        (tmp_path / ENCODERS / f"{name}.safetensors").unlink()
    assert run(tmp_path, "intermediate-task")[1].plans == [(0, 2, 6)]
    assert encoders(tmp_path) == kept
    ((name_now, after),) = intermediate_runs(tmp_path).items()
    assert (name_now, after.score) == (name, before.score)
    assert losses(tmp_path, after) == numbers
