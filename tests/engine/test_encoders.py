"""An encoder that is kept: everything but the head, exactly, and nothing of it counts as missing any more."""

import dataclasses
from pathlib import Path

import pytest
import torch
from lab_training import LAB, fit, resolved
from safetensors.torch import load_file

from stabbench.engine.encoders import load_encoder, save_encoder
from stabbench.engine.inputs import Inputs
from stabbench.models.layout import Layout
from stabbench.models.loading import load_model
from stabbench.records.seeds import Seeds


def lacking(layout: Layout, *parts: str) -> Layout:
    """As of a checkpoint that has no values for those parts."""
    return dataclasses.replace(
        layout, parameters=tuple(dataclasses.replace(p, missing=p.part in parts) for p in layout.parameters)
    )


@pytest.mark.parametrize("one_seed", [False, True])
def test_what_is_kept_comes_back_to_the_bit_without_the_head(one_seed: bool, data: Inputs, tmp_path: Path) -> None:
    recipe = resolved("bias-correction:epochs=1,lr=1e-3")
    model, _, layout = fit(recipe, data, [Seeds.of(0)], one_seed=one_seed)
    path = tmp_path / "not" / "yet" / "there.safetensors"
    save_encoder(path, model, layout)
    assert [p.name for p in path.parent.iterdir()] == [path.name]

    head = layout.names(["head"])
    encoder = {p.name for p in layout.parameters} - head
    assert head == {"classifier.weight", "classifier.bias"}
    assert load_file(path).keys() == encoder
    # A head of another size is no obstacle.
    pretrained, other = load_model(LAB, 3, None)
    before = {name: parameter.detach().clone() for name, parameter in pretrained.named_parameters()}
    load_encoder(path, pretrained, other)
    for name, parameter in pretrained.named_parameters():
        if name in encoder:
            assert torch.equal(parameter, model.parameters[name][0]), name
        else:
            assert torch.equal(parameter, before[name]), name
    assert not torch.equal(before["bert.pooler.dense.weight"], model.parameters["bert.pooler.dense.weight"][0])


def test_what_was_missing_and_has_been_trained_is_missing_no_more(data: Inputs, tmp_path: Path) -> None:
    model, _, layout = fit(resolved("bias-correction:epochs=1"), data, [Seeds.of(0)])
    save_encoder(tmp_path / "e.safetensors", model, layout)
    pretrained, found = load_model(LAB, 2, None)
    loaded = load_encoder(tmp_path / "e.safetensors", pretrained, lacking(found, "head", "pooler"))
    assert {p.name for p in loaded.parameters if p.missing} == layout.names(["head"])
    assert loaded == lacking(found, "head")


def test_a_second_encoder_takes_the_place_of_the_first(data: Inputs, tmp_path: Path) -> None:
    path = tmp_path / "e.safetensors"
    for seed in (0, 1):
        model, _, layout = fit(resolved("bias-correction:epochs=1,lr=1e-3"), data, [Seeds.of(seed)])
        save_encoder(path, model, layout)
    name = "bert.encoder.layer.11.output.dense.weight"
    assert torch.equal(load_file(path)[name], model.parameters[name][0])
    assert len(list(tmp_path.iterdir())) == 1
