"""Weights that a training leaves: its encoder, for trainings on another task, or all of them, to look at later."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor
from transformers import PreTrainedModel

from stabbench._system.files import replacing
from stabbench.engine.stacking.models import SeedModel
from stabbench.models.layout import Layout


def save_encoder(path: Path, model: SeedModel, layout: Layout) -> None:
    """Write everything but the head of a single seed's model, whole or not at all."""
    head = layout.names(["head"])
    _save(path, {name: values[0] for name, values in model.parameters.items() if name not in head})


def save_weights(path: Path, model: SeedModel, number: int) -> None:
    """Write all parameters of the group's seed ``number``, whole or not at all."""
    _save(path, {name: values[number] for name, values in model.parameters.items()})


def _save(path: Path, weights: Mapping[str, Tensor]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        # `save_file` would write to a file of its own, which a kill leaves behind.
        part.write_bytes(save({name: values.detach().cpu().contiguous() for name, values in weights.items()}))


@torch.no_grad()
def load_encoder(path: Path, model: PreTrainedModel, layout: Layout) -> Layout:
    """Put the weights of :func:`save_encoder` in the place of ``model``'s own.

    Returns:
        The layout, in which nothing is missing that was trained.
    """
    weights = load_file(path)
    parameters = dict(model.named_parameters())
    for name, values in weights.items():
        parameters[name].copy_(values)
    known = [dataclasses.replace(p, missing=p.missing and p.name not in weights) for p in layout.parameters]
    return dataclasses.replace(layout, parameters=tuple(known))
