"""Losses of a batch, for every seed by itself."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def seed_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Each seed's mean loss ``[seeds]``: cross-entropy; binary cross-entropy for several labels; or squared error.

    Args:
        logits: ``[seeds, batch, outputs]``.
        labels: ``[seeds, batch]``: class numbers (int64) or scores; of several labels ``[seeds, batch, outputs]``.
    """
    if labels.dim() == logits.dim():
        return functional.binary_cross_entropy_with_logits(logits, labels, reduction="none").flatten(1).mean(1)
    if labels.dtype == torch.int64:
        each = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    else:
        each = (logits.flatten() - labels.flatten()).square()
    return each.view(labels.shape).mean(1)


def smoothed_losses(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Each seed's mean cross-entropy ``[seeds]`` with a share of the target spread evenly over all classes.

    Args:
        logits: ``[seeds, batch, outputs]``.
        labels: ``[seeds, batch]``, class numbers; of several labels ``[seeds, batch, outputs]``, each of which moves
            towards one half.
        smoothing: The share, in [0, 1).

    Source: Szegedy et al. 2016, section 7.
    """
    if labels.dim() == logits.dim():
        return seed_losses(logits, labels * (1 - smoothing) + smoothing / 2)
    each = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none", label_smoothing=smoothing)
    return each.view(labels.shape).mean(1)


def symmetric_divergences(first: Tensor, second: Tensor, *, several: bool) -> Tensor:
    """Each seed's mean of ``KL(p || q) + KL(q || p)`` over its batch, ``[seeds]``.

    Args:
        first: Logits of p, ``[seeds, batch, outputs]``.
        second: Logits of q, of the same shape.
        several: An example has any number of labels: then the divergence is summed over them.

    Source: Aghajanyan et al. 2021, eq. 1.
    """
    if several:
        # (p - q) (logit p - logit q) for each label: both divergences in one.
        return ((first.sigmoid() - second.sigmoid()) * (first - second)).sum(-1).mean(1)
    p, q = first.log_softmax(-1), second.log_softmax(-1)
    return ((p.exp() - q.exp()) * (p - q)).sum(-1).mean(1)
