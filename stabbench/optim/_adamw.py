"""AdamW in the papers' form, with bias correction as a switch.

Mosbach et al. 2021 (eq. 1-2) and Zhang et al. 2021 (Algorithm 1) write Adam as

    alpha_t = alpha * sqrt(1 - beta2^t) / (1 - beta1^t)
    theta  <- theta - alpha_t * m_t / (sqrt(v_t) + eps)

with eps *outside* the corrected root, as in the optimizer they trained with. ``torch.optim.AdamW`` corrects ``v``
before the root and adds eps afterwards, which scales eps by ``1/sqrt(1 - beta2^t)``: not the same numbers. Devlin's
BERT leaves the correction out (``alpha_t = alpha``), which makes its first steps up to seven times larger.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import Tensor


def adam_bias_correction(step: int, beta1: float = 0.9, beta2: float = 0.999) -> float:
    """Adam's bias-correction factor ``sqrt(1 - beta2^t) / (1 - beta1^t)``.

    Args:
        step: t, the number of this update, from 1.
        beta1: Decay rate of the first moment, in [0, 1).
        beta2: Decay rate of the second moment, in [0, 1).

    Returns:
        The factor on the learning rate; 1 without correction. For the usual betas it starts at 0.316, falls to 0.152
        at step 12 and climbs to 1 over some thousands of steps.

    Raises:
        ValueError: ``step`` below 1, or a beta outside [0, 1).

    Source: Mosbach et al. 2021, eq. 1-2; Zhang et al. 2021, Algorithm 1 and Fig. 1.
    """
    if step < 1:
        raise ValueError(f"step counts from 1, got {step}")
    _check_betas((beta1, beta2))
    return math.sqrt(1.0 - beta2**step) / (1.0 - beta1**step)


# Parameters, gradients, first and second moments, corrected rate, betas, eps.
Update = Callable[[list[Tensor], list[Tensor], list[Tensor], list[Tensor], float, tuple[float, float], float], None]


class AdamW(torch.optim.Optimizer):
    """AdamW in the papers' form: decoupled weight decay, bias correction optional.

    One update of a parameter w with gradient g, at its t-th step and the (scheduled) rate ``lr``::

        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) g^2
        w <- w - lr * c_t * m / (sqrt(v) + eps)      c_t = adam_bias_correction(t), or 1
        w <- w - lr * weight_decay * w

    A parameter group may have ``anchors``, one tensor a parameter and of its shape: its decay pulls towards them and
    not towards 0 (Zhang et al. 2021, section 7, with the pretrained values)::

        w <- w - lr * weight_decay * (w - anchor)

    Everything is element by element, so a parameter may have a leading seed axis.

    Args:
        params: Parameters or parameter groups, as for any ``torch.optim.Optimizer``.
        lr: Learning rate, positive or zero; a scheduler may set it at every step.
        betas: Decay rates of the two moments, each in [0, 1).
        eps: Added outside the root, positive or zero.
        weight_decay: Decoupled decay, scaled by ``lr`` but not by the bias correction.
        bias_correction: False reproduces Devlin's BERT optimizer.

    Raises:
        ValueError: A hyperparameter out of range.

    Source: Mosbach et al. 2021, section 3.2 and eq. 1-2; Loshchilov and Hutter 2019 (decoupled decay).
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.01,
        bias_correction: bool = True,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "bias_correction": bias_correction,
            "anchors": None,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, as in any ``torch.optim.Optimizer``; its hyperparameters are checked."""
        settings = {**self.defaults, **param_group}
        _check_betas(settings["betas"])
        for name in ("lr", "eps", "weight_decay"):
            if not settings[name] >= 0:
                raise ValueError(f"{name} must not be negative, got {settings[name]}")
        super().add_param_group(param_group)
        check_anchors(self)

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One update of every parameter that has a gradient; the others are left alone, decay included."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            anchors = dict(zip(group["params"], group["anchors"] or [], strict=False))
            # Parameters that joined late (gradual unfreezing) count their own steps, so the factor is per step count.
            # The fused kernel takes tensors of one device and type.
            alike: dict[tuple[int, torch.device, torch.dtype, bool], tuple[list[Tensor], list[Tensor]]] = {}
            for p in group["params"]:
                if p.grad is not None:
                    state = self.state[p]
                    if not state:
                        state.update(step=0, exp_avg=torch.zeros_like(p), exp_avg_sq=torch.zeros_like(p))
                    state["step"] += 1
                    parameters, gradients = alike.setdefault((state["step"], p.device, p.dtype, _fits(p)), ([], []))
                    parameters.append(p)
                    gradients.append(p.grad)
            for (step, _, _, fits), (parameters, gradients) in alike.items():
                self._update(group, parameters, gradients, step, _fused if fits else _foreach)
                if group["weight_decay"] != 0:
                    self._decay(parameters, [anchors[p] for p in parameters if p in anchors], group)
        return loss

    def _update(
        self, group: dict[str, Any], parameters: list[Tensor], gradients: list[Tensor], step: int, update: Update
    ) -> None:
        correction = adam_bias_correction(step, *group["betas"]) if group["bias_correction"] else 1.0
        m = [self.state[p]["exp_avg"] for p in parameters]
        v = [self.state[p]["exp_avg_sq"] for p in parameters]
        update(parameters, gradients, m, v, float(group["lr"]) * correction, group["betas"], group["eps"])

    @staticmethod
    def _decay(parameters: list[Tensor], anchors: list[Tensor], group: dict[str, Any]) -> None:
        share = float(group["lr"]) * group["weight_decay"]
        if anchors:
            torch._foreach_lerp_(parameters, anchors, share)
        else:
            torch._foreach_mul_(parameters, 1 - share)


def _fits(parameter: Tensor) -> bool:
    """Whether the fused kernel may be used.

    On the CPU it walks through memory as if all tensors were contiguous; and it rounds the last few values of a tensor
    otherwise than those that fill a vector of 16, so each seed's must fill vectors, or its numbers would depend on its
    neighbours.
    """
    if parameter.is_cuda:
        return True
    contiguous = parameter.is_contiguous() and parameter.grad is not None and parameter.grad.is_contiguous()
    in_vectors = parameter.dim() > 1 and math.prod(parameter.shape[1:]) % 16 == 0
    return contiguous and in_vectors and parameter.is_floating_point()


def _foreach(
    parameters: list[Tensor],
    gradients: list[Tensor],
    m: list[Tensor],
    v: list[Tensor],
    lr: float,
    betas: tuple[float, float],
    eps: float,
) -> None:
    """The update at the corrected rate ``lr``, one operation after the other."""
    beta1, beta2 = betas
    torch._foreach_mul_(m, beta1)
    torch._foreach_add_(m, gradients, alpha=1 - beta1)
    torch._foreach_mul_(v, beta2)
    torch._foreach_addcmul_(v, gradients, gradients, value=1 - beta2)
    denominator = torch._foreach_sqrt(v)
    torch._foreach_add_(denominator, eps)
    torch._foreach_addcdiv_(parameters, m, denominator, value=-lr)


def _fused(
    parameters: list[Tensor],
    gradients: list[Tensor],
    m: list[Tensor],
    v: list[Tensor],
    lr: float,
    betas: tuple[float, float],
    eps: float,
) -> None:
    """The same in one pass over memory: 28 bytes a parameter in float32, where the operations above move 72.

    PyTorch's kernel has the bias correction built in, with eps inside of it. At a step so late that its correction is 1
    it is the papers' update without one, and ``lr`` has theirs.
    """
    late = torch.full((), 1e9, device=parameters[0].device)
    torch._fused_adamw_(
        parameters,
        gradients,
        m,
        v,
        [],
        [late] * len(parameters),
        lr=lr,
        beta1=betas[0],
        beta2=betas[1],
        weight_decay=0.0,
        eps=eps,
        amsgrad=False,
        maximize=False,
    )


def check_anchors(optimizer: torch.optim.Optimizer) -> None:
    """Refuse the group that was added last, if its anchors are not of its parameters' shapes.

    Raises:
        ValueError: They are not; the group is taken away again.
    """
    added = optimizer.param_groups[-1]
    if added["anchors"] is not None:
        shapes = [[t.shape for t in tensors] for tensors in (added["params"], added["anchors"])]
        if shapes[0] != shapes[1]:
            del optimizer.param_groups[-1]
            raise ValueError("anchors must be one tensor for each parameter of the group, of its shape")


def _check_betas(betas: tuple[float, float]) -> None:
    for number, beta in enumerate(betas, start=1):
        if not 0 <= beta < 1:
            raise ValueError(f"beta{number} must be in [0, 1), got {beta}")
