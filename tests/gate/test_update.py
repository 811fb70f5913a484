"""Recording and updating: a baseline gets stricter freely, and easier to pass only with a reason that stays."""

import dataclasses
import functools
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from examples import record
from noting import Noting

import stabbench
from stabbench.gate import plans, update
from stabbench.gate.baselines import Baseline, BaselineError
from stabbench.gate.baselines_file import load, save
from stabbench.recipes import parse_recipe
from stabbench.records.run import Fingerprint, Outcome
from stabbench.records.seeds import Seeds
from stabbench.records.store import Store
from stabbench.runner.plan import Plan
from stabbench.runner.resources import Resources

SCORES = (0.70, 0.72, 0.74, 0.76, 0.78, 0.80, 0.81, 0.83)
CHANGED = Fingerprint({"recipe": "devlin", "parameters": {"lr": 1e-5}}, {"torch": "2"})
LAB = Path(stabbench.__file__).parent / "tasks" / "lab" / "checkpoint"
# Six steps of training.
TINY = "devlin:epochs=0.1"

# Where another process finds this module and what it imports.
MODULES = [str(folder) for folder in Path(__file__).parents[:2]]


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
        **changes,
    )


def here(store: Path) -> Resources:
    return Resources(store, device="cpu", workers=1)


# Recording


def test_what_is_recorded_is_in_the_file_and_in_the_store(tmp_path: Path) -> None:
    path, store = tmp_path / "baselines.json", tmp_path / "store"
    made = update.record(plan(TINY, "devlin:epochs=0.05"), here(store), path)
    assert load(path) == {each.name: each for each in made}
    assert [each.recipe for each in made] == [TINY, "devlin:epochs=0.05"]
    with Store(store, write=False) as runs:
        assert {r.recipe: r.score for r in runs.records() if r.seeds.seed == 1} == {b.recipe: b.scores[1] for b in made}
    further = update.record(plan("devlin:epochs=0.15", seeds=1), here(store), path)
    assert load(path) == {each.name: each for each in (*made, *further)}, "the others are kept"


def test_a_cell_has_the_names_of_its_own_plan_whatever_filled_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same runs in other words: the learning rate is the default's, and the folder is the same."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(LAB, "enc")
    short = functools.partial(plan, seeds=1, max_steps=2)
    first = dataclasses.replace(short("bias-correction:lr=2e-5"), model="./enc")
    update.record(first, here(Path("store")), Path("first.json"))
    own = dataclasses.replace(short("bias-correction"), model="enc")
    (made,) = update.record(own, here(Path("store")), Path("own.json"))
    assert made.name == "bias-correction on lab/entailment, enc"
    with Store(Path("store"), write=False) as runs:
        assert len(list(runs.records())) == 1
    (cell,) = load(Path("own.json")).values()
    assert plans.chosen(load(Path("own.json")), ["bias-correction"], None) == [cell]
    assert "./enc" in Path("own.json").read_text()
    # The same weights under any other name are this cell.
    for model in ("./enc", str(tmp_path / "enc")):
        with pytest.raises(BaselineError, match="has bias-correction on lab/entailment, enc already"):
            update.record(dataclasses.replace(own, model=model), here(Path("store")), Path("own.json"))


@pytest.mark.parametrize("spelling", ["devlin:lr=1e-5", "devlin:lr=0.00001", "devlin:lr=1e-05"])
def test_a_cell_is_chosen_in_whatever_spelling(spelling: str) -> None:
    cells = {b.name: b for b in (baseline(recipe="devlin:lr=1e-5"), baseline())}
    assert [cell.recipe for cell in plans.chosen(cells, [spelling], "lab/entailment")] == ["devlin:lr=1e-5"]


def test_a_cell_of_a_plugin_that_is_not_loaded_is_chosen_by_its_label() -> None:
    cells = {b.name: b for b in (baseline(recipe="mine:rate=3"), baseline())}
    assert [cell.recipe for cell in plans.chosen(cells, ["mine:rate=3"], None)] == ["mine:rate=3"]
    with pytest.raises(BaselineError, match="unknown baseline of recipe 'mine:rate=4'"):
        plans.chosen(cells, ["mine:rate=4"], None)


def test_a_known_cell_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    path, store = tmp_path / "baselines.json", tmp_path / "store"
    save(path, [baseline(recipe=TINY)])
    before = path.read_bytes()
    with pytest.raises(BaselineError, match=r"has devlin:epochs=0\.1 on lab/entailment, lab already") as caught:
        update.record(plan("mosbach", TINY), here(store), path)
    assert "stabbench baseline update" in caught.value.hint
    assert path.read_bytes() == before
    assert not store.exists()


def test_a_damaged_file_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    path, store = tmp_path / "baselines.json", tmp_path / "store"
    save(path, [baseline()])
    path.write_bytes(path.read_bytes()[:-20])
    before = path.read_bytes()
    with pytest.raises(BaselineError, match="truncated"):
        update.record(plan("mosbach"), here(store), path)
    assert path.read_bytes() == before
    assert not store.exists()


def test_adding_is_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "baselines.json"
    update.add([baseline()], path)
    before = path.read_bytes()
    with pytest.raises(BaselineError, match="has devlin on lab/entailment, lab already"):
        update.add([baseline(recipe="mosbach"), baseline()], path)
    assert path.read_bytes() == before
    update.add([baseline(recipe="mosbach"), baseline(task="lab/paraphrase")], path)
    assert len(load(path)) == 3


def test_processes_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nsys.path[:0] = sys.argv[1:3]\n"
        "from test_update import baseline\nfrom stabbench.gate.update import add\n"
        "for n in range(15):\n"
        "    add([baseline(recipe=f'{sys.argv[3]}{n}')], Path('baselines.json'))\n"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-B", "-c", code, *MODULES, name],
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


def test_a_command_that_writes_the_same_file_is_waited_for_and_that_is_said(tmp_path: Path) -> None:
    code = "import sys\nfrom pathlib import Path\nfrom stabbench._system.files import held\n" + (
        "with held(Path('.baselines.json.lock')):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"

    class LetsGo(Noting):
        def note(self, text: str) -> None:
            super().note(text)
            other.communicate()

    progress = LetsGo()
    update.add([baseline()], tmp_path / "baselines.json", progress)
    assert progress.notes == [f"waiting for another command that writes {tmp_path / 'baselines.json'}"]
    assert [path.name for path in tmp_path.iterdir()] == ["baselines.json"]


# What is looser


def test_more_runs_of_the_same_kind_are_free_whatever_they_are_like() -> None:
    old = baseline()
    assert update.loosened(old, baseline((*SCORES, 0.5, 0.1, None), failed=(8, 9))) == []
    assert update.loosened(old, old) == []


def test_a_tighter_baseline_of_another_kind_is_free() -> None:
    old = baseline((*SCORES, 0.5), failed=[8])
    assert update.loosened(old, baseline((*SCORES, 0.79), fingerprint=CHANGED)) == []
    assert update.loosened(old, baseline((*SCORES, 0.5), failed=[8], fingerprint=CHANGED)) == [], "equal is enough"


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
    assert any(found in each for each in update.loosened(baseline(), new))


def test_the_rate_of_failed_runs_counts_not_their_number() -> None:
    old = baseline(SCORES[:4], failed=[0])
    doubled = baseline((*SCORES[:4], *SCORES[:4]), failed=[0, 4], fingerprint=CHANGED)
    assert update.loosened(old, doubled) == [], "2 of 8 is 1 of 4; their deviation is smaller, their mean the same"


# Replacing


def stored(tmp_path: Path, *cells: Baseline) -> Path:
    path = tmp_path / "baselines.json"
    save(path, cells)
    return path


def test_a_tighter_baseline_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    other = baseline(recipe="mosbach")
    path = stored(tmp_path, baseline(), other)
    better = baseline([s / 2 + 0.45 for s in SCORES], fingerprint=CHANGED)
    assert update.replace(baseline(), better, "", path) == better
    assert load(path) == {better.name: better, other.name: other}
    assert better.loosened == ()


def test_a_reason_that_was_not_needed_is_not_written_down(tmp_path: Path) -> None:
    path = stored(tmp_path, baseline())
    more = baseline((*SCORES, 0.7))
    assert update.replace(baseline(), more, "just in case", path).loosened == ()
    assert load(path)[more.name] == more


def test_a_looser_baseline_is_refused_without_a_reason(tmp_path: Path) -> None:
    path = stored(tmp_path, baseline())
    before = path.read_bytes()
    looser = baseline([s - 0.1 for s in SCORES], failed=[0, 1], fingerprint=CHANGED)
    with pytest.raises(BaselineError, match="devlin on lab/entailment, lab is looser: failed 0/8 → 2/8, ") as caught:
        update.replace(baseline(), looser, "", path)
    assert "mean 0.7675 → 0.6675" in caught.value.message
    assert "--loosen" in caught.value.hint
    assert path.read_bytes() == before


def test_a_looser_baseline_with_a_reason_is_written_with_it_and_later_reasons_are_added(tmp_path: Path) -> None:
    path = stored(tmp_path, baseline())
    looser = baseline([s - 0.1 for s in SCORES], failed=[0], fingerprint=CHANGED)
    made = update.replace(baseline(), looser, "the data was cleaned", path)
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
    again = update.replace(made, looser_still, "and once more", path)
    assert [n.reason for n in load(path)[again.name].loosened] == ["the data was cleaned", "and once more"]
    assert again.loosened[1].before["failed"] == 1


def test_a_file_that_was_changed_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    changed = baseline((*SCORES, 0.75))
    for now in ([changed], []):
        path = stored(tmp_path, *now)
        before = path.read_bytes()
        with pytest.raises(BaselineError, match="changed by another command meanwhile") as caught:
            update.replace(baseline(), baseline((*SCORES, 0.9)), "", path)
        assert "again" in caught.value.hint
        assert path.read_bytes() == before


def test_a_change_of_another_cell_meanwhile_is_kept(tmp_path: Path) -> None:
    path = stored(tmp_path, baseline(), baseline(recipe="mosbach"))
    more = baseline((*SCORES, 0.9))
    update.replace(baseline(), more, "", path)
    assert {c.recipe: len(c.scores) for c in load(path).values()} == {"devlin": 9, "mosbach": 8}


# Running again


def test_running_again_without_a_change_trains_nothing_and_gives_the_same(tmp_path: Path) -> None:
    path, store = tmp_path / "baselines.json", tmp_path / "store"
    (old,) = update.record(plan(TINY, seeds=3), here(store), path)
    with Store(store, write=False) as runs:
        before = list(runs.records())
    assert update.rerun(old, here(store)) == old
    with Store(store, write=False) as runs:
        assert list(runs.records()) == before


def test_more_seeds_are_added_to_those_there_are_and_fewer_take_none_away(tmp_path: Path) -> None:
    path, store = tmp_path / "baselines.json", tmp_path / "store"
    cut = plan("devlin", seeds=1, max_steps=4)
    cut = dataclasses.replace(cut, seeds=[Seeds.of(5), Seeds.of(1)])
    (old,) = update.record(cut, here(store), path)
    assert list(old.scores) == [1, 5]
    more = update.rerun(old, here(store), seeds=3)
    assert list(more.scores) == [0, 1, 2, 5]
    assert more.experiment == old.experiment, "cut short as it was"
    assert {n: more.scores[n] for n in old.scores} == old.scores
    assert update.loosened(old, more) == []
    assert list(update.rerun(old, here(store), seeds=1).scores) == [0, 1, 5]
    with Store(store, write=False) as runs:
        assert len(list(runs.records())) == 4


def test_a_cell_keeps_its_name_where_a_changed_default_shortens_its_label(tmp_path: Path) -> None:
    """`team:lr=1e-4` is labelled `team` once 1e-4 is its default: that is another cell."""
    old = baseline(recipe="team:lr=1e-4")
    now = [dataclasses.replace(record(seed), recipe="team") for seed in range(3)]
    assert update.new_baseline(old, now).name == old.name


def test_the_history_of_loosenings_survives_a_new_run(tmp_path: Path) -> None:
    path, store = tmp_path / "baselines.json", tmp_path / "store"
    (made,) = update.record(plan("devlin", seeds=1, max_steps=2), here(store), path)
    old = update.replace(made, dataclasses.replace(made, scores={0: 0.1}, failed={0: "at chance"}), "to see", path)
    assert [n.reason for n in update.rerun(old, here(store), seeds=2).loosened] == ["to see"]
    assert "to see" in json.dumps(json.loads(path.read_text())["cells"][0]["loosened"])
