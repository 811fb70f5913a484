"""A training that was stopped goes on from its checkpoint to the same numbers, to the last bit."""

import gc
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stabbench.engine.engine import Engine
from stabbench.engine.job import Job
from stabbench.models.source import find_model
from stabbench.recipes import parse_recipe
from stabbench.records.checkpoints import Checkpoint, Checkpoints
from stabbench.records.history import Run
from stabbench.records.seeds import Seeds
from stabbench.runner.plan import Plan
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources

SMALL = "lab/entailment:examples=40"
# An epoch is three steps, and so are the stages; the evaluations of the second lie in the middle of an epoch.
TRAININGS = {
    "devlin": ("devlin:epochs=3", SMALL),
    "best of five": ("bias-correction:lr=1e-4,epochs=3,evaluations=5,keep=best", f"{SMALL},split=zhang2021"),
    "mixout": ("mixout:epochs=2", SMALL),
    "anchored decay": ("pretrained-weight-decay:epochs=2", SMALL),
    "bfloat16": ("llrd:epochs=2,precision=bf16", SMALL),
    "stages": ("gradual-unfreezing:epochs=1,stages=3,evaluations=2", SMALL),
    "stages that restart": ("gradual-unfreezing-restart:epochs=1,stages=3", SMALL),
    "averages": ("ema:optimizer=schedule-free-adamw,epochs=2", SMALL),
    "states of other shapes": ("child-tuning:mode=F,optimizer=adafactor,epochs=2", SMALL),
    "numbers in a state, and clipping that remembers": (
        "adagc:optimizer=nadam,epochs=2,batch_size=8,accumulate=2",
        SMALL,
    ),
    "fixed masks": ("child-tuning:epochs=2", SMALL),
    "regression": ("cwgnc:epochs=2", "lab/similarity:examples=40"),
}
SEEDS = (4, 0, 9)


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    """Before a job, garbage is looked for; in all that was imported that takes longer than these trainings."""
    gc.freeze()
    yield
    gc.unfreeze()


class Stopped(KeyboardInterrupt):
    """Ctrl-C."""


@cache
def job(training: str) -> Job:
    recipe, task = TRAININGS[training]
    plan = Plan(recipes=[parse_recipe(recipe)], task=task, model="lab", seeds=[Seeds.of(0)])
    (cell,) = resolve(plan, Resources(device="cpu")).cells
    return Job(
        recipe=cell.recipe, label=cell.label, task=cell.source, model=find_model("lab"),
        seeds=tuple(map(Seeds.of, SEEDS)), stacked=True, device="cpu", max_steps=None, fingerprint=cell.fingerprint,
    )  # fmt: skip


@cache
def undisturbed(training: str, stacked: bool = True) -> list[Run]:
    whole = job(training)
    return Engine().train(whole if stacked else alone(whole), lambda _: None)


def alone(whole: Job) -> Job:
    """Its first seed as a model that cannot be stacked."""
    return replace(whole, seeds=whole.seeds[:1], stacked=False)


def stopped(asked: Job, after: int) -> None:
    """Train, but for so many steps only."""
    with pytest.raises(Stopped):
        trained(asked, after)


def trained(asked: Job, stop_after: int | None = None) -> tuple[list[Run], int]:
    """The runs, and how many steps were made for them here."""
    ticks: list[int] = []

    def tick(steps: int) -> None:
        ticks.append(steps // len(asked.seeds))
        if stop_after is not None and sum(ticks) > stop_after:
            raise Stopped

    runs = Engine().train(asked, tick)
    return runs, len(ticks) - 1  # the first tick is for the steps before


def same(found: Sequence[Run], expected: Sequence[Run]) -> None:
    for (record, history), (its_record, its_history) in zip(found, expected, strict=True):
        assert history == its_history
        for name in ("id", "outcome", "reason", "score", "final_loss", "kept_step", "validation_score", "steps"):
            assert getattr(record, name) == getattr(its_record, name), name


@pytest.mark.parametrize("training", TRAININGS)
@settings(max_examples=2, deadline=None, derandomize=True)
@given(st.data())
def test_it_ends_with_the_same_numbers_wherever_it_was_stopped(training: str, data: st.DataObject) -> None:
    expected = undisturbed(training)
    steps = expected[0][0].steps
    with tempfile.TemporaryDirectory() as folder:
        asked = replace(job(training), checkpoints=Checkpoints(Path(folder) / "checkpoints", 0))
        made = data.draw(st.integers(1, steps - 1), "stopped after")
        stopped(asked, made)
        if made < steps - 1 and data.draw(st.booleans(), "twice"):
            made = data.draw(st.integers(made + 1, steps - 1), "and after")
            stopped(asked, made)
        # Another process may have room for less, or ask for another order.
        part = data.draw(st.sampled_from([(0, 1, 2), (2, 0), (1,)]), "group")
        runs, here = trained(replace(asked, seeds=tuple(asked.seeds[i] for i in part)))
        same(runs, [expected[i] for i in part])
        assert here == steps - made


@pytest.mark.parametrize("training", ["devlin", "stages that restart"])
def test_so_does_a_model_that_cannot_be_stacked(training: str, tmp_path: Path) -> None:
    asked = replace(alone(job(training)), checkpoints=Checkpoints(tmp_path / "checkpoints", 0))
    stopped(asked, 3)
    runs, here = trained(asked)
    same(runs, undisturbed(training, stacked=False))
    assert here == runs[0][0].steps - 3
    # A stack of one has other numbers, and does not go on from there.
    assert trained(replace(asked, stacked=True))[1] == runs[0][0].steps


def test_only_the_very_runs_go_on(tmp_path: Path) -> None:
    """Not other seeds, another recipe, nor, where neighbours matter, a part of the group."""
    asked = replace(job("devlin"), checkpoints=Checkpoints(tmp_path / "checkpoints", 0))
    stopped(asked, 2)
    checkpoints = asked.checkpoints
    assert checkpoints is not None
    runs = [asked.fingerprint.run_id(seeds) for seeds in asked.seeds]
    cell, other = asked.fingerprint.cell_id, asked.fingerprint.run_id(Seeds.of(5))

    def found(runs: list[str], cell: str = cell, *, stacked: bool = True, exact: bool = False) -> bool:
        return checkpoints.find(cell, runs, stacked=stacked, exact=exact) is not None

    assert found(runs)
    assert found(runs[1:])
    assert found(runs, exact=True)
    assert not found(runs[1:], exact=True)
    assert not found(runs[::-1], exact=True)
    assert not found(runs, stacked=False)
    assert not found([*runs, other])
    assert not found(runs, job("mixout").fingerprint.cell_id)


def test_a_damaged_one_is_no_help_and_no_harm(tmp_path: Path) -> None:
    asked = replace(job("devlin"), checkpoints=Checkpoints(tmp_path / "checkpoints", 0))
    stopped(asked, 2)
    (path,) = (tmp_path / "checkpoints").iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    runs, here = trained(asked)
    same(runs, undisturbed("devlin"))
    assert here == runs[0][0].steps


def test_a_short_training_and_one_without_room_for_it_leave_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = replace(job("devlin"), checkpoints=Checkpoints(tmp_path / "checkpoints"))
    same(trained(usual)[0], undisturbed("devlin"))
    often = replace(job("devlin"), checkpoints=Checkpoints(tmp_path / "checkpoints", 0))
    with monkeypatch.context() as full:
        full.setattr("stabbench.records.checkpoints.shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
        same(trained(often)[0], undisturbed("devlin"))
    elsewhere = replace(job("devlin"), checkpoints=Checkpoints(tmp_path / "another machine's" / "checkpoints", 0))
    same(trained(elsewhere)[0], undisturbed("devlin"))
    assert list(tmp_path.iterdir()) == []


def test_the_time_before_counts(tmp_path: Path) -> None:
    asked = replace(job("devlin"), checkpoints=Checkpoints(tmp_path / "checkpoints", 0))
    stopped(asked, 2)
    (path,) = (tmp_path / "checkpoints").iterdir()
    before = Checkpoint.at(path).header.seconds
    assert trained(asked)[0][0][0].seconds > before > 0
