"""Results of other tools, spoilt: in every format, files with bytes changed, and values of another kind."""

from __future__ import annotations

import functools
import json
import math
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from fuzz.harness import fuzz, odd_values, refused_or_sane, spoilt_bytes, spoilt_json, spoilt_text
from hypothesis import strategies as st
from imported.written import METRIC, OF_PACKAGES, SEED_FROM
from imported.written import WRITERS as OWN

from stabbench.imported.choice import Choice
from stabbench.imported.runs import read_all
from stabbench.records.run import Outcome

WRITERS = {**OWN, **{name: write for name, (package, write) in OF_PACKAGES.items() if find_spec(package)}}
BANK = {0: 0.75, 3: 0.5, 4: math.nan, 7: None}


@functools.cache
def written(name: str) -> tuple[Path, tuple[Path, ...]]:
    """What a format's files are, and the path that is named to read them."""
    folder = Path(tempfile.mkdtemp(prefix="stabbench-fuzz-"))
    path = WRITERS[name](folder, BANK)
    return path, tuple(sorted(file for file in folder.rglob("*") if file.is_file()))


def check(name: str, path: Path, metric: str | None = METRIC, seed_from: str | None = None) -> None:
    with refused_or_sane():
        for runs in read_all([("", path)], Choice(metric, seed_from or SEED_FROM.get(name), constant_score=0.5)):
            assert runs.records
            for run in runs.records:
                assert run.seeds.seed >= 0
                assert run.score is None or math.isfinite(run.score)
                assert (run.score is None) <= (run.outcome in (Outcome.FAILED, Outcome.MISSING))
            if all(run.outcome is not Outcome.MISSING for run in runs.records):
                json.dumps(runs.to_json(), allow_nan=False)


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_is_sound_before_it_is_spoilt(name: str) -> None:
    check(name, written(name)[0])


@fuzz(0.1, name=st.sampled_from(sorted(WRITERS)), data=st.data(), whole=st.booleans())
def test_files_of_every_format(name: str, data: st.DataObject, whole: bool) -> None:
    path, files = written(name)
    file = data.draw(st.sampled_from(files))
    original = file.read_bytes()
    with tempfile.TemporaryDirectory() as here:
        copy = Path(here) / "copy"
        shutil.copytree(path, copy) if path.is_dir() else shutil.copy(path, copy)
        target = copy / file.relative_to(path) if path.is_dir() else copy
        target.write_bytes(data.draw(spoilt_bytes(original) if whole else spoilt_text_bytes(original)))
        check(name, copy, data.draw(st.sampled_from([METRIC, None])))


def spoilt_text_bytes(original: bytes) -> st.SearchStrategy[bytes]:
    """Bytes survive: latin-1 has all of them."""
    return spoilt_text(original.decode("latin-1")).map(lambda text: text.encode("latin-1", errors="replace"))


@fuzz(0.03, rows=spoilt_json([{"seed": s, "score": 0.5 + s / 10, "failed": False, "recipe": "a"} for s in range(3)]))
def test_values_of_tables(rows: Any) -> None:
    with tempfile.TemporaryDirectory() as here:
        path = Path(here) / "rows.json"
        path.write_text(json.dumps(rows), encoding="utf-8")
        check("a table", path, None)


@fuzz(
    0.03,
    state=spoilt_json({"global_step": 3, "max_steps": 3, "log_history": [{"eval_accuracy": 0.5, "step": 3}]}),
    results=spoilt_json({METRIC: 0.5, "epoch": 3.0}),
)
def test_values_of_trainer_folders(state: Any, results: Any) -> None:
    with tempfile.TemporaryDirectory() as here:
        run = Path(here) / "seed-3"
        run.mkdir()
        (run / "trainer_state.json").write_text(json.dumps(state))
        (run / "all_results.json").write_text(json.dumps(results))
        check("Trainer folders", Path(here), None, r"seed-(\d+)")


@fuzz(0.01, metric=odd_values, seed_from=odd_values, constant_score=odd_values)
def test_choices(metric: Any, seed_from: Any, constant_score: Any) -> None:
    path, _ = written("a table")
    texts = (None if value is None else str(value)[:1000] for value in (metric, seed_from))
    number = constant_score if isinstance(constant_score, float) else None
    with refused_or_sane():
        read_all([("", path)], Choice(*texts, constant_score=number))
