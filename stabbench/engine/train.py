"""The training loop: one recipe, one task, a group of seeds in lockstep. One seed alone is a group of one."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stabbench.code.users_code import is_users
from stabbench.engine.fisher import fisher_masks
from stabbench.engine.gradients import Gradients
from stabbench.engine.inputs import Inputs
from stabbench.engine.observers import Distances, LossCurve, Observer, Probes, Step
from stabbench.engine.passes import Passes
from stabbench.engine.scored_weights import Averages, scored_weights
from stabbench.engine.stacking.models import SeedModel
from stabbench.engine.stages import Stages
from stabbench.models.layout import Layout
from stabbench.recipes import Recipe, call_hooks, check_fit
from stabbench.records.detail import DEFAULT_DETAIL, Detail
from stabbench.records.history import Components
from stabbench.records.seeds import Seeds


@dataclass(frozen=True)
class Trained:
    """What training a group gives, on the CPU.

    Attributes:
        losses: Training loss of every step, ``[steps, seeds]``.
        probe_steps: The steps (from 1) whose gradient norms were kept.
        gradient_norms: Norm by part of the model, before clipping, ``[probes, seeds]`` each.
        learning_rates: The scheduled rate at the probes.
        one_class: Whether a seed's batch got one class, ``[probes, seeds]``.
        components: Every component of each seed; empty where they are not kept.
    """

    losses: Tensor
    probe_steps: list[int]
    gradient_norms: dict[str, Tensor]
    learning_rates: Sequence[float] = ()
    one_class: Tensor | None = None
    components: Sequence[Components] = ()


class Training:
    """A group of seeds in the middle of its training: all that the next step depends on, and what was measured.

    Args:
        recipe: With its model's defaults filled in (:meth:`Recipe.resolved`).
        model: The seeds' models, as pretrained; trained in place.
        layout: What its parameters are.
        data: The training examples.
        seeds: One entry a seed of ``model``.
        total_steps: The number of updates of a whole training.
        steps: Stop after this many updates.
        lr_multiplier: On the recipe's learning rate.
        detail: How much is kept of it.

    Attributes:
        model: The seeds' models.
        stages: Streams and optimizer of the stage that the training is in.
        made: Steps made.
        gradients: Clips them, and may remember.
        averages: Of the weights, where the recipe scores one.
        permutations: The order of the examples in the epoch that the training is in, ``[seeds, examples]``.
        loss_curve: Keeps the losses.
        probes: Keeps what is looked at now and then.
    """

    permutations: Tensor

    def __init__(
        self,
        recipe: Recipe,
        model: SeedModel,
        layout: Layout,
        data: Inputs,
        seeds: Sequence[Seeds],
        *,
        total_steps: int,
        steps: int,
        lr_multiplier: float = 1.0,
        detail: Detail = DEFAULT_DETAIL,
    ) -> None:
        check_fit(recipe, layout, total_steps)
        self._recipe, self._layout, self._data, self._steps = recipe, layout, data, steps
        self._peak_lr = recipe.family_value("lr") * lr_multiplier
        self.model = model
        self.stages = Stages(recipe, model, layout, seeds, data.labels.device, self._peak_lr)
        self._stage_steps = total_steps // self.stages.number
        self._factors = call_hooks.schedule(recipe, range(min(steps, self._stage_steps)), self._stage_steps)
        self._steps_per_epoch = math.ceil(len(data) / recipe.step_size)
        self._passes = Passes(recipe, model, self.stages)
        asked = call_hooks.subnetwork(recipe, layout)
        masks = fisher_masks(model, data, recipe.batch_size, asked) if asked else {}
        self.gradients = Gradients(recipe, model, layout, masks, total_steps)
        self.averages = Averages(model, call_hooks.averages(recipe, steps, total_steps))
        self.made = 0
        self.loss_curve = LossCurve()
        self.probes = Probes(steps) if detail == "brief" else Distances(steps, model, self.stages.drawn)

    @property
    def observers(self) -> tuple[Observer, ...]:
        """Whatever watches the training."""
        return self.loss_curve, self.probes

    @property
    def stage(self) -> int:
        """The stage of the last step that was made."""
        return (self.made - 1) // self._stage_steps

    def step(self) -> None:
        """Make the next step."""
        number, step_of_stage = divmod(self.made, self._stage_steps)
        if step_of_stage == 0:
            self.stages.enter(number)
        position = step_of_stage % self._steps_per_epoch
        if position == 0:
            self.permutations = self.stages.order.permutations(len(self._data))
        index = self.permutations[:, position * self._recipe.step_size :][:, : self._recipe.step_size]
        first = self.made == 0 and is_users(type(self._recipe))
        losses, logits = self._passes.backward(self._data, index, values=first)
        with torch.no_grad():
            norms, scales = self.gradients.change(self.made + 1, self.stages, values=first)
            for group in self.stages.optimizer.param_groups:
                group["lr"] = self._rate(self.made) * group["lr_factor"]
            self.stages.optimizer.step()
            self.stages.optimizer.zero_grad()
            if first:
                call_hooks.check_state(self._recipe, self.stages.optimizer)
            self.made += 1
            self.averages.add(self.made)
            several = self._data.labels.dim() == 2
            step = Step(self.made, losses, lambda: one_class(logits, several=several), norms, scales)
            for observer in self.observers:
                observer.see(step)

    def scored(self) -> contextlib.AbstractContextManager[None]:
        """While active, the model has the weights that are scored, which an average may be."""
        return scored_weights(self.model, self.stages.optimizer, self.averages.values)

    def _rate(self, step: int) -> float:
        """The scheduled rate of a step, from 0, with its stage's factor."""
        stage, step_of_stage = divmod(step, self._stage_steps)
        return self._peak_lr * self._factors[step_of_stage] * self.stages.lr_factor(stage)

    def run(self, on_step: Callable[[int], None] = lambda _: None) -> Trained:
        """Make all steps that are left.

        Args:
            on_step: Called after every step with the number of steps made.
        """
        self.model.train(True)
        while self.made < self._steps:
            self.step()
            on_step(self.made)
        return Trained(
            losses=self.loss_curve.losses,
            probe_steps=self.probes.steps,
            gradient_norms=_norms_by_part(self.probes["norms"], list(self.model.parameters), self._layout),
            learning_rates=[self._rate(step - 1) for step in self.probes.steps],
            one_class=self.probes["one class"],
            components=self.probes.components(self._layout),
        )


def one_class(logits: Tensor, *, several: bool) -> Tensor:
    """Whether all examples of a seed's batch get the same class, or the same set of ``several`` labels: ``[seeds]``.

    Args:
        logits: ``[seeds, batch, outputs]``.
        several: An example has any number of labels.
    """
    answers = logits > 0 if several else logits.argmax(-1, keepdim=True)
    return (answers == answers[:, :1]).flatten(1).all(1)


def _norms_by_part(norms: Tensor, names: list[str], layout: Layout) -> dict[str, Tensor]:
    """Component norms ``[probes, seeds, components]`` as one norm a part of the model, ``[probes, seeds]`` each."""
    parts = {info.name: info.part for info in layout.parameters}
    columns: dict[str, list[int]] = {part: [] for part in layout.parts}
    for i, name in enumerate(names):
        columns[parts[name]].append(i)
    return {part: norms[..., chosen].square().sum(-1).sqrt() for part, chosen in columns.items()}
