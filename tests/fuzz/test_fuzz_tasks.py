"""Data files and task files of every format, spoilt: a task that can be trained, or one clear message."""

from __future__ import annotations

import io
import json
import math
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from fuzz.harness import fuzz, odd_values, refused_or_sane, spoilt_bytes, spoilt_json, spoilt_text
from hypothesis import strategies as st

from stabbench.tasks.registry import load_task

ROWS = [{"text": f'Text {i}, "quoted" é', "label": ("bad", "good", "ok")[i % 3]} for i in range(12)]
COLUMNS = {name: [row[name] for row in ROWS] for name in ("text", "label")}


def arrow_bytes() -> bytes:
    table = pa.table(COLUMNS)
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def parquet_bytes() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(COLUMNS), sink)
    return sink.getvalue()


def quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def separated(delimiter: str) -> bytes:
    lines = ["text" + delimiter + "label", *(delimiter.join(map(quoted, row.values())) for row in ROWS)]
    return "\n".join(lines).encode()


VALID = {
    "csv": separated(","),
    "tsv": separated("\t"),
    "jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
    "json": json.dumps(ROWS).encode(),
    "arrow": arrow_bytes(),
    "parquet": parquet_bytes(),
}
TOML = """name = "mine"
train = "train.csv"
evaluation = {path = "train.csv"}
validation = 0.25
text = ["text"]
label = "label"
classes = ["bad", "good", "ok"]
metric = "macro_f1"
"""


def check(path: Path) -> None:
    with refused_or_sane():
        task = load_task(str(path))
        for examples in (task.train, task.evaluation):
            assert len(examples.first) == len(examples.labels) > 0
            assert all(isinstance(text, str) for text in examples.first)
            if task.kind == "regression":
                assert all(math.isfinite(label) for label in examples.labels)
            else:
                flat = [n for label in examples.labels for n in (label if isinstance(label, tuple) else (label,))]
                assert set(flat) <= set(range(len(task.classes)))
        assert math.isfinite(task.constant_score)


@fuzz(0.5, kind=st.sampled_from(sorted(VALID)), data=st.data())
def test_spoilt_files_of_rows(kind: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"mine.{kind}"
        path.write_bytes(data.draw(spoilt_bytes(VALID[kind])))
        check(path)


@fuzz(0.2, kind=st.sampled_from(("json", "jsonl")), rows=spoilt_json(ROWS), labels=st.lists(odd_values, max_size=12))
def test_odd_values_in_json(kind: str, rows: object, labels: list[object]) -> None:
    if isinstance(rows, list):
        for row, label in zip(rows, labels, strict=False):
            if isinstance(row, dict):
                row["label"] = label
    parts = rows if kind == "jsonl" and isinstance(rows, list) else [rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"mine.{kind}"
        path.write_text("\n".join(map(json.dumps, parts)), encoding="utf-8")
        check(path)


@fuzz(0.2, text=spoilt_text(TOML))
def test_spoilt_task_files(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "train.csv").write_bytes(VALID["csv"])
        (Path(folder) / "mine.toml").write_text(text, encoding="utf-8", errors="replace")
        check(Path(folder) / "mine.toml")
