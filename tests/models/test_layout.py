"""What a model's parameters are: kinds and parts, for every known family and for one that is not."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import tiny_model
from torch import nn
from transformers import AutoModel, PreTrainedModel

from stabbench.errors import ModelError
from stabbench.models.families import FAMILIES
from stabbench.models.layout import Layout
from stabbench.models.loading import describe, load_model
from stabbench.models.source import find_model

UNKNOWN = ["ernie", "megatron-bert"]
# The modules of the head and the pooler; a decoder's, where none are given, are score and model.norm.
TWO = ["classifier.dense", "classifier.out_proj"]
TOPS: dict[str, tuple[list[str], list[str]]] = {
    "bert": (["classifier"], ["bert.pooler.dense"]),
    "roberta": (TWO, []),
    "xlm-roberta": (TWO, []),
    "camembert": (TWO, []),
    "albert": (["classifier"], ["albert.pooler"]),
    "electra": (TWO, []),
    "distilbert": (["classifier"], ["pre_classifier"]),
    "xlnet": (["logits_proj"], ["sequence_summary.summary"]),
    "bart": (["classification_head.dense", "classification_head.out_proj"], []),
    "deberta": (["classifier"], ["pooler.dense"]),
    "deberta-v2": (["classifier"], ["pooler.dense"]),
    "mpnet": (TWO, []),
    "modernbert": (["classifier"], ["head.dense", "head.norm", "model.final_norm"]),
    "gpt2": (["score"], ["transformer.ln_f"]),
    "gpt_neox": (["score"], ["gpt_neox.final_layer_norm"]),
    "opt": (["score"], ["model.decoder.final_layer_norm", "model.decoder.project_out"]),
    "phi": (["score"], ["model.final_layernorm"]),
}
DEPTHS = {family: {"albert": 1, "bart": 5}.get(family, 3) for family in FAMILIES}


def build(family: str) -> tuple[PreTrainedModel, Layout]:
    model = tiny_model(family)
    return model, describe(model)


def owners(layout: Layout, part: str) -> list[str]:
    return sorted({name.rpartition(".")[0] for name in layout.names([part])})


@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_of_a_known_family_has_its_part(family: str) -> None:
    model, layout = build(family)
    assert (layout.family, layout.known) == (family, True)
    # Each once, although BART's embeddings have three names.
    assert [p.name for p in layout.parameters] == [name for name, _ in model.named_parameters()]
    assert "other" not in layout.parts
    assert layout.depth == DEPTHS[family]
    head, pooler = TOPS.get(family, (["score"], ["model.norm"]))
    blocks = [f"block {i}" for i in range(DEPTHS[family])]
    assert layout.parts == ["embeddings", *blocks, *(["pooler"] if pooler else []), "head"]
    assert owners(layout, "head") == head
    assert owners(layout, "pooler") == pooler
    layout.require_structure("reinit")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_blocks_of_a_stack_own_the_same_parameters_and_are_numbered_from_the_bottom(family: str) -> None:
    _, layout = build(family)
    stacks = [range(2), range(2, 5)] if family == "bart" else [range(layout.depth)]
    for stack in stacks:
        top = layout.names([f"block {stack[-1]}"])
        assert top
        for i, block in enumerate(stack):
            own = {re.sub(r"\.\d+\.", f".{i}.", name, count=1) for name in top}
            # ModernBERT's embeddings end in a norm, so its lowest block begins with none.
            own -= {"model.layers.0.attn_norm.weight"} if family == "modernbert" else set()
            assert layout.names([f"block {block}"]) == own


def test_barts_decoder_stands_on_its_encoder() -> None:
    _, layout = build("bart")
    assert all(name.startswith("model.encoder.layers.1.") for name in layout.names(["block 1"]))
    assert all(name.startswith("model.decoder.layers.0.") for name in layout.names(["block 2"]))
    assert all(name.startswith("model.decoder.layers.2.") for name in layout.names(["block 4"]))


@given(st.lists(st.integers(1, 12), min_size=2, max_size=2), st.randoms(use_true_random=False))
def test_the_number_of_a_block_does_not_depend_on_the_order_of_the_names(
    depths: list[int], shuffle: random.Random
) -> None:
    encoder, decoder = ([f"model.{s}.layers.{i}.fc1.bias" for i in range(n)] for s, n in zip(
        ("encoder", "decoder"), depths, strict=True))  # fmt: skip
    expected = {name: f"block {i}" for i, name in enumerate(encoder + decoder)}
    names = [*expected]
    shuffle.shuffle(names)
    assert FAMILIES["bart"].parts(names) == expected


@pytest.mark.parametrize("family", [*FAMILIES, *UNKNOWN])
def test_kinds_are_those_of_the_modules(family: str) -> None:
    model, layout = build(family)
    norms = {name for name, module in model.named_modules() if type(module).__name__.endswith("Norm")}
    biases = {"bias", "q_bias", "v_bias", "r_r_bias", "r_s_bias", "r_w_bias"}
    assert norms
    for parameter in layout.parameters:
        owner, _, own = parameter.name.rpartition(".")
        expected = "bias" if own in biases else "norm" if owner in norms else "weight"
        assert parameter.kind == expected, parameter.name


def test_frozen_parameters_are_left_out() -> None:
    model, _ = build("bert")
    model.bert.embeddings.requires_grad_(False)
    assert "embeddings" not in describe(model).parts


@pytest.mark.parametrize("family", UNKNOWN)
def test_an_unknown_family_has_a_head_but_no_structure(family: str) -> None:
    _, layout = build(family)
    assert (layout.family, layout.known, layout.depth, layout.parts) == (family, False, 0, ["head", "other"])
    assert layout.names(["head"]) == {"classifier.weight", "classifier.bias"}
    with pytest.raises(ModelError, match=rf"'reinit'.*'{family}'"):
        layout.require_structure("reinit")


def dropouts(model: PreTrainedModel) -> set[float]:
    return {module.p for module in model.modules() if isinstance(module, nn.Dropout)}


def dropout_settings(model: PreTrainedModel) -> dict[str, Any]:
    settings = model.config.to_dict().items()
    return {key: value for key, value in settings if "drop" in key and "layerdrop" not in key and value is not None}


@pytest.mark.parametrize("family", [*FAMILIES, *UNKNOWN])
def test_the_override_sets_every_dropout(tiny: Any, save_model: Any, family: str) -> None:
    source = find_model(str(save_model(AutoModel.from_config(tiny(family)))))
    for rate in (0.0, 0.37):
        model, _ = load_model(source, 2, rate)
        # Llama and its kin call the function, not the module.
        assert dropouts(model) <= {rate}
        assert set(dropout_settings(model).values()) <= {rate}
        assert dropouts(model) or dropout_settings(model) or family == "smollm3"


def test_without_an_override_the_checkpoints_dropout_stays(tiny: Any, save_model: Any) -> None:
    config = tiny("bert", hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.3, classifier_dropout=0.4)
    model, _ = load_model(find_model(str(save_model(AutoModel.from_config(config)))), 2, None)
    assert dropouts(model) == {0.2, 0.3, 0.4}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pretrained_encoder_of_a_known_family_loads(tiny: Any, save_model: Any, family: str) -> None:
    encoder = AutoModel.from_config(tiny(family))
    source = find_model(str(save_model(encoder)))
    model, layout = load_model(source, 2, None)
    missing = {p.name for p in layout.parameters if p.missing}
    assert layout.names(["head"]) <= missing <= layout.names(["head", "pooler"])
    assert all(name not in missing for name, _ in model.base_model.named_parameters(model.base_model_prefix))
    assert source.depth == layout.depth
