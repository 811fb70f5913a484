"""A job from end to end: which evaluation its records are of, and the encoders that it starts from and keeps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from stabbench.engine.engine import Engine
from stabbench.engine.job import Job
from stabbench.models.source import find_model
from stabbench.recipes import parse_recipe
from stabbench.records.history import Run
from stabbench.records.seeds import Seeds
from stabbench.runner.cells import RecipeCell
from stabbench.runner.plan import Plan
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources

LAB = find_model("lab")
SMALL = "lab/entailment:examples=64"


def cell_of(recipe: str, task: str, max_steps: int | None = None) -> RecipeCell:
    plan = Plan(recipes=[parse_recipe(recipe)], task=task, model="lab", seeds=[Seeds.of(0)], max_steps=max_steps)
    return resolve(plan, Resources(device="cpu")).cells[0]


def done(
    recipe: str, task: str = SMALL, seeds: Sequence[int] = (0, 1), max_steps: int | None = None, **job: Any
) -> list[Run]:
    cell = cell_of(recipe, task, max_steps)
    ticks: list[int] = []
    made = Job(
        recipe=cell.recipe, label=cell.label, task=cell.source, model=LAB,
        seeds=tuple(map(Seeds.of, seeds)), device="cpu", max_steps=max_steps, fingerprint=cell.fingerprint,
        **{"stacked": True, **job},
    )  # fmt: skip
    runs = Engine().train(made, ticks.append)
    assert sum(ticks) == cell.steps * len(seeds)
    return runs


def test_without_a_choice_the_score_is_that_of_the_end() -> None:
    for record, history in done("bias-correction:epochs=1"):
        assert (record.steps, record.kept_step, record.validation_score) == (4, 4, None)
        assert (history.evaluation_steps, history.scores, history.validation_scores) == ([4], [record.score], [])


@pytest.mark.parametrize("keep", ["last", "best"])
def test_of_several_evaluations_the_kept_one_scores_the_run(keep: str) -> None:
    runs = done(f"bias-correction:lr=1e-4,epochs=3,evaluations=5,keep={keep}", f"{SMALL},split=zhang2021")
    for record, history in runs:
        assert history.evaluation_steps == [3, 5, 8, 10, 12]
        assert len(history.scores) == len(history.validation_scores) == 5
        found = [score for score in history.validation_scores if score is not None]
        place = 4 if keep == "last" else found.index(max(found))
        assert record.kept_step == history.evaluation_steps[place]
        assert record.score == history.scores[place]
        assert record.validation_score == found[place]
        assert (record.outcome == "ok") == (record.score > record.constant_score)


def test_without_a_validation_set_the_best_is_the_evaluation_sets_own() -> None:
    for record, history in done("bias-correction:lr=1e-4,epochs=3,evaluations=4,keep=best"):
        assert history.validation_scores == []
        assert record.score == max(s for s in history.scores if s is not None)
        assert record.validation_score is None


def test_evaluations_are_for_each_stage_and_a_training_that_is_cut_short_has_one_at_its_end() -> None:
    recipe = "gradual-unfreezing:stages=2,steps=5,evaluations=2"
    for max_steps, points in ((None, [3, 5, 8, 10]), (7, [3, 5, 7]), (5, [3, 5]), (1, [1])):
        ((record, history),) = done(recipe, seeds=[0], max_steps=max_steps)
        assert history.evaluation_steps == points
        assert record.kept_step == record.steps == points[-1]


def test_evaluations_and_the_choice_do_not_change_the_training() -> None:
    """Through the whole of a job, with dropout and with mixout."""
    for recipe in ("bias-correction:epochs=1", "mixout:epochs=1"):
        # On one task: a sample beside the split has other examples.
        task = f"{SMALL},split=zhang2021"
        often = done(f"{recipe},evaluations=4,keep=best", task)
        for (_, once), (_, more) in zip(done(recipe, task), often, strict=True):
            assert once.losses == more.losses
            assert once.gradient_norms == more.gradient_norms


def test_fewer_examples_take_fewer_updates_unless_the_iterations_are_full() -> None:
    for task, steps in ((SMALL, 8), (f"{SMALL},iterations=full", 126)):
        assert cell_of("bias-correction:epochs=2", task).steps == steps
    (record, history), *_ = done("bias-correction:epochs=2", f"{SMALL},iterations=full", max_steps=10)
    assert (record.steps, len(history.losses), record.kept_step) == (10, 10, 10)


def test_a_job_starts_from_an_encoder_and_keeps_what_becomes_of_it(tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"{n}.safetensors" for n in range(3))
    done("bias-correction:epochs=1", seeds=[0], keep=first)
    # At a rate of next to nothing, what is kept is what it started from.
    done("bias-correction:lr=1e-30,epochs=1", seeds=[1], start=first, keep=second)
    done("bias-correction:lr=1e-30,epochs=1", seeds=[1], keep=third)
    kept, same, pretrained = (load_file(path) for path in (first, second, third))
    assert kept.keys() == same.keys() == pretrained.keys()
    assert all(torch.equal(kept[name], same[name]) for name in kept)
    assert not any(torch.equal(kept[name], pretrained[name]) for name in kept if "weight" in name)


def test_runs_from_an_encoder_are_the_same_stacked_and_one_at_a_time(tmp_path: Path) -> None:
    first = tmp_path / "e.safetensors"
    done("bias-correction:epochs=1,lr=1e-4", seeds=[0], keep=first)
    recipe = "pretrained-weight-decay:epochs=1,weight_decay=1,dropout=0"
    together = done(recipe, seeds=[0, 1], start=first)
    for number, (record, history) in enumerate(together):
        ((alone, its_history),) = done(recipe, seeds=[number], start=first)
        assert (alone.score, alone.final_loss, its_history.losses) == (record.score, record.final_loss, history.losses)
    ((_, single),) = done(recipe, seeds=[1], start=first, stacked=False)
    assert single.losses == pytest.approx(together[1][1].losses, rel=1e-3)
