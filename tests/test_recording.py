"""Recording and updating: a baseline gets stricter freely, and easier to pass only with a reason that stays."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from examples import record

from stabbench import recording
from stabbench.baselines import Baseline, BaselineError, load, save
from stabbench.plan import Plan
from stabbench.recipes import parse_recipe
from stabbench.records import Fingerprint, Outcome
from stabbench.seeds import Seeds
from stabbench.store import Store

SCORES = (0.70, 0.72, 0.74, 0.76, 0.78, 0.80, 0.81, 0.83)
CHANGED = Fingerprint({"recipe": "devlin", "parameters": {"lr": 1e-5}}, {"torch": "2"})
# Six steps of training.
TINY = "devlin:epochs=0.1"


def baseline(scores: Sequence[float | None] = SCORES, failed: Sequence[int] = (), **changes: Any) -> Baseline:
    return Baseline.of(
        [
            record(seed, score=score, outcome=Outcome.FAILED, reason="at chance", **changes)
            if seed in failed or score is None
            else record(seed, score=score, **changes)
            for seed, score in enumerate(scores)
        ]
    )


def plan(*recipes: str, seeds: int = 2, **changes: Any) -> Plan:
    return Plan(
        recipes=[parse_recipe(text) for text in recipes],
        task="lab/entailment",
        model="lab",
        seeds=[Seeds.of(n) for n in range(seeds)],
        device="cpu",
        workers=1,
        **changes,
    )


# Recording


def test_what_is_recorded_is_in_the_file_and_in_the_store(tmp_path: Path) -> None:
    path, store = tmp_path / "baselines.json", tmp_path / "store"
    made = recording.record(plan(TINY, "devlin:epochs=0.05"), path, store)
    assert load(path) == {each.name: each for each in made}
    assert [each.recipe for each in made] == [TINY, "devlin:epochs=0.05"]
    with Store(store, write=False) as runs:
        assert {r.recipe: r.score for r in runs.records() if r.seeds.seed == 1} == {b.recipe: b.scores[1] for b in made}
    further = recording.record(plan("devlin:epochs=0.15", seeds=1), path, store)
    assert load(path) == {each.name: each for each in (*made, *further)}, "the others are kept"


def test_a_known_cell_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    path, store = tmp_path / "baselines.json", tmp_path / "store"
    save(path, [baseline(recipe=TINY)])
    before = path.read_bytes()
    with pytest.raises(BaselineError, match=r"has devlin:epochs=0\.1 on lab/entailment, lab already") as caught:
        recording.record(plan("mosbach", TINY), path, store)
    assert "stabbench baseline update" in caught.value.hint
    assert path.read_bytes() == before
    assert not store.exists()


def test_a_damaged_file_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    path, store = tmp_path / "baselines.json", tmp_path / "store"
    save(path, [baseline()])
    path.write_bytes(path.read_bytes()[:-20])
    before = path.read_bytes()
    with pytest.raises(BaselineError, match="truncated"):
        recording.record(plan("mosbach"), path, store)
    assert path.read_bytes() == before
    assert not store.exists()


def test_adding_is_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "baselines.json"
    recording.add([baseline()], path)
    before = path.read_bytes()
    with pytest.raises(BaselineError, match="has devlin on lab/entailment, lab already"):
        recording.add([baseline(recipe="mosbach"), baseline()], path)
    assert path.read_bytes() == before
    recording.add([baseline(recipe="mosbach"), baseline(task="lab/paraphrase")], path)
    assert len(load(path)) == 3


def test_processes_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nsys.path.insert(0, sys.argv[1])\n"
        "from test_recording import baseline\nfrom stabbench.recording import add\n"
        "for n in range(15):\n"
        "    add([baseline(recipe=f'{sys.argv[2]}{n}')], Path('baselines.json'))\n"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-B", "-c", code, str(Path(__file__).parent), name],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("a", "b", "c")
    ]
    for writer in writers:
        _, errors = writer.communicate(timeout=240)
        assert writer.returncode == 0, errors
    found = {cell.recipe for cell in load(tmp_path / "baselines.json").values()}
    assert found == {f"{name}{n}" for name in "abc" for n in range(15)}


# What is looser


def test_more_runs_of_the_same_kind_are_free_whatever_they_are_like() -> None:
    old = baseline()
    assert recording.loosened(old, baseline((*SCORES, 0.5, 0.1, None), failed=(8, 9))) == []
    assert recording.loosened(old, old) == []


def test_a_tighter_baseline_of_another_kind_is_free() -> None:
    old = baseline((*SCORES, 0.5), failed=[8])
    assert recording.loosened(old, baseline((*SCORES, 0.79), fingerprint=CHANGED)) == []
    assert recording.loosened(old, baseline((*SCORES, 0.5), failed=[8], fingerprint=CHANGED)) == [], "equal is enough"


@pytest.mark.parametrize(
    ("new", "found"),
    [
        (baseline(SCORES[:7], fingerprint=CHANGED), "7 runs instead of 8"),
        (baseline(SCORES, failed=[0], fingerprint=CHANGED), "failed 0/8 → 1/8"),
        (baseline([0.6, *SCORES[1:7], 0.99], fingerprint=CHANGED), "std 0.0456 → "),
        (baseline([s - 0.001 for s in SCORES], fingerprint=CHANGED), "mean 0.7675 → 0.7665"),
        (baseline([None] * 8, fingerprint=CHANGED), "mean 0.7675 → -"),
        (baseline(SCORES[:7]), "7 runs instead of 8"),
        (baseline([0.68, *SCORES[1:]]), "mean 0.7675 → 0.7650"),
    ],
)
def test_every_way_to_become_looser_is_found(new: Baseline, found: str) -> None:
    assert any(found in each for each in recording.loosened(baseline(), new))


def test_the_rate_of_failed_runs_counts_not_their_number() -> None:
    old = baseline(SCORES[:4], failed=[0])
    doubled = baseline((*SCORES[:4], *SCORES[:4]), failed=[0, 4], fingerprint=CHANGED)
    assert recording.loosened(old, doubled) == [], "2 of 8 is 1 of 4; their deviation is smaller, their mean the same"


# Replacing


def stored(tmp_path: Path, *cells: Baseline) -> Path:
    path = tmp_path / "baselines.json"
    save(path, cells)
    return path


def test_a_tighter_baseline_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    other = baseline(recipe="mosbach")
    path = stored(tmp_path, baseline(), other)
    better = baseline([s / 2 + 0.45 for s in SCORES], fingerprint=CHANGED)
    assert recording.replace(baseline(), better, "", path) == better
    assert load(path) == {better.name: better, other.name: other}
    assert better.loosened == ()


def test_a_reason_that_was_not_needed_is_not_written_down(tmp_path: Path) -> None:
    path = stored(tmp_path, baseline())
    more = baseline((*SCORES, 0.7))
    assert recording.replace(baseline(), more, "just in case", path).loosened == ()
    assert load(path)[more.name] == more


def test_a_looser_baseline_is_refused_without_a_reason(tmp_path: Path) -> None:
    path = stored(tmp_path, baseline())
    before = path.read_bytes()
    looser = baseline([s - 0.1 for s in SCORES], failed=[0, 1], fingerprint=CHANGED)
    with pytest.raises(BaselineError, match="devlin on lab/entailment, lab is looser: failed 0/8 → 2/8, ") as caught:
        recording.replace(baseline(), looser, "", path)
    assert "mean 0.7675 → 0.6675" in caught.value.message
    assert "--loosen" in caught.value.hint
    assert path.read_bytes() == before


def test_a_looser_baseline_with_a_reason_is_written_with_it_and_later_reasons_are_added(tmp_path: Path) -> None:
    path = stored(tmp_path, baseline())
    looser = baseline([s - 0.1 for s in SCORES], failed=[0], fingerprint=CHANGED)
    made = recording.replace(baseline(), looser, "the data was cleaned", path)
    assert load(path) == {made.name: made}
    assert dataclasses.replace(made, loosened=()) == looser
    (note,) = made.loosened
    assert note.reason == "the data was cleaned"
    assert note.before == {
        "runs": 8,
        "failed": 0,
        "mean": pytest.approx(0.7675),
        "std": pytest.approx(0.04559, abs=1e-5),
    }
    assert len(note.date) == len("2026-01-01")

    looser_still = dataclasses.replace(baseline([s - 0.2 for s in SCORES], failed=[0]), loosened=made.loosened)
    again = recording.replace(made, looser_still, "and once more", path)
    assert [n.reason for n in load(path)[again.name].loosened] == ["the data was cleaned", "and once more"]
    assert again.loosened[1].before["failed"] == 1


def test_a_file_that_was_changed_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    changed = baseline((*SCORES, 0.75))
    for now in ([changed], []):
        path = stored(tmp_path, *now)
        before = path.read_bytes()
        with pytest.raises(BaselineError, match="changed by another command meanwhile") as caught:
            recording.replace(baseline(), baseline((*SCORES, 0.9)), "", path)
        assert "again" in caught.value.hint
        assert path.read_bytes() == before


def test_a_change_of_another_cell_meanwhile_is_kept(tmp_path: Path) -> None:
    path = stored(tmp_path, baseline(), baseline(recipe="mosbach"))
    more = baseline((*SCORES, 0.9))
    recording.replace(baseline(), more, "", path)
    assert {c.recipe: len(c.scores) for c in load(path).values()} == {"devlin": 9, "mosbach": 8}


# Running again


def test_running_again_without_a_change_trains_nothing_and_gives_the_same(tmp_path: Path) -> None:
    path, store = tmp_path / "baselines.json", tmp_path / "store"
    (old,) = recording.record(plan(TINY, seeds=3), path, store)
    with Store(store, write=False) as runs:
        before = list(runs.records())
    assert recording.rerun(old, None, store, {"workers": 1}) == old
    with Store(store, write=False) as runs:
        assert list(runs.records()) == before


def test_more_seeds_are_added_to_those_there_are_and_fewer_take_none_away(tmp_path: Path) -> None:
    path, store = tmp_path / "baselines.json", tmp_path / "store"
    cut = plan("devlin", seeds=1, max_steps=4)
    cut = dataclasses.replace(cut, seeds=[Seeds.of(5), Seeds.of(1)])
    (old,) = recording.record(cut, path, store)
    assert list(old.scores) == [1, 5]
    more = recording.rerun(old, 3, store, {"workers": 1})
    assert list(more.scores) == [0, 1, 2, 5]
    assert more.experiment == old.experiment, "cut short as it was"
    assert {n: more.scores[n] for n in old.scores} == old.scores
    assert recording.loosened(old, more) == []
    assert list(recording.rerun(old, 1, store, {"workers": 1}).scores) == [0, 1, 5]
    with Store(store, write=False) as runs:
        assert len(list(runs.records())) == 4


def test_a_cell_keeps_its_name_where_a_changed_default_shortens_its_label(tmp_path: Path) -> None:
    """`team:lr=1e-4` is labelled `team` once 1e-4 is its default: that is another cell."""
    old = baseline(recipe="team:lr=1e-4")
    now = [dataclasses.replace(record(seed), recipe="team") for seed in range(3)]
    assert recording.renewed(old, now).name == old.name


def test_the_history_of_loosenings_survives_a_new_run(tmp_path: Path) -> None:
    path, store = tmp_path / "baselines.json", tmp_path / "store"
    (made,) = recording.record(plan("devlin", seeds=1, max_steps=2), path, store)
    old = recording.replace(made, dataclasses.replace(made, scores={0: 0.1}, failed={0: "at chance"}), "to see", path)
    assert [n.reason for n in recording.rerun(old, 2, store, {"workers": 1}).loosened] == ["to see"]
    assert "to see" in json.dumps(json.loads(path.read_text())["cells"][0]["loosened"])
