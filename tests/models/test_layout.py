"""What a model's parameters are: kinds, parts and depth for every known family, and for one that is not."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn
from transformers import AutoModel, AutoModelForSequenceClassification, PreTrainedModel

from stabbench.errors import ModelError
from stabbench.models.families import FAMILIES
from stabbench.models.layout import Layout
from stabbench.models.loading import describe, load_model
from stabbench.models.source import find_model

UNKNOWN = ["deberta-v2", "mpnet"]
HEADS = {
    "bert": ["classifier"],
    "roberta": ["classifier.dense", "classifier.out_proj"],
    "albert": ["classifier"],
    "electra": ["classifier.dense", "classifier.out_proj"],
    "distilbert": ["classifier"],
}
POOLERS = {"bert": ["bert.pooler.dense"], "albert": ["albert.pooler"], "distilbert": ["pre_classifier"]}
DEPTHS = {family: 1 if family == "albert" else 3 for family in FAMILIES}


def build(tiny: Any, family: str) -> tuple[PreTrainedModel, Layout]:
    model = AutoModelForSequenceClassification.from_config(tiny(family))
    return model, describe(model)


def owners(layout: Layout, part: str) -> list[str]:
    return sorted({name.rpartition(".")[0] for name in layout.names([part])})


@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_of_a_known_family_has_its_part(tiny: Any, family: str) -> None:
    model, layout = build(tiny, family)
    assert (layout.family, layout.known) == (family, True)
    assert [p.name for p in layout.parameters] == [name for name, _ in model.named_parameters()]
    assert "other" not in layout.parts
    assert layout.depth == DEPTHS[family]
    blocks = [f"block {i}" for i in range(DEPTHS[family])]
    assert layout.parts == ["embeddings", *blocks, *(["pooler"] if family in POOLERS else []), "head"]
    assert owners(layout, "head") == HEADS[family]
    assert owners(layout, "pooler") == POOLERS.get(family, [])
    assert all("embed" in name for name in layout.names(["embeddings"]))
    layout.require_structure("reinit")


@pytest.mark.parametrize("family", FAMILIES)
def test_all_blocks_own_the_same_parameters_and_are_numbered_from_the_bottom(tiny: Any, family: str) -> None:
    _, layout = build(tiny, family)
    names = [sorted(layout.names([f"block {i}"])) for i in range(layout.depth)]
    assert names[0]
    for i, own in enumerate(names):
        assert own == [name.replace(".0.", f".{i}.", 1) for name in names[0]]


@pytest.mark.parametrize("family", [*FAMILIES, *UNKNOWN])
def test_kinds_are_those_of_the_modules(tiny: Any, family: str) -> None:
    model, layout = build(tiny, family)
    norms = {name for name, module in model.named_modules() if isinstance(module, nn.LayerNorm)}
    assert norms
    for parameter in layout.parameters:
        owner, _, own = parameter.name.rpartition(".")
        expected = "bias" if own == "bias" else "norm" if owner in norms else "weight"
        assert parameter.kind == expected, parameter.name


def test_frozen_parameters_are_left_out(tiny: Any) -> None:
    model, _ = build(tiny, "bert")
    model.bert.embeddings.requires_grad_(False)
    assert "embeddings" not in describe(model).parts


@pytest.mark.parametrize("family", UNKNOWN)
def test_an_unknown_family_has_a_head_but_no_structure(tiny: Any, family: str) -> None:
    _, layout = build(tiny, family)
    assert (layout.family, layout.known, layout.depth, layout.parts) == (family, False, 0, ["head", "other"])
    assert any(name.startswith("classifier") for name in layout.names(["head"]))
    with pytest.raises(ModelError, match=rf"'reinit'.*'{family}'"):
        layout.require_structure("reinit")


def dropouts(model: PreTrainedModel) -> set[float]:
    return {module.p for module in model.modules() if isinstance(module, nn.Dropout)}


def dropout_settings(model: PreTrainedModel) -> dict[str, float]:
    settings = model.config.to_dict().items()
    return {key: value for key, value in settings if "dropout" in key and value is not None}


@pytest.mark.parametrize("family", [*FAMILIES, *UNKNOWN])
@pytest.mark.parametrize("rate", [0.0, 0.37])
def test_the_override_sets_every_dropout(tiny: Any, save_model: Any, family: str, rate: float) -> None:
    source = find_model(str(save_model(AutoModel.from_config(tiny(family)))))
    model, _ = load_model(source, 2, rate)
    assert dropouts(model) == {rate}
    assert set(dropout_settings(model).values()) == {rate}


def test_without_an_override_the_checkpoints_dropout_stays(tiny: Any, save_model: Any) -> None:
    config = tiny("bert", hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.3, classifier_dropout=0.4)
    model, _ = load_model(find_model(str(save_model(AutoModel.from_config(config)))), 2, None)
    assert dropouts(model) == {0.2, 0.3, 0.4}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pretrained_encoder_of_a_known_family_loads(tiny: Any, save_model: Any, family: str) -> None:
    encoder = AutoModel.from_config(tiny(family))
    _, layout = load_model(find_model(str(save_model(encoder))), 2, None)
    assert {p.part for p in layout.parameters if p.missing} <= {"head", "pooler"}
