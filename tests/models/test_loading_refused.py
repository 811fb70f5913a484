"""Models that do not load: each is refused in the user's terms, and none runs code of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import BertForSequenceClassification

from stabbench.errors import ModelError
from stabbench.models.loading import load_model, load_tokenizer
from stabbench.models.source import find_model

if TYPE_CHECKING:
    from pathlib import Path

LOAD = """
import sys
from stabbench.models.loading import load_model
from stabbench.models.source import find_model
load_model(find_model(sys.argv[1]), 2, None)
"""


def refusal(folder: Path, outputs: int = 2, **options: bool) -> ModelError:
    with pytest.raises(ModelError) as caught:
        load_model(find_model(str(folder), **options), outputs, None)
    assert str(folder) in caught.value.message  # the model's name here
    return caught.value


def test_an_index_of_safetensors_does_not_let_pickled_shards_in(tiny_bert: Path) -> None:
    weights = load_file(tiny_bert / "model.safetensors")
    torch.save(weights, tiny_bert / "shard.bin")
    (tiny_bert / "model.safetensors").unlink()
    index = {"metadata": {}, "weight_map": dict.fromkeys(weights, "shard.bin")}
    (tiny_bert / "model.safetensors.index.json").write_text(json.dumps(index))
    refusal(tiny_bert)


@pytest.mark.parametrize("kept", [0, 4, 100, 0.5, -1])
def test_truncated_weights_are_refused(tiny_bert: Path, kept: float) -> None:
    path = tiny_bert / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if kept == 0.5 else int(kept)])
    assert "SafetensorError" in refusal(tiny_bert).message


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 half of an archive"])
def test_damaged_pickled_weights_are_refused(tiny_bert: Path, content: bytes) -> None:
    (tiny_bert / "model.safetensors").unlink()
    (tiny_bert / "pytorch_model.bin").write_bytes(content)
    refusal(tiny_bert, allow_pickle=True)


@pytest.mark.parametrize("family", ["roberta", "distilbert", "electra", "mpnet"])
def test_weights_of_another_architecture_are_refused(save_model: Any, tiny: Any, edit: Any, family: str) -> None:
    folder = save_model(BertForSequenceClassification(tiny("bert")))
    edit(folder / "config.json", model_type=family)
    assert "another architecture" in refusal(folder).hint


def test_weights_of_fewer_blocks_are_refused(tiny_bert: Path, edit: Any) -> None:
    edit(tiny_bert / "config.json", num_hidden_layers=4)
    assert "encoder.layer.3" in refusal(tiny_bert).message


def test_weights_of_another_width_are_not_taken_for_another_number_of_labels(tiny_bert: Path, edit: Any) -> None:
    edit(tiny_bert / "config.json", hidden_size=24)
    assert "labels" not in refusal(tiny_bert).hint


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "none-such"},
        {"model_type": "vit"},
        {"model_type": None},
        {"model_type": ["bert"]},
        {"hidden_act": "none-such"},
        {"hidden_size": -8},
        {"hidden_size": "8"},
        {"num_attention_heads": 3},
        {"num_attention_heads": 0},
        {"num_hidden_layers": None},
        {"id2label": 3},
    ],
    ids=str,
)
def test_a_configuration_that_makes_no_sense_is_refused(tiny_bert: Path, edit: Any, change: dict[str, object]) -> None:
    edit(tiny_bert / "config.json", **change)
    refusal(tiny_bert)


@pytest.mark.parametrize("content", ["", "{", "[]", '"bert"'])
def test_a_damaged_configuration_is_refused(tiny_bert: Path, content: str) -> None:
    (tiny_bert / "config.json").write_text(content)
    refusal(tiny_bert)


def test_the_code_of_a_repository_never_runs_and_nobody_is_asked(tiny_bert: Path, edit: Any, run_python: Any) -> None:
    edit(tiny_bert / "config.json", model_type="mine", auto_map={"AutoConfig": "mine.Mine"})
    ran = tiny_bert / "ran"
    (tiny_bert / "mine.py").write_text(
        f"open({str(ran)!r}, 'w').close()\nfrom transformers import BertConfig\nclass Mine(BertConfig): pass\n"
    )
    done = run_python(LOAD, str(tiny_bert), stdin="y\n", HF_HUB_OFFLINE="1")
    assert "ModelError" in done.stderr
    assert "[y/N]" not in done.stdout
    assert not ran.exists()


def test_a_folder_without_a_tokenizer_is_refused(tiny_bert: Path) -> None:
    for path in tiny_bert.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(ModelError, match="tokenizer"):
        load_tokenizer(find_model(str(tiny_bert)))


def test_a_damaged_tokenizer_is_refused(tiny_bert: Path) -> None:
    path = tiny_bert / "tokenizer.json"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match="cannot load"):
        load_tokenizer(find_model(str(tiny_bert)))


def test_a_family_without_a_classifier_is_refused_with_those_that_have_one(tiny_bert: Path, edit: Any) -> None:
    edit(tiny_bert / "config.json", model_type="codegen")
    error = refusal(tiny_bert)
    assert "'codegen' has no model for sequence classification" in error.message
    assert "GPT-2" in error.hint


@pytest.mark.parametrize(("outside", "allowed"), [(7, True), (39, True), (40, False), (10**6, False)])
def test_a_padding_id_beyond_the_table_is_refused(tiny_bert: Path, edit: Any, outside: int, allowed: bool) -> None:
    edit(tiny_bert / "config.json", pad_token_id=outside)
    if allowed:
        load_model(find_model(str(tiny_bert)), 2, None)
        return
    error = refusal(tiny_bert)
    assert f"padding has the number {outside}, and the table of embeddings has 40 rows" in error.message
    assert "resize_token_embeddings" in error.hint


def test_a_model_far_larger_than_its_weights_is_refused_before_memory_is_taken(tiny_bert: Path, edit: Any) -> None:
    edit(tiny_bert / "config.json", hidden_size=2**20)
    assert "values, and the weights have" in refusal(tiny_bert).message


def test_without_the_packages_for_sentencepiece_the_error_names_them(tiny_bert: Path, run_python: Any) -> None:
    (tiny_bert / "tokenizer.json").rename(tiny_bert / "spm.model")
    script = """
import sys
sys.modules["sentencepiece"] = None  # as where it is not installed
from stabbench.models.loading import load_tokenizer
from stabbench.models.source import find_model
load_tokenizer(find_model(sys.argv[1]))
"""
    done = run_python(script, str(tiny_bert), HF_HUB_OFFLINE="1")
    assert "SentencePiece model (spm.model), and sentencepiece is not installed" in done.stderr
    assert "pip install sentencepiece protobuf" in done.stderr
