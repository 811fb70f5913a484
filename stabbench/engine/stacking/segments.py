"""Layers over the shares of a packed batch, where they are of several sizes: one call for each run of one size.

On a CPU, that is. On a GPU the shares are of one size, and the stacked layers take them as they do any batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from stabbench.engine.stacking.packing import EqualShares


def linear(values: Tensor, matrix: Tensor, bias: Tensor | None, runs: Sequence[EqualShares]) -> Tensor:
    """Each seed's share times its matrix.

    Args:
        values: ``[rows, inputs]``.
        matrix: ``[seeds, inputs, outputs]``.
        bias: ``[seeds, outputs]``.
        runs: Of the shares.

    Returns:
        ``[rows, outputs]``.
    """
    if torch.is_autocast_enabled(values.device.type):
        dtype = torch.get_autocast_dtype(values.device.type)
        values, matrix, bias = values.to(dtype), matrix.to(dtype), None if bias is None else bias.to(dtype)
    output: Tensor = _Linear.apply(values, matrix, bias, runs)  # type: ignore[no-untyped-call]
    return output


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, matrix: Tensor, bias: Tensor | None, runs: Sequence[EqualShares]) -> Tensor:
        ctx.save_for_backward(values, matrix)
        ctx.runs = runs
        output = values.new_empty(len(values), matrix.shape[2])
        for run, given, to in _shares(runs, values, output):
            weight = matrix[run.seeds]
            if bias is None:
                torch.bmm(given, weight, out=to)
            else:
                torch.baddbmm(bias[run.seeds].unsqueeze(1), given, weight, out=to)
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        values, matrix = ctx.saved_tensors
        of_values = of_matrix = of_bias = None
        if ctx.needs_input_grad[0]:
            of_values = torch.empty_like(values)
            for run, shares, to in _shares(ctx.runs, gradient, of_values):
                torch.bmm(shares, matrix[run.seeds].mT, out=to)
        if ctx.needs_input_grad[1]:
            of_matrix = values.new_empty(matrix.shape)
            for run, shares, given in _shares(ctx.runs, gradient, values):
                torch.bmm(given.mT, shares, out=of_matrix[run.seeds])
        if ctx.needs_input_grad[2]:
            of_bias = torch.cat([shares.sum(1) for _, shares in _shares(ctx.runs, gradient)])
        return of_values, of_matrix, of_bias, None


def layer_norm(values: Tensor, weight: Tensor, bias: Tensor, eps: float, runs: Sequence[EqualShares]) -> Tensor:
    """Each row normalised, and scaled by its seed's own.

    Args:
        values: ``[rows, width]``.
        weight: ``[seeds, width]``.
        bias: ``[seeds, width]``.
        eps: Added to the variance.
        runs: Of the shares.
    """
    normal = torch.nn.functional.layer_norm(values, values.shape[1:], eps=eps)
    output: Tensor = _Scaled.apply(normal, weight, bias, runs)  # type: ignore[no-untyped-call]
    return output


class _Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, normal: Tensor, weight: Tensor, bias: Tensor, runs: Sequence[EqualShares]) -> Tensor:
        ctx.save_for_backward(normal, weight)
        ctx.runs = runs
        # Under autocast the norm may be bfloat16, and the scales are not.
        output = torch.empty_like(normal, dtype=torch.result_type(normal, weight))
        for run, given, to in _shares(runs, normal, output):
            torch.addcmul(bias[run.seeds].unsqueeze(1), given, weight[run.seeds].unsqueeze(1), out=to)
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        normal, weight = ctx.saved_tensors
        of_normal = torch.empty_like(normal)
        of_weight, of_bias = [], []
        for run, shares, given, to in _shares(ctx.runs, gradient, normal, of_normal):
            of_bias.append(shares.sum(1))
            of_weight.append((shares * given).sum(1))
            torch.mul(shares, weight[run.seeds].unsqueeze(1), out=to)
        return of_normal, torch.cat(of_weight), torch.cat(of_bias), None


def _shares(runs: Sequence[EqualShares], *tensors: Tensor) -> Iterator[tuple[Any, ...]]:
    """Each run with its rows of each tensor, ``[shares, size, width]``."""
    for run in runs:
        yield run, *(tensor[run.rows].view(-1, run.size, tensor.shape[1]) for tensor in tensors)
