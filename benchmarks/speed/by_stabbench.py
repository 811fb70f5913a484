"""The seeds by stabbench: its engine in this process, and all of it as a user has it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence

import stabbench
from stabbench.engine.ambient import own_settings
from stabbench.engine.evaluate import predict
from stabbench.engine.stacking.models import StackedModel
from stabbench.engine.train import Training
from stabbench.models.loading import load_model
from stabbench.records.seeds import Seeds

from .contender import Outcome
from .workload import LAB_TASK, OUTPUTS, Workload, device


class Engine:
    """So many seeds in one pass, in this process, on one thread."""

    def __init__(self, workload: Workload, stack: int) -> None:
        self.workload, self.stack = workload, stack
        self.pretrained, self.layout = load_model(workload.source, OUTPUTS, workload.recipe.dropout)
        self.pretrained.to(device())  # type: ignore[arg-type]  # transformers' wrapper hides nn.Module's signature
        self.examples, self.evaluation = workload.train.to(device()), workload.evaluation.to(device())

    def __call__(
        self, seeds: Sequence[int], steps: int, on_step: Callable[[int], None] = lambda _: None
    ) -> list[Outcome]:
        # As `--stack` puts them into groups: the last one may be smaller.
        groups = [seeds[start : start + self.stack] for start in range(0, len(seeds), self.stack)]
        with own_settings():
            return [outcome for group in groups for outcome in self._group(group, steps, on_step)]

    def _group(self, seeds: Sequence[int], steps: int, on_step: Callable[[int], None]) -> list[Outcome]:
        model = StackedModel(self.pretrained, len(seeds))
        model.precision = self.workload.recipe.precision
        training = Training(
            self.workload.recipe,
            model,
            self.layout,
            self.examples,
            [Seeds.of(seed) for seed in seeds],
            total_steps=steps,
            steps=steps,
            lr_multiplier=self.workload.source.lr_multiplier,
        )
        trained = training.run(on_step)
        right = predict(model, self.evaluation, len(seeds)).decided == self.workload.evaluation.labels
        return [Outcome(len(trained.losses), score) for score in right.float().mean(1).tolist()]


class Compare:
    """``stabbench.compare`` with an empty store: on a CPU, a pool of one process a core."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload

    def __call__(self, seeds: Sequence[int], steps: int) -> list[Outcome]:
        recipe = type(self.workload.recipe)(precision=self.workload.recipe.precision, steps=steps)
        with tempfile.TemporaryDirectory() as store:
            done = stabbench.compare([recipe], task=LAB_TASK, model="lab", seeds=seeds, store=store, workers=None)
        # A run without a score has lost its way, which is no matter of speed: nan shows it.
        records = done.recipes[0].records
        return [Outcome(r.steps, float("nan") if r.score is None else r.score) for r in records]
