"""A job with everything that it needs in memory: model, data, and where it is scored."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import lru_cache

import torch

from stabbench.engine.curve import Curve
from stabbench.engine.encoders import load_encoder, save_encoder, save_weights
from stabbench.engine.evaluate import Split, evaluation_steps
from stabbench.engine.inputs import Inputs, encode, label_tensor
from stabbench.engine.job import Job
from stabbench.engine.stacking.models import OneSeedModel, SeedModel, StackedModel
from stabbench.engine.train import Training
from stabbench.errors import ModelError
from stabbench.models.loading import load_model, load_tokenizer
from stabbench.models.pairs import pair_separator
from stabbench.models.source import ModelSource, find_model
from stabbench.recipes import call_hooks, planned_steps
from stabbench.records.seeds import Seeds
from stabbench.records.weights import weights_file
from stabbench.tasks.task import Examples, Task


class Setup:
    """A job that is ready to be trained, once.

    Attributes:
        model: The seeds' models.
        curve: Where their scores are collected.
    """

    def __init__(self, job: Job, task: Task) -> None:
        self._job = job
        self._device = torch.device(job.device)
        source = local_model(job.model, str(job.fingerprint.experiment["model"]))
        pretrained, layout = load_model(source, task.outputs, job.recipe.dropout)
        self._layout = layout if job.start is None else load_encoder(job.start, pretrained, layout)
        pretrained.to(self._device)  # type: ignore[arg-type]  # transformers' wrapper hides nn.Module's own signature
        self.model: SeedModel = StackedModel(pretrained, len(job.seeds)) if job.stacked else OneSeedModel(pretrained)
        self.model.precision = job.recipe.precision
        tokenizer = load_tokenizer(source)
        separator = pair_separator(source.family, tokenizer)

        def tensors(examples: Examples) -> Inputs:
            made = encode(examples, tokenizer, job.recipe.max_length, label_tensor(task, examples), separator)
            return made.to(self._device)

        def split(examples: Examples) -> Split:
            return Split(tensors(examples), examples, task)

        self._data = tensors(task.train)
        validation = None if task.validation is None else split(task.validation)
        self.curve = Curve(split(task.evaluation), validation, job.recipe.keep, job.detail)
        self._total_steps = planned_steps(job.recipe, task.schedule_size, None)
        self._steps = planned_steps(job.recipe, task.schedule_size, job.max_steps)

    def evaluations(self) -> set[int]:
        """After which steps it is scored; a training that is cut short, where it ends."""
        points = evaluation_steps(self._total_steps, self._job.recipe.evaluations * self._stages)
        return {min(point, self._steps) for point in points}

    def shorten(self, steps: int) -> None:
        """Shorten the training to ``steps`` steps of every stage: for a trial."""
        self._total_steps = self._steps = steps * self._stages

    def use_longest_batch(self) -> None:
        """Train on one step's worth of the longest examples: for a trial of what fits."""
        self._data = self._data.longest(self._job.recipe.step_size)

    def training_examples(self, number: int, seed: int) -> Inputs:
        """Some of the training examples, or all where there are no more: the same for every model."""
        order = torch.randperm(len(self._data), generator=torch.Generator().manual_seed(seed))
        return self._data.some(order[:number])

    @property
    def _stages(self) -> int:
        return len(call_hooks.staging(self._job.recipe, self._layout))

    @contextlib.contextmanager
    def training(self) -> Iterator[Training]:
        """The job's training, ready to run."""
        # A model that is not stacked may draw from PyTorch's own generator; then that is the seed's, too.
        with contextlib.nullcontext() if self._job.stacked else _global_generator(self._job.seeds[0], self._device):
            yield Training(
                self._job.recipe,
                self.model,
                self._layout,
                self._data,
                self._job.seeds,
                total_steps=self._total_steps,
                steps=self._steps,
                lr_multiplier=self._job.model.lr_multiplier,
                detail=self._job.detail,
            )

    def keep(self) -> None:
        """Keep the trained encoder, and every run's weights, where the job asks for it."""
        if self._job.keep is not None:
            save_encoder(self._job.keep, self.model, self._layout)
        if self._job.weights is not None:
            for number, seeds in enumerate(self._job.seeds):
                run_id = self._job.fingerprint.run_id(seeds)
                save_weights(weights_file(self._job.weights, run_id), self.model, number)


@lru_cache(maxsize=1)
def local_model(source: ModelSource, digest: str) -> ModelSource:
    """The model as it was planned, on this machine, which may have it elsewhere if it is not the planner's own.

    Raises:
        ModelError: It is another one here, or has changed.
    """
    here = source
    if not source.folder.is_dir():
        here = find_model(source.name, source.revision, allow_pickle=source.allow_pickle)
    if here.digest() != digest:
        raise ModelError(f"model {source.name!r}: its files are not those that were planned with ({here.folder})")
    return here


@contextlib.contextmanager
def _global_generator(seeds: Seeds, device: torch.device) -> Iterator[None]:
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seeds.derive("dropout"))
        yield
