"""Gradient clipping, by the global norm and by component (Yang and Ma 2022).

Both are a factor on each component's gradient, computed from the components' norms alone. So the mathematics is two
functions from norms to factors; ``norms`` may carry leading axes (the engine's has one entry a seed).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

# Added to every norm that divides, as in torch.nn.utils.clip_grad_norm_.
EPSILON = 1e-6


def component_scales(norms: Tensor, max_norm: float | Tensor) -> Tensor:
    """Factors that clip every component to ``max_norm`` by itself.

    Args:
        norms: Gradient norms, shape ``[..., components]``.
        max_norm: The threshold c, positive; or one for each component.

    Returns:
        ``min(1, c / (norm + 1e-6))``, the shape of ``norms``.

    Source: Yang and Ma 2022, section 3, with c = 0.05.
    """
    return (max_norm / (norms + EPSILON)).clamp(max=1.0)


def global_scales(norms: Tensor, max_norm: float) -> Tensor:
    """Factors that clip the whole gradient to ``max_norm``: one number, repeated for every component.

    Args:
        norms: Gradient norms, shape ``[..., components]``.
        max_norm: The threshold on the norm over all components; 0 switches clipping off.

    Returns:
        ``min(1, max_norm / (sqrt(sum of norms^2) + 1e-6))``, the shape of ``norms``.
    """
    if max_norm == 0:
        return torch.ones_like(norms)
    total = norms.square().sum(-1, keepdim=True).sqrt()
    return (max_norm / (total + EPSILON)).clamp(max=1.0).expand_as(norms)


@torch.no_grad()
def clip_component_norms_(parameters: Iterable[Tensor], max_norm: float) -> Tensor:
    """Component-wise gradient norm clipping, in place, for anyone's own training loop.

    A component is one parameter tensor: each attention matrix, each bias, each LayerNorm vector. Call it after
    ``backward()`` and before ``optimizer.step()``, so that the moments see the clipped gradient.

    Args:
        parameters: The model's parameters; those without a gradient are passed over.
        max_norm: The threshold c, positive.

    Returns:
        The norms before clipping, shape ``[components]``, in the order of the parameters that have a gradient.

    Raises:
        ValueError: ``max_norm`` is not positive.

    Source: Yang and Ma 2022, section 3: ``g <- g * min(1, c / (|g| + 1e-6))``.
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm must be positive, got {max_norm}")
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return torch.zeros(0)
    norms = torch.stack([torch.linalg.vector_norm(g) for g in gradients])
    for gradient, scale in zip(gradients, component_scales(norms, max_norm), strict=True):
        gradient.mul_(scale)
    return norms
