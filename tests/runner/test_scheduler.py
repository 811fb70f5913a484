"""Whatever happens to a group (no memory, a killed worker), every seed is recorded once, and with the same numbers.

The memory is really asked for: far more of it than any machine has, as soon as too many seeds are stacked.
"""

import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from harmful import HARMFUL
from noting import Noting
from transformers import AutoModelForSequenceClassification

import stabbench
from stabbench import Outcome, Recipe, Store
from stabbench.gate.comparison import Comparison
from stabbench.runner.remedies import remedy
from stabbench.runner.scheduler import Scheduler


class Sated(Recipe):
    """Needs too much memory for any seed."""

    name = "sated"

    def gradient_scales(self, norms):  # type: ignore[no-untyped-def]
        raise MemoryError("there is none")


@pytest.fixture(autouse=True)
def _known() -> None:
    stabbench.load_plugin(HARMFUL)


def scores(comparison: Comparison) -> list[tuple[int, float | None, float | None]]:
    return [(r.seeds.seed, r.score, r.final_loss) for r in comparison.recipes[0].records]


@pytest.mark.parametrize(("name", "workers"), [("greedy", 1), ("greedy", 2), ("deadly", 2)])
def test_a_lost_group_is_halved_and_the_numbers_are_the_same(tmp_path: Path, name: str, workers: int) -> None:
    usual = {"seeds": 7, "max_steps": 2, "plugins": [HARMFUL]}
    progress = Noting()
    harmed = stabbench.compare([name], **usual, stack=7, workers=workers, store=tmp_path / "a", progress=progress)
    quiet = stabbench.compare([name], **usual, stack=2, workers=1, store=tmp_path / "b")
    assert scores(harmed) == scores(quiet)
    assert [r.stack for r in harmed.recipes[0].records] == [2, 2, 2, 2, 2, 2, 1]
    assert any("again with 4 seeds at a time" in note for note in progress.notes)
    assert sorted(r.seeds.seed for r in Store(tmp_path / "a", write=False).records()) == list(range(7))


def test_a_seed_that_always_kills_its_worker_is_missing_in_the_end_and_the_others_are_measured(
    tmp_path: Path,
) -> None:
    with pytest.raises(stabbench.StabbenchError, match=r"2 of 4 runs are missing: its process ended .* 3 times"):
        stabbench.compare(
            ["doomed", "devlin"], seeds=2, max_steps=2, workers=2, plugins=[HARMFUL], store=tmp_path / "store"
        )
    records = list(Store(tmp_path / "store", write=False).records())
    assert [(r.recipe, r.outcome is Outcome.MISSING) for r in records] == [
        ("devlin", False), ("devlin", False), ("doomed", True), ("doomed", True)
    ]  # fmt: skip


def test_a_seed_that_never_fits_is_missing_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(stabbench.StabbenchError, match="are missing: out of memory: MemoryError: there is none"):
        stabbench.compare([Sated()], seeds=1, max_steps=2, workers=1, store=tmp_path)


def test_memory_that_runs_out_while_a_model_loads_is_halved_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, calls = AutoModelForSequenceClassification.from_pretrained, []

    def load_with_too_little(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) in (1, 2, 4):  # twice as the model is checked, then in the training
            torch.empty(10**15)
        return load(*arguments, **options)

    monkeypatch.setattr(AutoModelForSequenceClassification, "from_pretrained", load_with_too_little)
    progress = Noting()
    done = stabbench.compare(["devlin"], seeds=4, stack=4, workers=1, max_steps=1, store=tmp_path, progress=progress)
    assert [record.stack for record in done.recipes[0].records] == [2, 2, 2, 2]
    (note,) = [note for note in progress.notes if "again with 2 seeds at a time" in note]
    assert "out of memory: RuntimeError" in note


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("out of memory: MemoryError: none (at a.py:1 in f), 3 times", "a smaller --stack"),
        ("its process ended without a result (killed: the system was out of memory, perhaps), 3 times", "--stack"),
        ("its process ended without a result (exit code 0), 3 times", "ends the process"),
        ("ValueError: a bug (at mine.py:3 in schedule)", "mended"),
        ("OSError: [Errno 28] No space left on device (at a.py:1 in f)", "space on the disk"),
    ],
)
def test_the_hint_on_missing_runs_fits_their_reason(reason: str, hint: str) -> None:
    assert hint in remedy(reason)
    assert ("--stack" in remedy(reason)) == ("memory" in reason)


def test_a_bug_in_one_recipe_costs_the_others_nothing_where_memory_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stabbench.runner.scheduler.MEASURED_WEIGHTS_BYTES", 0)
    with pytest.raises(stabbench.StabbenchError, match="2 of 4 runs are missing: ValueError: a bug"):
        stabbench.compare(["broken", "devlin"], seeds=2, max_steps=2, store=tmp_path)


def test_groups_are_as_large_as_the_measured_memory_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stabbench.runner.scheduler.MEASURED_WEIGHTS_BYTES", 0)
    for name, content in (("max", 50 * 10**6), ("current", 0), ("stat", "")):
        (tmp_path / f"memory.{name}").write_text(f"{content}\n")
    (tmp_path / "own").write_text("0::/\n")
    monkeypatch.setattr("stabbench._system.machine.CGROUP", tmp_path)
    monkeypatch.setattr("stabbench._system.machine.OWN_CGROUP", tmp_path / "own")
    done = stabbench.compare(["devlin", "mixout:batch_size=32"], seeds=4, max_steps=2, store=tmp_path)
    assert [{record.stack for record in recipe.records} for recipe in done.recipes] == [{2}, {1}]


def test_a_worker_that_is_killed_while_it_has_nothing_to_do_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_model = Scheduler.check_model

    def and_then_kill_one(scheduler: Scheduler) -> None:
        check_model(scheduler)
        os.kill(psutil.Process().children()[0].pid, signal.SIGKILL)

    monkeypatch.setattr(Scheduler, "check_model", and_then_kill_one)
    done = stabbench.compare(["devlin"], seeds=3, max_steps=2, workers=2, store=tmp_path)
    assert [record.seeds.seed for record in done.recipes[0].records] == [0, 1, 2]
