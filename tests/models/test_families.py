"""What recipes make of each family: what starts anew and how, and what gets no decay."""

from __future__ import annotations

import pytest
import torch
from tiny_models import tiny_model

from stabbench.engine.stacking.models import OneSeedModel
from stabbench.engine.stacking.streams import SeedStreams
from stabbench.models.families import FAMILIES, Defaults, defaults_of, depth_of, keeps_inputs_first
from stabbench.models.layout import ParameterInfo
from stabbench.models.loading import describe
from stabbench.recipes import get_recipe
from stabbench.records.seeds import Seeds


def with_both(*owners: str) -> set[str]:
    return {f"{owner}.{own}" for owner in owners for own in ("weight", "bias")}


def below(prefix: str, names: set[str]) -> set[str]:
    return {prefix + name for name in names}


# Head, pooler and the top block, written out.
RESET = {
    "bert": with_both("classifier", "bert.pooler.dense")
    | below(
        "bert.encoder.layer.2.",
        with_both(
            "attention.self.query", "attention.self.key", "attention.self.value",
            "attention.output.dense", "attention.output.LayerNorm",
            "intermediate.dense", "output.dense", "output.LayerNorm",
        ),
    ),
    "albert": with_both("classifier", "albert.pooler")
    | below(
        "albert.encoder.albert_layer_groups.0.albert_layers.0.",
        with_both(
            "attention.query", "attention.key", "attention.value", "attention.dense", "attention.LayerNorm",
            "ffn", "ffn_output", "full_layer_layer_norm",
        ),
    ),
    "xlnet": with_both("logits_proj", "sequence_summary.summary")
    | below(
        "transformer.layer.2.",
        {f"rel_attn.{own}" for own in ("q", "k", "v", "o", "r", "seg_embed", "r_r_bias", "r_s_bias", "r_w_bias")}
        | with_both("rel_attn.layer_norm", "ff.layer_norm", "ff.layer_1", "ff.layer_2"),
    ),
    "bart": with_both("classification_head.dense", "classification_head.out_proj")
    | below(
        "model.decoder.layers.2.",
        with_both(
            *(f"{a}.{own}_proj" for a in ("self_attn", "encoder_attn") for own in ("q", "k", "v", "out")),
            "self_attn_layer_norm", "encoder_attn_layer_norm", "fc1", "fc2", "final_layer_norm",
        ),
    ),
    "llama": {"score.weight", "model.norm.weight"}
    | below(
        "model.layers.2.",
        {f"self_attn.{own}_proj.weight" for own in "qkvo"}
        | {f"mlp.{own}_proj.weight" for own in ("gate", "up", "down")}
        | {"input_layernorm.weight", "post_attention_layernorm.weight"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("family", RESET)
def test_reinit_resets_the_head_the_pooler_and_the_top_block(family: str) -> None:
    layout = describe(tiny_model(family))
    assert get_recipe("reinit", blocks=1).fresh(layout) == RESET[family]


@pytest.mark.parametrize("family", [*FAMILIES, "openai-gpt"])
def test_which_families_keep_weights_as_inputs_by_outputs(family: str) -> None:
    assert keeps_inputs_first(family) == bool(OneSeedModel(tiny_model(family)).transposed)


@pytest.mark.parametrize("family", FAMILIES)
def test_biases_and_norms_get_no_decay_and_every_parameter_is_in_one_group(family: str) -> None:
    layout = describe(tiny_model(family))
    decay = {}
    for group in get_recipe("devlin", weight_decay=0.1).groups(layout):
        for name in group.names:
            assert name not in decay
            decay[name] = group.weight_decay
    assert decay == {p.name: 0.1 if p.kind == "weight" else 0.0 for p in layout.parameters}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_starts_anew_starts_as_transformers_starts_it(family: str) -> None:
    """Constants are the same; what is drawn is drawn with 0.02, the scale of the papers."""
    model = tiny_model(family)
    layout = describe(model)
    started = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(7.0)
    seeds = OneSeedModel(model)
    names = frozenset(p.name for p in layout.parameters)
    seeds.initialise(names, layout, SeedStreams([Seeds.of(3)], "initialisation", torch.device("cpu")))
    for parameter in layout.parameters:
        anew, theirs = seeds.parameters[parameter.name][0].detach(), started[parameter.name]
        if parameter.initial == "normal":
            assert theirs.std() > 0, parameter.name
            if anew.numel() >= 100:
                assert anew.std() == pytest.approx(0.02, rel=0.25), parameter.name
            assert anew.abs().max() < 0.12, parameter.name
        else:
            assert torch.equal(anew, theirs), parameter.name


@pytest.mark.parametrize(
    ("family", "ending", "kind", "initial"),
    [
        ("bert", "2.output.dense.weight", "weight", "normal"),
        ("bert", "2.output.LayerNorm.weight", "norm", "ones"),
        ("xlnet", "2.rel_attn.r_w_bias", "bias", "normal"),
        ("xlnet", "2.rel_attn.seg_embed", "weight", "normal"),
        ("xlnet", "2.rel_attn.layer_norm.bias", "bias", "zeros"),
        ("deberta", "2.attention.self.q_bias", "bias", "zeros"),
        ("gpt2", "2.attn.c_attn.weight", "weight", "normal"),
        ("llama", "model.norm.weight", "norm", "ones"),
        ("gemma", "model.norm.weight", "norm", "zeros"),
        ("gemma3_text", "2.self_attn.q_norm.weight", "norm", "zeros"),
    ],
)
def test_parameters_that_one_could_mistake(family: str, ending: str, kind: str, initial: str) -> None:
    (found,) = [p for p in describe(tiny_model(family)).parameters if p.name.endswith(ending)]
    assert (found.kind, found.initial) == (kind, initial)


def test_tensors_that_are_fused_are_one_component() -> None:
    def attention(family: str) -> list[ParameterInfo]:
        layout = describe(tiny_model(family))
        return [p for p in layout.parameters if "attn" in p.name and p.part == "block 0" and p.kind == "weight"]

    assert [p.name for p in attention("gpt2")] == [
        "transformer.h.0.attn.c_attn.weight", "transformer.h.0.attn.c_proj.weight"
    ]  # fmt: skip
    assert len(attention("phi3")) == 2
    assert len(attention("llama")) == 4


def test_defaults_are_the_papers_and_berts_where_none_studied_the_family() -> None:
    berts = Defaults(lr=2e-5, beta2=0.999, weight_decay=0.01, max_grad_norm=1.0, dropout=None, lr_decay=0.95)
    robertas = Defaults(beta2=0.98, weight_decay=0.1, max_grad_norm=0.0)
    others = {
        **dict.fromkeys(("roberta", "xlm-roberta", "camembert"), robertas),
        "albert": Defaults(weight_decay=0.0, dropout=0.0),
        "electra": Defaults(lr=5e-5, lr_decay=0.9),
        "xlnet": Defaults(lr=3e-5),
    }
    assert {family: defaults_of(family) for family in [*FAMILIES, "none such"]} == {
        family: others.get(family, berts) for family in [*FAMILIES, "none such"]
    }


def test_depth_is_what_the_configuration_says_and_unknown_otherwise() -> None:
    assert depth_of("bert", {"num_hidden_layers": 12}) == 12
    assert depth_of("bart", {"encoder_layers": 6, "decoder_layers": 5}) == 11
    assert depth_of("albert", {"num_hidden_layers": 12}) == 1
    assert depth_of("albert", {"num_hidden_layers": 12, "num_hidden_groups": 2}) == 2
    assert depth_of("bart", {"encoder_layers": 6}) is None
    assert depth_of("bert", {"num_hidden_layers": "twelve"}) is None
    assert depth_of("none such", {"num_hidden_layers": 12}) is None
