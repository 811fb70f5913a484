"""Training files, scores and recorded lines, spoilt: a training that can be run, a score, or one clear message."""

from __future__ import annotations

import contextlib
import json
import math
import sys
import tempfile
from pathlib import Path

from fuzz.harness import fuzz, odd_values, refused_or_sane, spoilt_bytes, spoilt_json, spoilt_text
from hypothesis import strategies as st

from stabbench.records.history import History
from stabbench.trainings.file import read_training
from stabbench.trainings.recorded import read
from stabbench.trainings.score import ScorePlace
from stabbench.trainings.training import NoScoreError

TOML = f"""name = "mine"
command = "{sys.executable} train.py --seed {{seed}} --lr {{lr}} --kind {{kind}} {{output}} {{{{seed}}}}"
score = "{{output}}/r.json:f1"
labels = "dev.csv:label"
metric = "accuracy"
inputs = ["dev.csv"]
timeout = "2h"

[env]
HOME = "{{output}}"

[parameters]
lr = 2e-5
kind = "a b"
"""
RESULT = {"f1": 0.5, "eval_loss": 0.25, "inner": {"f1": 0.75}}
LINES = [
    {"step": 1, "loss": 0.5, "grad_norm": 2.0},
    {"step": 2, "metrics": {"f1": 0.5}},
    {"step": 2, "predictions": [0]},
]


@fuzz(
    0.4, text=spoilt_text(TOML), parameters=st.sampled_from(["", ":lr=1", ":lr=1e-3,kind=c", ":lr=nan", ":", ":kind="])
)
def test_spoilt_training_files(text: str, parameters: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "dev.csv").write_text("label\na\nb\na\n")
        (Path(folder) / "mine.toml").write_text(text, encoding="utf-8", errors="replace")
        with refused_or_sane():
            made = read_training(f"{folder}/mine.toml{parameters}")
            assert made.label.startswith(made.name)
            assert made.timeout is None or made.timeout > 0
            assert made.constant_score is None or math.isfinite(made.constant_score)
            assert len(made.code()) == 16
            json.dumps(made.definition())


@fuzz(
    0.4,
    content=st.one_of(
        spoilt_bytes(json.dumps(RESULT).encode()), spoilt_json(RESULT).map(lambda x: json.dumps(x).encode())
    ),
)
def test_spoilt_scores(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "r.json").write_bytes(content)
        for key in ("f1", "inner.f1"):
            place = ScorePlace.parse("here", f"{{output}}/r.json:{key}")
            with contextlib.suppress(NoScoreError):
                found = place.find("", Path(folder), {"output": folder})
                assert isinstance(found.value, float)
                assert all(value is None or math.isfinite(value) for value in found.others.values())


@fuzz(0.2, content=spoilt_bytes("\n".join(map(json.dumps, LINES)).encode()), odd=st.lists(odd_values, max_size=4))
def test_spoilt_recorded_lines(content: bytes, odd: list[object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "recorded.jsonl"
        more = [json.dumps({"step": 3, "loss": value, "metrics": {"f1": value}, "predictions": value}) for value in odd]
        file.write_bytes(content + "\n".join(["", *more]).encode(errors="replace"))
        history = read(file).history("f1", 0.5, History())
        assert all(value is None or math.isfinite(value) for value in (*history.losses, *history.scores))
        assert History.unpacked(history.packed()).losses == list(history.losses)
