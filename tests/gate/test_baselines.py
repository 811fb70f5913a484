"""The baselines file: what is written is read again, and whatever was damaged or edited is a clear error."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from examples import record
from hypothesis import given
from hypothesis import strategies as st

import stabbench
from stabbench.gate.baselines import Baseline, BaselineError, Loosening, find, select
from stabbench.gate.baselines_file import SCHEMA, load, save
from stabbench.records.run import Fingerprint, Outcome

NOTE = Loosening("2026-02-03", "torch 2.13 changed its kernels", {"runs": 3, "failed": 0, "mean": 0.75, "std": 0.01})

# Where another process finds this module and what it imports.
MODULES = [str(folder) for folder in Path(__file__).parents[:2]]


def cell(recipe: str = "devlin", runs: int = 12, **changes: Any) -> Baseline:
    records = [record(n, recipe=recipe, score=0.7 + n / 1000) for n in range(runs)]
    return dataclasses.replace(Baseline.of(records), **changes)


def with_failures() -> Baseline:
    no_score = record(7, outcome=Outcome.FAILED, score=None, reason="the loss is not finite")
    at_chance = record(2, outcome=Outcome.FAILED, score=0.5, reason="no better than the best constant predictor")
    return Baseline.of([no_score, record(11), at_chance, record(0)], [NOTE])


def test_a_baseline_is_made_of_records_in_the_order_of_their_seeds() -> None:
    earlier, later = "2026-01-01T23:59:59+00:00", "2026-01-02T00:00:01+00:00"
    made = Baseline.of(
        [record(9, finished=later, score=0.8), record(3, finished=earlier, outcome=Outcome.FAILED, reason="at chance")]
    )
    assert list(made.scores.items()) == [(3, 0.75), (9, 0.8)]
    assert made.failed == {3: "at chance"}
    assert made.recorded == "2026-01-02"
    assert made.stabbench == stabbench.__version__
    assert made.name == "devlin on lab/entailment, lab"
    assert (made.sample.scores, made.sample.failed) == ((0.75, 0.8), (True, False))


def test_what_is_saved_is_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "baselines.json"
    cells = [with_failures(), cell("mosbach", task="glue/rte", revision="0" * 40), cell("mosbach")]
    save(path, cells)
    found = load(path)
    assert found == {each.name: each for each in cells}
    assert list(found["devlin on lab/entailment, lab"].scores) == [0, 2, 7, 11], "as numbers, in their order"
    assert [p.name for p in tmp_path.iterdir()] == ["baselines.json"], "nothing is left beside it"


def test_the_order_of_the_cells_and_of_their_keys_does_not_depend_on_who_saved_them(tmp_path: Path) -> None:
    cells = [cell(r, task=t, model=m) for r in ("b", "a") for t in ("lab/y", "lab/x") for m in ("n", "m")]
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    save(first, cells)
    save(second, load(first).values())
    assert first.read_bytes() == second.read_bytes()
    save(second, reversed(cells))
    assert first.read_bytes() == second.read_bytes()
    stored = [(c["task"], c["model"], c["recipe"]) for c in json.loads(first.read_text())["cells"]]
    assert stored == sorted(stored)


def test_one_seed_is_one_line_so_that_a_diff_shows_what_changed(tmp_path: Path) -> None:
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    old = cell()
    save(before, [old])
    save(after, [dataclasses.replace(old, scores={**old.scores, 4: 0.25})])
    changed = [
        (a.strip(), b.strip())
        for a, b in zip(before.read_text().splitlines(), after.read_text().splitlines(), strict=True)
        if a != b
    ]
    (score, checksum) = changed
    assert score == ('"4": 0.704,', '"4": 0.25,')
    assert checksum[0].startswith('"checksum"')


def test_a_new_file_replaces_the_old_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "baselines.json"
    save(path, [cell("devlin"), cell("mosbach")])
    save(path, [cell("mosbach")])
    assert list(load(path)) == ["mosbach on lab/entailment, lab"]


cells_of_any_kind = st.dictionaries(
    st.integers(0, 10**6),
    st.tuples(st.none() | st.floats(-1, 1), st.booleans(), st.text(max_size=20)),
    min_size=1,
    max_size=12,
).map(
    lambda runs: Baseline.of(
        [
            record(seed, outcome=Outcome.FAILED, score=score, reason=reason)
            if failed or score is None
            else record(seed, score=score)
            for seed, (score, failed, reason) in runs.items()
        ]
    )
)


# Not `.` or `/`: the folder of a local model is written in another way than it is given (test_model_paths.py).
names = st.text(max_size=30).filter(lambda text: "\0" in text or not text or not Path(text).is_dir())


@given(cells_of_any_kind, names, st.none() | st.text(max_size=10))
def test_any_cell_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, made: Baseline, text: str, revision: str | None
) -> None:
    made = dataclasses.replace(made, model=text, revision=revision, loosened=(dataclasses.replace(NOTE, reason=text),))
    path = tmp_path_factory.mktemp("any") / "baselines.json"
    save(path, [made])
    assert load(path) == {made.name: made}
    assert list(load(path)[made.name].scores) == sorted(made.scores)


@given(cells_of_any_kind, st.integers(1, 40))
def test_fresh_seeds_are_never_the_baselines_and_the_first_that_are_free(made: Baseline, count: int) -> None:
    fresh = made.fresh_seeds(count)
    assert len(fresh) == count
    assert fresh == sorted(set(fresh))
    assert not set(fresh) & set(made.scores)
    assert set(range(fresh[-1])) <= {*fresh, *made.scores}, "no free seed is left out"


def test_fresh_seeds_fill_the_gaps_of_a_list() -> None:
    assert dataclasses.replace(cell(), scores={0: 0.7, 3: 0.7, 107: 0.7}).fresh_seeds(4) == [1, 2, 4, 5]


# Damage


@pytest.mark.parametrize("tenth", range(10))
def test_a_file_that_ends_early_is_named_and_never_read_in_part(tmp_path: Path, tenth: int) -> None:
    path = tmp_path / "baselines.json"
    save(path, [with_failures(), cell("mosbach")])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * tenth // 10])
    with pytest.raises(BaselineError, match=r"baselines\.json is truncated or was edited") as caught:
        load(path)
    assert "version control" in caught.value.hint


def swap_scores(data: dict[str, Any]) -> None:
    scores = data["scores"]
    scores["0"], scores["11"] = scores["11"], 0.999


Edit = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda c: c["scores"].update({"0": 0.99}), id="a score"),
        pytest.param(lambda c: c["scores"].pop("0"), id="a seed less"),
        pytest.param(lambda c: c["scores"].update({"99": 0.99}), id="a seed more"),
        pytest.param(swap_scores, id="scores changed places"),
        pytest.param(lambda c: c["failed"].update({"2": "it looked bad"}), id="the reason of a failed run"),
        pytest.param(lambda c: c["failed"].pop("2"), id="a failed run forgiven"),
        pytest.param(lambda c: c["experiment"].update(data="elsewhere"), id="the data"),
        pytest.param(lambda c: c["experiment"]["parameters"].update(lr=1.0), id="a parameter"),
        pytest.param(lambda c: c["environment"].update(torch="9.9"), id="the environment"),
        pytest.param(lambda c: c.update(recorded="2030-01-01"), id="the date"),
        pytest.param(lambda c: c.update(loosened=[]), id="the note of a loosening"),
        pytest.param(lambda c: c["loosened"][0].update(reason="no reason"), id="the reason of a loosening"),
        pytest.param(lambda c: c.update(checksum="0" * 16), id="the checksum"),
        pytest.param(lambda c: c.pop("checksum"), id="no checksum"),
        pytest.param(lambda c: c.update(checksum=None), id="an empty checksum"),
        pytest.param(lambda c: c.update(comment="checked by me"), id="a key more"),
        pytest.param(lambda c: c.pop("metric"), id="a key less"),
        pytest.param(lambda c: c.update(scores=[0.7, 0.8]), id="scores as a list"),
    ],
)
def test_an_edit_by_hand_is_refused_with_the_name_of_the_cell(tmp_path: Path, edit: Edit) -> None:
    path = tmp_path / "baselines.json"
    save(path, [with_failures(), cell("mosbach")])
    data = json.loads(path.read_text())
    edit(data["cells"][0])
    path.write_text(json.dumps(data, indent=1))
    with pytest.raises(BaselineError, match="'devlin on lab/entailment, lab' was edited by hand") as caught:
        load(path)
    assert str(path) in caught.value.message
    assert "only `stabbench baseline` writes it" in caught.value.hint


def test_the_layout_is_free_only_the_content_is_sealed(tmp_path: Path) -> None:
    """A formatter of a pre-commit hook must not break the file."""
    path = tmp_path / "baselines.json"
    save(path, [with_failures()])
    before = load(path)
    path.write_text(json.dumps(json.loads(path.read_text()), indent=4, ensure_ascii=False, sort_keys=True))
    assert load(path) == before


@pytest.mark.parametrize("entry", [None, 3, "devlin", [], {}, {"recipe": "devlin"}])
def test_what_is_no_cell_is_refused(tmp_path: Path, entry: object) -> None:
    path = tmp_path / "baselines.json"
    path.write_text(json.dumps({"schema": SCHEMA, "cells": [entry]}))
    with pytest.raises(BaselineError, match="a cell was edited by hand"):
        load(path)


@pytest.mark.parametrize(
    "text",
    ['{"schema": "stabbench/baselines/2", "cells": []}', '{"cells": []}', "[]", '"text"', "null", "3"],
)
def test_a_file_of_another_schema_is_left_to_a_newer_version(tmp_path: Path, text: str) -> None:
    path = tmp_path / "baselines.json"
    path.write_text(text)
    with pytest.raises(BaselineError, match=r"has schema .* knows 'stabbench/baselines/1'") as caught:
        load(path)
    assert "upgrade stabbench" in caught.value.hint


def test_a_key_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """As a merge of two branches may leave it; JSON alone would take the last one silently."""
    path = tmp_path / "baselines.json"
    save(path, [cell()])
    text = path.read_text()
    assert text.count('"4": 0.704,') == 1
    path.write_text(text.replace('"4": 0.704,', '"4": 0.999,\n"4": 0.704,'))
    with pytest.raises(BaselineError, match="a key is there twice"):
        load(path)


def test_a_cell_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "baselines.json"
    save(path, [cell(runs=3), cell(runs=4), cell("mosbach")])
    with pytest.raises(BaselineError, match="has the cell 'devlin on lab/entailment, lab' twice"):
        load(path)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (lambda text: text.replace(' "cells"', '<<<<<<< HEAD\n "cells"', 1), 3),
        (lambda text: text.replace('    "4"', '<<<<<<< HEAD\n    "4": 0.9,\n=======\n    "4"', 1), None),
        (lambda text: text + ">>>>>>> other\n", None),
        (lambda text: text.replace("\n", "\r\n").replace(' "cells"', '||||||| base\r\n "cells"', 1), 3),
    ],
)
def test_the_marks_of_a_merge_conflict_are_named_with_what_to_do(
    tmp_path: Path, changed: Callable[[str], str], line: int | None
) -> None:
    path = tmp_path / "baselines.json"
    save(path, [cell()])
    path.write_text(changed(path.read_text()), newline="")
    with pytest.raises(BaselineError, match="has the markers of a merge conflict, the first in line") as caught:
        load(path)
    assert line is None or caught.value.message.endswith(f"line {line}")
    for way in ("git checkout --ours", "--theirs", "stabbench baseline record"):
        assert way in caught.value.hint


def test_a_score_is_no_mark_of_a_conflict(tmp_path: Path) -> None:
    """Such marks stand at the start of a line, where a text inside JSON cannot be."""
    path = tmp_path / "baselines.json"
    made = cell(loosened=(dataclasses.replace(NOTE, reason="<<<<<<< HEAD\n=======\n>>>>>>> other"),))
    save(path, [made])
    assert load(path) == {made.name: made}
    path.write_text(path.read_text()[:-20])
    with pytest.raises(BaselineError, match="truncated"):
        load(path)


@pytest.mark.parametrize(("encoding", "name"), [("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("utf-16-be", "UTF-16")])
def test_a_byte_order_mark_is_named_with_what_to_do(tmp_path: Path, encoding: str, name: str) -> None:
    path = tmp_path / "baselines.json"
    save(path, [cell()])
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path.write_bytes((mark + path.read_text()).encode(encoding))
    with pytest.raises(BaselineError, match=f"begins with the byte order mark of {name}") as caught:
        load(path)
    assert "save it as UTF-8 without" in caught.value.hint


def test_a_missing_file_says_how_to_make_one_and_may_be_allowed(tmp_path: Path) -> None:
    path = tmp_path / "baselines.json"
    with pytest.raises(BaselineError, match="no baselines file") as caught:
        load(path)
    assert "stabbench baseline record" in caught.value.hint
    assert load(path, must_exist=False) == {}


def test_a_file_that_is_no_text_and_a_folder_in_its_place_are_refused(tmp_path: Path) -> None:
    binary = tmp_path / "baselines.json"
    binary.write_bytes(b"\x80\x81\x00")
    for path in (binary, tmp_path):
        for must_exist in (True, False):
            with pytest.raises(BaselineError, match="cannot be read"):
                load(path, must_exist=must_exist)


def test_a_folder_that_is_not_there_cannot_be_written_to(tmp_path: Path) -> None:
    path = tmp_path / "no" / "such" / "baselines.json"
    with pytest.raises(BaselineError, match="cannot be written: No such file or directory") as caught:
        save(path, [cell()])
    assert str(path) in caught.value.message


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk; root is stopped by it, too."""
    path = tmp_path / "baselines.json"
    save(path, [cell(runs=3)])
    before = path.read_bytes()
    code = (
        "import resource, signal, sys\nfrom pathlib import Path\nsys.path[:0] = sys.argv[1:3]\n"
        "from test_baselines import cell\nfrom stabbench.gate.baselines_file import save\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))\n"
        "save(Path(sys.argv[3]), [cell(runs=500)])\n"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, *MODULES, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "cannot be written: File too large" in done.stderr
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["baselines.json"]


# Choosing


def test_cells_are_chosen_by_recipe_and_task() -> None:
    made = [cell(r, task=t) for r in ("devlin", "mosbach") for t in ("lab/entailment", "lab/paraphrase")]
    cells = {each.name: each for each in made}
    assert select(cells) == made
    assert select(cells, ["mosbach"]) == made[2:]
    assert select(cells, [], "lab/paraphrase") == [made[1], made[3]]
    assert select(cells, ["mosbach", "devlin"], "lab/entailment") == [made[0], made[2]]


def test_a_recipe_or_task_without_a_cell_is_refused_with_what_there_is() -> None:
    cells = {each.name: each for each in (cell("devlin"), cell("mosbach"))}
    with pytest.raises(BaselineError, match="unknown baseline of recipe 'mosbahc': did you mean 'mosbach'") as caught:
        select(cells, ["devlin", "mosbahc"])
    assert "baseline show" in caught.value.hint
    with pytest.raises(BaselineError, match="unknown baseline of task 'entailment': did you mean 'lab/entailment'"):
        select(cells, [], "entailment")


def test_two_experiments_of_one_name_are_two_baselines_of_the_same_cell() -> None:
    """The name does not depend on what the recipe is made of: that is what a gate compares."""
    changed = record(0, fingerprint=Fingerprint({"recipe": "devlin", "parameters": {"lr": 1.0}}, {"torch": "3"}))
    assert Baseline.of([changed]).name == Baseline.of([record(0)]).name


def test_what_is_named_has_a_cell_or_is_refused() -> None:
    cells = {b.name: b for b in (Baseline.of([record(task=task)]) for task in ("lab/entailment", "lab/paraphrase"))}
    other = Baseline.of([record(recipe="mosbach")])
    cells[other.name] = other
    assert [b.name for b in select(cells, ["devlin"])] == [name for name in cells if name.startswith("devlin")]
    assert select(cells, ["mosbach"], "lab/entailment") == [other]
    with pytest.raises(BaselineError, match="on lab/paraphrase of recipe 'mosbach': known: devlin"):
        select(cells, ["devlin", "mosbach"], "lab/paraphrase")
    with pytest.raises(BaselineError, match="did you mean 'lab/paraphrase'"):
        select(cells, task="lab/paraphrases")
    with pytest.raises(BaselineError, match="no cells"):
        select({})


# Finding


def of_weights(weights: str, model: str = "enc") -> Baseline:
    made_of = Fingerprint({"recipe": "devlin", "parameters": {}, "model": weights}, {"torch": "2"})
    return Baseline.of([record(model=model, fingerprint=made_of)])


def test_a_cell_is_found_by_its_weights_and_the_name_of_the_model_is_only_a_name() -> None:
    made = of_weights("w1")
    cells = {made.name: made}
    for model in ("enc", "./enc", "/elsewhere/enc", "org/enc"):
        assert find(cells, "devlin", "lab/entailment", model, "w1") is made
    assert find(cells, "mosbach", "lab/entailment", "enc", "w1") is None
    assert find(cells, "devlin", "lab/paraphrase", "enc", "w1") is None
    assert find(cells, "devlin", "lab/entailment", "other", "w2") is None


def test_of_two_cells_of_the_same_weights_that_of_the_name_is_found() -> None:
    cells = {c.name: c for c in (of_weights("w1", "a"), of_weights("w1", "b"), of_weights("w2", "c"))}
    assert find(cells, "devlin", "lab/entailment", "b", "w1") == of_weights("w1", "b")
    assert find(cells, "devlin", "lab/entailment", "c", "w1") == of_weights("w1", "a"), "weights count, not the name"


def test_changed_weights_under_the_same_name_are_the_same_cell_so_that_the_gate_says_that_they_changed() -> None:
    made = of_weights("w1")
    assert find({made.name: made}, "devlin", "lab/entailment", "enc", "w2") is made
