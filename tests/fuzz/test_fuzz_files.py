"""Files that stabbench reads, spoilt: baselines, stores, studies, task data."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from examples import HISTORY, record
from fuzz.harness import fuzz, odd_values, refused_or_sane, spoilt_bytes, spoilt_json, spoilt_text
from hypothesis import strategies as st

from stabbench.gate.baselines import Baseline
from stabbench.gate.baselines_file import load, save
from stabbench.records.run import Outcome
from stabbench.records.store import Store
from stabbench.studies.loading import SHIPPED, load_study
from stabbench.tasks.glue.specs import GLUE_TASKS
from stabbench.tasks.quality import LARGEST_SCORE
from stabbench.tasks.registry import load_task


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def baselines_text() -> str:
    runs = [record(seed, score=0.7 + seed / 100) for seed in range(3)]
    failed = [record(seed, recipe="mosbach", outcome=Outcome.FAILED, reason="at chance") for seed in range(2)]
    with folder() as here:
        save(here / "b.json", [Baseline.of(runs), Baseline.of(failed)])
        return (here / "b.json").read_text()


BASELINES = baselines_text()


def is_score(value: object) -> bool:
    return value is None or (isinstance(value, float | int) and not isinstance(value, bool) and math.isfinite(value))


def check_baselines(path: Path) -> None:
    with refused_or_sane():
        for name, cell in load(path).items():
            assert name == cell.name
            assert cell.scores
            assert all(isinstance(seed, int) and seed >= 0 for seed in cell.scores)
            assert all(is_score(score) for score in cell.scores.values())
            assert set(cell.failed) <= set(cell.scores)
            assert all(isinstance(text, str) for text in (cell.recipe, cell.task, cell.model, cell.recorded))


@fuzz(
    0.1,
    data=st.one_of(spoilt_bytes(BASELINES.encode()), spoilt_text(BASELINES).map(lambda t: t.encode(errors="replace"))),
)
def test_baselines_spoilt_as_bytes(data: bytes) -> None:
    with folder() as here:
        (here / "b.json").write_bytes(data)
        check_baselines(here / "b.json")


@fuzz(0.1, data=spoilt_json(json.loads(BASELINES)))
def test_baselines_spoilt_by_who_knows_the_checksum(data: Any) -> None:
    for cell in data["cells"] if isinstance(data, dict) and isinstance(data.get("cells"), list) else []:
        if isinstance(cell, dict):
            cell.pop("checksum", None)
            text = json.dumps(cell, sort_keys=True)
            cell["checksum"] = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]
    with folder() as here:
        (here / "b.json").write_text(json.dumps(data), encoding="utf-8")
        check_baselines(here / "b.json")


def a_store(here: Path) -> Path:
    with Store(here / "store") as store:
        store.put_all([(record(seed), HISTORY) for seed in range(3)])
    return here / "store" / "runs.sqlite"


def check_store(path: Path) -> None:
    with refused_or_sane(), Store(path.parent, write=False) as store:
        for found in store.records():
            assert is_score(found.score)
            assert isinstance(found.seeds.seed, int)
            assert isinstance(found.recipe, str)
            assert isinstance(found.outcome, Outcome)
            history = store.history(found.id)
            assert all(is_score(loss) for loss in history.losses)


@fuzz(0.1, data=spoilt_json(record().to_json()), history=st.none() | odd_values | st.binary(max_size=30))
def test_rows_of_a_store(data: Any, history: Any) -> None:
    with folder() as here:
        path = a_store(here)
        packed = history if isinstance(history, bytes) else zlib.compress(json.dumps(history).encode())
        with sqlite3.connect(path) as db:
            db.execute("UPDATE runs SET record = ? WHERE seed = 1", (json.dumps(data),))
            if history is not None:
                db.execute("UPDATE runs SET history = ? WHERE seed = 1", (packed,))
        db.close()
        check_store(path)


@fuzz(0.04, data=st.data())
def test_bytes_of_a_store(data: st.DataObject) -> None:
    with folder() as here:
        path = a_store(here)
        path.write_bytes(data.draw(spoilt_bytes(path.read_bytes())))
        check_store(path)


STUDIES = sorted(SHIPPED.glob("*.toml"))


@fuzz(0.1, data=st.sampled_from(STUDIES).flatmap(lambda path: spoilt_text(path.read_text())))
def test_studies(data: str) -> None:
    with folder() as here, refused_or_sane():
        (here / "study.toml").write_text(data, encoding="utf-8", errors="replace")
        study = load_study(str(here / "study.toml"))
        assert 1 <= len(list(study.points())) * len(study.seed_list()) <= 10_000_000
        assert study.name
        assert study.tasks
        assert study.models


ROWS = {
    "glue/rte": [
        "index\tsentence1\tsentence2\tlabel",
        *(f"{i}\tA cat sat.\tA dog ran.\t{'' if i % 2 else 'not_'}entailment" for i in range(8)),
    ],
    "glue/cola": [f"gj04\t{i % 2}\t*\tThe book was read." for i in range(8)],
    "glue/qqp": [
        "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate",
        *(f"{i}\t1\t2\tWhy?\tHow?\t{i % 2}" for i in range(8)),
    ],
    "glue/stsb": [
        "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore",
        *(f"{i}\tm\tf\t2012\t1\tn\tn\tA plane.\tAn air plane.\t{i / 2:.3f}" for i in range(8)),
    ],
}


@fuzz(0.2, name=st.sampled_from(sorted(ROWS)), data=st.data())
def test_task_files(name: str, data: st.DataObject) -> None:
    spec, valid = GLUE_TASKS[name], "\n".join(ROWS[name]) + "\n"
    with folder() as here:
        own = here / spec.folder
        own.mkdir()
        (own / "dev.tsv").write_text(valid)
        (own / "train.tsv").write_bytes(data.draw(spoilt_bytes(valid.encode())))
        with refused_or_sane():
            task = load_task(name, here)
            given = (own / "train.tsv").read_bytes()
            texts = [*task.train.first, *(task.train.second or ())]
            assert len(task.train.labels) <= given.count(b"\n") + 1
            assert sum(not text.strip() for text in texts) <= 1 or task.notes, "blank texts without a word"
            assert all("\n" not in text and "\t" not in text for text in texts)
            if spec.classes:
                assert set(task.train.labels) <= set(range(len(spec.classes)))
            else:
                assert all(abs(label) <= LARGEST_SCORE for label in task.train.labels)


@fuzz(0.02, data=st.data())
def test_a_task_folder_with_odd_files(data: st.DataObject) -> None:
    with folder() as here:
        own = here / "RTE"
        own.mkdir()
        for split in ("train", "dev"):
            match data.draw(st.sampled_from(("good", "folder", "empty", "missing", "header"))):
                case "good":
                    (own / f"{split}.tsv").write_text("\n".join(ROWS["glue/rte"]))
                case "folder":
                    (own / f"{split}.tsv").mkdir()
                case "empty":
                    (own / f"{split}.tsv").touch()
                case "header":
                    (own / f"{split}.tsv").write_text(ROWS["glue/rte"][0])
        with refused_or_sane():
            load_task("glue/rte", here)
        shutil.rmtree(own)
