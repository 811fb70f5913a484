"""Loading a model from disk: what becomes of its weights, its head and its tokenizer."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file
from tiny_models import tiny_batch, tiny_model
from transformers import (
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    ErnieForMaskedLM,
    PreTrainedModel,
    RobertaForMaskedLM,
)

from stabbench.models.layout import Layout
from stabbench.models.loading import load_model, load_tokenizer
from stabbench.models.source import find_model

if TYPE_CHECKING:
    from pathlib import Path

HEAD = {"classifier.weight", "classifier.bias"}


def load(folder: object, outputs: int = 2, **options: bool) -> tuple[PreTrainedModel, Layout]:
    return load_model(find_model(str(folder), **options), outputs, None)


def missing(layout: Layout) -> set[str]:
    return {p.name for p in layout.parameters if p.missing}


@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_the_lab_model_loads_with_a_head_of_any_size(outputs: int) -> None:
    model, layout = load("lab", outputs)
    assert model.config.num_labels == outputs
    assert (layout.family, layout.known, layout.depth) == ("bert", True, model.config.num_hidden_layers)
    assert missing(layout) == HEAD
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert model.config._attn_implementation == "eager"
    ids = load_tokenizer(find_model("lab"))("a sentence", return_tensors="pt")
    assert model(**ids).logits.shape == (1, outputs)


def test_a_pretrained_encoder_keeps_its_weights_and_lacks_only_the_head(tiny_bert: Path) -> None:
    model, layout = load(tiny_bert)
    assert missing(layout) == HEAD
    for name, weight in load_file(tiny_bert / "model.safetensors").items():
        torch.testing.assert_close(model.get_parameter(f"bert.{name}"), weight)


def test_a_model_with_a_head_of_the_right_size_lacks_nothing(save_model: Any, tiny: Any) -> None:
    assert missing(load(save_model(BertForSequenceClassification(tiny("bert"))))[1]) == set()


@pytest.mark.parametrize("family", ["bert", "roberta", "xlnet", "bart", "llama", "ernie"])
@pytest.mark.parametrize(("theirs", "ours"), [(3, 2), (2, 3), (1, 2)])
def test_a_head_of_another_size_is_not_used_and_counts_as_missing(
    save_model: Any, family: str, theirs: int, ours: int
) -> None:
    """As of MNLI for RTE, or of a reward model. Every head starts anew anyway."""
    source = tiny_model(family, num_labels=theirs)
    model, layout = load(save_model(source), ours)
    assert layout.unused_head is not None
    assert theirs in layout.unused_head
    assert missing(layout) <= layout.names(["head"])
    assert model(**tiny_batch(2, 8)).logits.shape == (2, ours)
    pretrained = dict(source.named_parameters())
    assert all(torch.equal(p, pretrained[n]) for n, p in model.named_parameters() if n not in missing(layout))


@pytest.mark.parametrize(
    ("family", "kind"), [("bert", BertForMaskedLM), ("roberta", RobertaForMaskedLM), ("ernie", ErnieForMaskedLM)]
)
def test_a_masked_language_model_lacks_only_the_head_and_the_pooler(
    save_model: Any, tiny: Any, family: str, kind: Any
) -> None:
    _, layout = load(save_model(kind(tiny(family))))
    assert all("pooler" in name or name.startswith("classifier.") for name in missing(layout))


def test_half_precision_weights_are_loaded_as_float32(save_model: Any, tiny: Any) -> None:
    model, _ = load(save_model(BertModel(tiny("bert")).half()))
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_pickled_weights_load_when_allowed(tiny_bert: Path) -> None:
    weights = load_file(tiny_bert / "model.safetensors")
    torch.save(weights, tiny_bert / "pytorch_model.bin")
    (tiny_bert / "model.safetensors").unlink()
    model, _ = load(tiny_bert, allow_pickle=True)
    torch.testing.assert_close(model.get_parameter("bert.pooler.dense.weight"), weights["pooler.dense.weight"])


def test_the_tokenizer_is_the_models_own(tiny_bert: Path) -> None:
    assert load_tokenizer(find_model(str(tiny_bert)))("b a none")["input_ids"] == [5, 4, 1]


def test_a_forward_pass_is_never_made_twice(tmp_path: Path) -> None:
    """Checkpointed activations would draw other masks of dropout the second time."""
    model, _ = load("lab")
    model.config.gradient_checkpointing = True
    model.save_pretrained(tmp_path / "model")
    shutil.copy(find_model("lab").folder / "tokenizer.json", tmp_path / "model")
    shutil.copy(find_model("lab").folder / "tokenizer_config.json", tmp_path / "model")
    assert json.loads((tmp_path / "model" / "config.json").read_text())["gradient_checkpointing"] is True
    loaded, _ = load(tmp_path / "model")
    assert not any(getattr(module, "gradient_checkpointing", False) for module in loaded.modules())
