"""Many seeds in one forward pass of an unmodified ``transformers`` model.

The model runs on a merged batch ``[seeds * batch, ...]``. Only the leaves that own parameters know that there are
several seeds: they hold ``[seeds, ...]`` tensors and apply each seed's slice to its part of the batch; and dropout, as
each seed has masks of its own. All other modules (attention, activations, residuals) see one merged batch.

A model with parameters outside the leaves known here cannot be stacked this way: see
:mod:`stabbench.engine.stacking.models`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from stabbench.engine.stacking import segments
from stabbench.engine.stacking.context import packing_now
from stabbench.engine.stacking.dropout import dropout
from stabbench.engine.stacking.packing import EqualShares

# Layers whose weight is a matrix that a recipe may replace.
LINEAR = (nn.Linear, Conv1D)


class StackError(Exception):
    """This model cannot be stacked; the message says why."""


class StackedLinear(nn.Module):
    """``nn.Linear`` for every seed: weight ``[seeds, out, in]``, bias ``[seeds, out]``."""

    transposed = False

    def __init__(self, linear: nn.Linear | Conv1D, seeds: int) -> None:
        super().__init__()
        self.weight = _repeat(linear.weight, seeds)
        bias: Tensor | None = linear.bias  # torch's stubs forget that it may be None
        self.bias = None if bias is None else _repeat(bias, seeds)
        # What the forward pass uses: the weight itself, or what a recipe makes of it for one training step.
        self.active_weight: Tensor | None = None

    def forward(self, input: Tensor) -> Tensor:
        weight = self.weight if self.active_weight is None else self.active_weight
        matrix = weight if self.transposed else weight.mT
        seeds, inputs, outputs = matrix.shape
        if runs := uneven_shares():
            output = segments.linear(input.reshape(-1, inputs), matrix, self.bias, runs)
            return output.view(*input.shape[:-1], outputs)
        rows = input.reshape(seeds, -1, inputs)
        bias = None if self.bias is None else self.bias.unsqueeze(1)
        # A matrix times a single vector would be left to other kernels, which round otherwise: so do it twice.
        twice = seeds == 1 and 1 in (outputs, rows.shape[1])
        if twice:
            rows, matrix = rows.expand(2, -1, -1), matrix.expand(2, -1, -1)
            bias = None if bias is None else bias.expand(2, -1, -1)
        output = torch.bmm(rows, matrix) if bias is None else torch.baddbmm(bias, rows, matrix)
        if twice:
            output = output[:1]  # not always: the backward pass of a slice fills a whole tensor
        return output.view(*input.shape[:-1], outputs)


class StackedConv1D(StackedLinear):
    """GPT-2's ``Conv1D`` for every seed: a Linear whose weight is ``[seeds, in, out]``."""

    transposed = True


class StackedEmbedding(nn.Module):
    """``nn.Embedding`` for every seed: one table ``[seeds, entries, width]``, looked up with offset ids."""

    def __init__(self, embedding: nn.Embedding, seeds: int) -> None:
        super().__init__()
        if embedding.max_norm is not None or embedding.scale_grad_by_freq or embedding.sparse:
            raise StackError("an embedding with max_norm, scale_grad_by_freq or sparse gradients")
        self.weight = _repeat(embedding.weight, seeds)
        if embedding.padding_idx is not None:
            padding = embedding.padding_idx
            keep = torch.ones(embedding.num_embeddings, 1, device=self.weight.device)
            keep[padding] = 0
            self.register_buffer("keep", keep, persistent=False)
            self.weight.register_hook(lambda gradient: gradient * self.keep)
        # Set by the model before each forward pass: ids of this many rows belong to seeds, of one row to all.
        self.merged_rows = 0

    def forward(self, ids: Tensor) -> Tensor:
        seeds, entries, width = self.weight.shape
        if ids.shape[0] == self.merged_rows:
            ids = ids.view(seeds, -1, *ids.shape[1:])
        elif ids.shape[0] == 1:
            # Positions are given once for the whole batch, but every seed has its own table.
            ids = ids.expand(seeds, self.merged_rows // seeds, *ids.shape[1:])
        else:
            raise StackError(f"an embedding is looked up with {ids.shape[0]} rows of ids, not one or the batch's")
        offsets = torch.arange(seeds, device=ids.device) * entries
        shifted = ids + offsets.view(-1, *[1] * (ids.dim() - 1))
        return nn.functional.embedding(shifted.flatten(0, 1), self.weight.view(seeds * entries, width))


class StackedLayerNorm(nn.Module):
    """``nn.LayerNorm`` for every seed: weight and, if there is one, bias ``[seeds, width]``."""

    def __init__(self, norm: nn.LayerNorm, seeds: int) -> None:
        super().__init__()
        if len(norm.normalized_shape) != 1 or norm.weight is None:
            raise StackError("a LayerNorm over several axes, or without scale")
        self.shape, self.eps = norm.normalized_shape, norm.eps
        self.weight = _repeat(norm.weight, seeds)
        bias: Tensor | None = norm.bias  # torch's stubs forget that it may be None
        self.bias = None if bias is None else _repeat(bias, seeds)

    def forward(self, input: Tensor) -> Tensor:
        seeds, width = self.weight.shape
        if runs := uneven_shares():
            if self.bias is None:
                raise StackError("a LayerNorm without bias inside a packed batch")
            normal = segments.layer_norm(input.view(-1, width), self.weight, self.bias, self.eps, runs)
            return normal.view(input.shape)
        normal = nn.functional.layer_norm(input, self.shape, eps=self.eps).view(seeds, -1, width)
        if self.bias is None:
            return (normal * self.weight.unsqueeze(1)).view(input.shape)
        return torch.addcmul(self.bias.unsqueeze(1), normal, self.weight.unsqueeze(1)).view(input.shape)


class StackedNorm(nn.Module):
    """Any other norm over the last axis for every seed: its own forward pass, with scales that broadcast."""

    def __init__(self, norm: nn.Module, seeds: int) -> None:
        super().__init__()
        # In a tuple: its parameters are no parameters of the stack.
        self.norm = (norm,)
        for name, parameter in norm.named_parameters():
            self.register_parameter(name, _repeat(parameter, seeds))

    def forward(self, input: Tensor) -> Tensor:
        if packing_now() is not None:
            raise StackError(f"a {type(self.norm[0]).__name__} inside a packed batch")
        scales = {name: parameter.unsqueeze(1) for name, parameter in self.named_parameters()}
        seeds, _, width = next(iter(scales.values())).shape
        output: Tensor = torch.func.functional_call(self.norm[0], scales, (input.reshape(seeds, -1, width),))
        return output.view(input.shape)


class StackedDropout(nn.Module):
    """``nn.Dropout`` for every seed, from its own stream."""

    def __init__(self, module: nn.Dropout, _: int) -> None:
        super().__init__()
        self.p = module.p
        self.train(module.training)

    def forward(self, input: Tensor) -> Tensor:
        return dropout(input, self.p, self.training)


def uneven_shares() -> Sequence[EqualShares]:
    """The runs of a packed batch whose shares are of several sizes; where they are of one, it is like any other."""
    packing = packing_now()
    return () if packing is None or len(packing.runs) == 1 else packing.runs


def _repeat(parameter: Tensor, seeds: int) -> nn.Parameter:
    return nn.Parameter(parameter.detach().expand(seeds, *parameter.shape).clone())


def check_leaves(model: nn.Module) -> None:
    """Raise :class:`StackError` where a parameter lies outside the leaves known here, or two leaves share one."""
    owners: dict[int, nn.Module] = {}
    for name, module in model.named_modules():
        for own, parameter in module.named_parameters(recurse=False):
            if _stacked_form(module) is None:
                raise StackError(f"parameter {name}.{own} belongs to a {type(module).__name__}")
            if owners.setdefault(id(parameter), module) is not module:
                raise StackError(f"parameter {name}.{own} is shared between two modules")


def stack_leaves_(model: nn.Module, seeds: int) -> None:
    """Swap every leaf of ``model`` that owns parameters, and every dropout, for its stacked form, in place.

    Raises:
        StackError: As :func:`check_leaves` does.
    """
    check_leaves(model)
    swapped: dict[nn.Module, nn.Module] = {}
    for path, module in list(model.named_modules(remove_duplicate=False)):
        if form := _stacked_form(module):
            # A module that stands in several places is swapped for one and the same in all of them.
            if module not in swapped:
                swapped[module] = form(module, seeds)
            parent, _, name = path.rpartition(".")
            setattr(model.get_submodule(parent), name, swapped[module])


def _stacked_form(module: nn.Module) -> Callable[[Any, int], nn.Module] | None:
    if type(module) in _LEAVES:
        return _LEAVES[type(module)]
    # Most families have norm classes of their own, alike in all but the name.
    own = [*module.parameters()]
    is_norm = type(module).__name__.endswith(("RMSNorm", "LayerNorm"))
    return StackedNorm if is_norm and own and all(parameter.dim() == 1 for parameter in own) else None


_LEAVES: dict[type[nn.Module], Callable[[Any, int], nn.Module]] = {
    nn.Linear: StackedLinear,
    Conv1D: StackedConv1D,
    nn.Embedding: StackedEmbedding,
    nn.LayerNorm: StackedLayerNorm,
    nn.Dropout: StackedDropout,
}
