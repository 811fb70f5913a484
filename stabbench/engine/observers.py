"""What watches a training: the loss of every step, and, at the probes, the gradients and how far the model has come.

An observer reads what a step made and changes nothing. All tensors have the seeds as their first axis, so that a
checkpoint can keep an observer's state, and a part of the group goes on from its part.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stabbench.engine.stacking.models import SeedModel
from stabbench.models.layout import Layout
from stabbench.records.history import Components, rounded

# Probes are made at about this many steps of a training, evenly spread, and at its last.
PROBES = 20


@dataclass(frozen=True)
class Step:
    """What a step made; the model has its new values.

    Attributes:
        number: Which it was, from 1.
        losses: ``[seeds]``.
        one_class: Whether all examples of a seed's batch got the same class, ``[seeds]``; computed when asked for.
        norms: Of the components' gradients before clipping, ``[seeds, components]``.
        scales: The factors of clipping, of the same shape.
    """

    number: int
    losses: Tensor
    one_class: Callable[[], Tensor]
    norms: Tensor
    scales: Tensor


class Observer(ABC):
    """Sees every step, and keeps what it is there for."""

    @abstractmethod
    def see(self, step: Step) -> None:
        """Look at a step that was made; nothing here may wait for a GPU."""

    @abstractmethod
    def state(self) -> Mapping[str, Tensor]:
        """All that was kept, ``[seeds, ...]`` each."""

    @abstractmethod
    def restore(self, state: Callable[[str], Tensor]) -> None:
        """Go on from what :meth:`state` gave, asked for by name."""


class LossCurve(Observer):
    """Keeps the loss of every step."""

    def __init__(self) -> None:
        self._losses: list[Tensor] = []

    @property
    def losses(self) -> Tensor:
        """``[steps, seeds]``, on the CPU."""
        return torch.stack(self._losses).cpu()

    def see(self, step: Step) -> None:
        self._losses.append(step.losses)

    def state(self) -> Mapping[str, Tensor]:
        return {"losses": torch.stack(self._losses, dim=1)}

    def restore(self, state: Callable[[str], Tensor]) -> None:
        self._losses = list(state("losses").unbind(1))


class Probes(Observer):
    """Keeps the components' gradient norms, before and after clipping, at some steps.

    Args:
        steps: The number of steps of the training.

    Attributes:
        steps: Those that were probed, from 1.
    """

    def __init__(self, steps: int) -> None:
        self._every, self._last = max(1, steps // PROBES), steps
        self.steps: list[int] = []
        self._kept: dict[str, list[Tensor]] = {}

    def __getitem__(self, name: str) -> Tensor:
        """``[probes, seeds, ...]``, on the CPU."""
        return torch.stack(self._kept[name]).cpu()

    def see(self, step: Step) -> None:
        if (step.number - 1) % self._every == 0 or step.number == self._last:
            self.steps.append(step.number)
            for name, values in self.probed(step).items():
                self._kept.setdefault(name, []).append(values)

    def probed(self, step: Step) -> dict[str, Tensor]:
        """What is kept of a step, by name, ``[seeds, ...]`` each."""
        return {"norms": step.norms, "scales": step.scales, "one class": step.one_class()}

    def state(self) -> Mapping[str, Tensor]:
        return {f"probes/{name}": torch.stack(values, dim=1) for name, values in self._kept.items()}

    def restore(self, state: Callable[[str], Tensor]) -> None:
        for name in self.names:
            self._kept[name] = list(state(f"probes/{name}").unbind(1))

    @property
    def names(self) -> tuple[str, ...]:
        """Of what is kept."""
        return ("norms", "scales", "one class")

    def components(self, layout: Layout) -> Sequence[Components]:  # noqa: ARG002
        """Every component of each seed, for its record; empty where that is not kept."""
        return ()


class Distances(Probes):
    """Keeps also how far each component is from its start, and the norm of its values.

    Args:
        steps: The number of steps of the training.
        model: Before its first step.
        own: The parameters that every seed starts from values of its own; the others are kept once for all.
    """

    def __init__(self, steps: int, model: SeedModel, own: Collection[str]) -> None:
        super().__init__(steps)
        self._model = model
        with torch.no_grad():
            self._start = {
                name: (values if name in own else values[:1]).detach().clone()
                for name, values in model.parameters.items()
            }

    def probed(self, step: Step) -> dict[str, Tensor]:
        values = self._model.parameters
        distances = [_norms(values[name] - start) for name, start in self._start.items()]
        sizes = [_norms(value) for value in values.values()]
        return {**super().probed(step), "distances": torch.stack(distances, 1), "values": torch.stack(sizes, 1)}

    @property
    def names(self) -> tuple[str, ...]:
        return (*super().names, "distances", "values")

    def components(self, layout: Layout) -> Sequence[Components]:
        parts, values = {info.name: info.part for info in layout.parameters}, self._model.parameters
        names, seeds = list(values), next(iter(values.values())).shape[0]
        start = torch.stack([_norms(each).expand(seeds) for each in self._start.values()], dim=1).cpu()
        turned = cosine_distances(self["distances"], self["values"], start)
        kept = (self["norms"], self["scales"], self["distances"], turned)
        finite = [tensor.masked_fill(~tensor.isfinite(), math.nan).float().numpy() for tensor in kept]
        return [
            Components(
                names,
                [parts[name] for name in names],
                [values[name][0].numel() for name in names],
                *(rounded(array[:, number]) for array in finite),
            )
            for number in range(seeds)
        ]


def _norms(values: Tensor) -> Tensor:
    """L2 norms of every seed's numbers, ``[seeds]``."""
    norms: Tensor = torch.linalg.vector_norm(values.flatten(1), dim=1)
    return norms


def cosine_distances(distances: Tensor, values: Tensor, start: Tensor) -> Tensor:
    """1 - the cosine of the angle between values and their start, from three norms; NaN where one of the two is 0.

    With d the distance it is (d^2 - (|w| - |w0|)^2) / (2 |w| |w0|): a small angle is not lost to rounding.
    """
    d, w, w0 = distances.double(), values.double(), start.double()
    return ((d.square() - (w - w0).square()) / (2 * w * w0)).float()
