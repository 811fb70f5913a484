"""Folders of models whose files are spoilt."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fuzz.harness import fuzz, refused_or_sane, spoilt_bytes, spoilt_json
from hypothesis import strategies as st

from stabbench.models.loading import load_model, load_tokenizer
from stabbench.models.source import find_model

LAB = find_model("lab").folder
CONFIG = json.loads((LAB / "config.json").read_text())
TOKENIZER = json.loads((LAB / "tokenizer_config.json").read_text())
INDEX = {"metadata": {"total_size": 1}, "weight_map": {"bert.pooler.dense.bias": "model.safetensors"}}


@contextmanager
def spoilt(file: str, content: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "model"
        shutil.copytree(LAB, copy)
        if file.endswith(".index.json"):
            (copy / "model.safetensors").rename(copy / "shard.safetensors")
        (copy / file).write_bytes(content)
        yield copy


def text_of(data: Any) -> bytes:
    return json.dumps(data).encode(errors="surrogatepass")


@fuzz(0.06, data=st.one_of(spoilt_json(CONFIG).map(text_of), spoilt_bytes(text_of(CONFIG))))
def test_configurations(data: bytes) -> None:
    with spoilt("config.json", data) as model, refused_or_sane():
        source = find_model(str(model))
        source.digest()
        assert source.depth is None or 0 <= source.depth < 10_000
        load_model(source, 2, None)


@fuzz(0.02, data=st.one_of(spoilt_json(INDEX).map(text_of), spoilt_bytes(text_of(INDEX))))
def test_indexes(data: bytes) -> None:
    with spoilt("model.safetensors.index.json", data) as model, refused_or_sane():
        source = find_model(str(model))
        source.digest()
        source.weights_bytes()


@fuzz(
    0.02,
    data=st.one_of(spoilt_json(TOKENIZER).map(text_of), spoilt_bytes((LAB / "tokenizer.json").read_bytes())),
    part=st.booleans(),
)
def test_tokenizers(data: bytes, part: bool) -> None:
    with spoilt("tokenizer_config.json" if part else "tokenizer.json", data) as model, refused_or_sane():
        source = find_model(str(model))
        source.digest()
        load_tokenizer(source)


@fuzz(0.01, data=spoilt_bytes((LAB / "model.safetensors").read_bytes()))
def test_weights(data: bytes) -> None:
    with spoilt("model.safetensors", data) as model, refused_or_sane():
        source = find_model(str(model))
        source.digest()
        load_model(source, 2, None)
