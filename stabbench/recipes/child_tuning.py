"""Child-Tuning: only a part of the entries is updated, drawn anew in every step or chosen once for the task.

Xu, Luo, Zhang, Tan, Chang, Huang and Huang 2021, "Raise a Child in Large Language Model: Towards Effective and
Generalizable Fine-tuning", sections 2.2 (F) and 2.3 (D), and the released code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from stabbench.recipes._base import Recipe
from stabbench.recipes._hook_types import Subnetwork
from stabbench.recipes._parameters import parameter

if TYPE_CHECKING:
    from torch import Tensor

    from stabbench.models.layout import Layout, ParameterInfo
    from stabbench.recipes._step_hooks import Bernoulli


class ChildTuning(Recipe):
    """Bias correction, and gradients of a child network: ``mode=F`` draws it in every step, ``mode=D`` chooses it once.

    F multiplies every gradient by a mask that keeps an entry with probability ``reserve``, over ``reserve``. D keeps
    the share ``reserve`` of the blocks' entries with the largest Fisher information, which is estimated before the
    training (:mod:`stabbench.engine.fisher` says how); embeddings, pooler and head are trained in full, as in the
    released code, where the paper writes of all parameters. Weight decay goes on where the gradient is masked, in both.
    The paper tries 0.2, 0.3 and 0.4 for F and 0.1, 0.2 and 0.3 for D.
    """

    name: ClassVar[str] = "child-tuning"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Xu et al. 2021, section 2"

    bias_correction = True
    mode: Literal["F", "D"] = parameter("D", "F: task-free, masks are drawn; D: task-driven, by Fisher information")
    reserve: float = parameter(0.3, "share of the entries that are updated", above=0, below=1)

    def gradient(self, info: ParameterInfo, gradient: Tensor, bernoulli: Bernoulli) -> Tensor:  # noqa: ARG002
        if self.mode == "D":
            return gradient
        return gradient * bernoulli(self.reserve, tuple(gradient.shape[1:])) / self.reserve

    def subnetwork(self, layout: Layout) -> Subnetwork | None:
        if self.mode == "F":
            return None
        layout.require_structure(self.name)
        return Subnetwork(layout.names(part for part in layout.parts if part.startswith("block ")), self.reserve)
