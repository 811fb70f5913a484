"""Mixout as a pure function (Lee, Cho and Kang 2020)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor


def mixout(
    weight: Tensor,
    pretrained: Tensor,
    p: float,
    *,
    generator: torch.Generator | None = None,
    per: Literal["neuron", "parameter"] = "neuron",
) -> Tensor:
    """Replace a random part of ``weight`` by its pretrained value, keeping the expectation.

    With a mask M that keeps with probability 1 - p::

        W' = ((1 - M) * P + M * W - p * P) / (1 - p)

    so that E[W'] = W. The derivative by W is ``M / (1 - p)``; the reference code's backward returns M without the
    factor, this function does not.

    Args:
        weight: W, shape ``[out, in]``.
        pretrained: P, the same shape.
        p: Probability of falling back to the pretrained value, in [0, 1).
        generator: Source of the mask, on the weight's device; the default generator if None.
        per: ``"neuron"`` draws one mask entry per input neuron (a column, shared by all rows), as in the paper and
            its code; ``"parameter"`` one per entry, as Zhang et al. 2021 describe it.

    Returns:
        W', shape ``[out, in]``, differentiable by ``weight``.

    Raises:
        ValueError: ``p`` outside [0, 1), an unknown ``per``, or shapes that differ.

    Source: Lee et al. 2020, eq. 6 and their released code.
    """
    check_mixout_probability(p)
    if per not in ("neuron", "parameter"):
        raise ValueError(f"per must be 'neuron' or 'parameter', got {per!r}")
    if weight.shape != pretrained.shape:
        raise ValueError(f"weight {tuple(weight.shape)} and pretrained {tuple(pretrained.shape)} differ in shape")
    shape = weight.shape if per == "parameter" else (1, *weight.shape[1:])
    keep = torch.empty(shape, dtype=weight.dtype, device=weight.device).bernoulli_(1 - p, generator=generator)
    return mix(weight, pretrained, keep, p)


def mix(weight: Tensor, pretrained: Tensor, keep: Tensor, p: float) -> Tensor:
    """Mixout's formula for a given mask; the three tensors broadcast against each other.

    Written as ``P + M (W - P) / (1 - p)``, which is the same and loses no precision where W is close to P.
    """
    return pretrained + keep * (weight - pretrained) / (1 - p)


def check_mixout_probability(p: float) -> None:
    """Raise ``ValueError`` unless 0 <= p < 1: at 1 the formula has no finite derivative (its limit is W' = P)."""
    if not 0 <= p < 1:
        raise ValueError(f"mixout's p must be in [0, 1), got {p}")
