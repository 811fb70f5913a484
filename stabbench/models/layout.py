"""What a model's parameters are to a recipe: which belong to the head, the pooler, a block, and which get no decay.

Plain data without torch, made once from a loaded model (:mod:`stabbench.models.loading`) and read by recipes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from stabbench.errors import ModelError

Kind = Literal["weight", "bias", "norm"]
Initial = Literal["normal", "zeros", "ones"]


@dataclass(frozen=True)
class ParameterInfo:
    """One parameter tensor: a *component* in the sense of Yang and Ma 2022.

    Attributes:
        name: Its dotted name in the ``transformers`` model.
        kind: ``"norm"`` for the scale of a norm of any sort, ``"bias"`` for any bias, otherwise ``"weight"``.
        part: ``"embeddings"``, ``"block 0"`` (the lowest) and up, ``"pooler"``, ``"head"`` or ``"other"``.
        missing: The checkpoint had no value for it, as is usual for the head.
        initial: How it starts anew: drawn from N(0, 0.02^2), or all zeros or ones.
    """

    name: str
    kind: Kind
    part: str
    missing: bool = False
    initial: Initial = "normal"


@dataclass(frozen=True)
class Layout:
    """All parameters of one model, in the model's own order.

    Attributes:
        family: The ``transformers`` model type, such as ``"bert"``.
        known: Whether stabbench knows where this family keeps its blocks, pooler and head.
        parameters: Every trainable parameter.
        unused_head: The shape of a tensor of the checkpoint's head, where that is one of another task and not loaded.
    """

    family: str
    known: bool
    parameters: tuple[ParameterInfo, ...]
    unused_head: tuple[int, ...] | None = None

    @property
    def depth(self) -> int:
        """The number of blocks that own parameters (1 for ALBERT, whose layers share theirs)."""
        return len({p.part for p in self.parameters if p.part.startswith("block ")})

    @property
    def parts(self) -> list[str]:
        """The parts that occur, from the embeddings up."""
        order = ["embeddings", *(f"block {i}" for i in range(self.depth)), "pooler", "head", "other"]
        present = {p.part for p in self.parameters}
        return [part for part in order if part in present]

    def names(self, parts: Iterable[str]) -> frozenset[str]:
        """Names of the parameters in any of ``parts``."""
        wanted = set(parts)
        return frozenset(p.name for p in self.parameters if p.part in wanted)

    def require_structure(self, recipe: str) -> None:
        """Raise :class:`ModelError` where ``recipe`` needs blocks and this family's are not known."""
        if not self.known:
            raise ModelError(
                f"recipe {recipe!r} needs to know a model's blocks, and those of family {self.family!r} are unknown",
                "use a recipe that needs no structure, such as bias-correction or cwgnc, or another model",
            )
