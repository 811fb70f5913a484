"""The ``stability`` fixture: assertions about recipes that read like sentences.

::

    def test_our_recipe(stability):
        result = stability.run("mosbach:lr=1e-5", task="glue/rte", model="bert-large-uncased", data_dir="GLUE")
        result.has_no_failed_runs()
        result.std_below(0.03)
        result.not_less_stable_than_baseline()
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from stabbench.gate.baselines import Baseline, find
from stabbench.gate.baselines_file import load
from stabbench.gate.model_paths import one_spelling
from stabbench.models.source import ModelSource, find_model
from stabbench.pytest_plugin.result import StabilityResult
from stabbench.pytest_plugin.session import Session, explained, usual_workers
from stabbench.recipes import Recipe, load_plugin
from stabbench.records.seeds import Seeds, given_seeds, seed_list
from stabbench.records.setting import TRAINING_MODEL, TRAINING_TASK
from stabbench.runner.methods import find_method
from stabbench.runner.plan import DEFAULT_MODEL, DEFAULT_TASK, Plan
from stabbench.runner.resources import Resources
from stabbench.tasks.registry import record_name
from stabbench.tasks.task import Task
from stabbench.trainings.function import function_training
from stabbench.trainings.training import Training


class Stability(Session):
    """Runs recipes for a test."""

    def run(
        self,
        recipe: str | Recipe,
        *,
        task: str | Task = DEFAULT_TASK,
        model: str = DEFAULT_MODEL,
        seeds: int | Sequence[int] | None = None,
        revision: str | None = None,
        data_dir: str | Path | None = None,
        max_steps: int | None = None,
        device: str | None = None,
        workers: int | None = None,
        stack: int | None = None,
        executor: str = "local",
        ray_address: str | None = None,
        allow_pickle: bool = False,
    ) -> StabilityResult:
        """Train a recipe over seeds, or take what the store has.

        Args:
            recipe: A label such as ``"mosbach"`` or ``"devlin:lr=3e-5"``, a training file such as ``"rte.toml"``, or a
                :class:`stabbench.Recipe`.
            task: A task such as ``"lab/entailment"`` or ``"glue/rte"``, its file, or a :class:`stabbench.Task`.
            model: ``"lab"``, a local folder or a hub id.
            seeds: The number of seeds (never the baseline's), or a list; by default the number of
                ``--stability-seeds``.
            revision: The branch, tag or commit of a hub model.
            data_dir: The folder of the official GLUE TSV files.
            max_steps: Cuts every training short, for trials.
            device: ``"cpu"``, ``"cuda"`` or ``"auto"``; by default the device of the test run.
            workers: The number of processes; by default chosen, or one for a recipe that only this process knows.
            stack: Seeds trained together; None chooses.
            executor: ``"local"`` or ``"ray"``.
            ray_address: The address of the Ray cluster.
            allow_pickle: Whether pickled weights may be loaded.
        """
        __tracebackhide__ = True
        with explained():
            for plugin in self.settings.plugins:
                load_plugin(plugin)
            made = find_method(recipe) if isinstance(recipe, str) else recipe
            resources = Resources(
                store=self.settings.store,
                device=device or self.settings.device,
                workers=workers or usual_workers(made),
                stack=stack,
                executor=executor,
                ray_address=ray_address,
                plugins=self.settings.plugins,
                allow_pickle=allow_pickle,
            )
            source = partial(find_model, model, revision, allow_pickle=allow_pickle)
            baseline = (
                self._baseline_of_training(made)
                if isinstance(made, Training)
                else self._baseline(made.label, record_name(task), model, source)
            )
            plan = Plan(
                recipes=[made],
                task=task,
                model=model,
                seeds=self._seeds(seeds, baseline),
                revision=revision,
                data_dir=None if data_dir is None else Path(data_dir),
                max_steps=max_steps,
            )
            return self._result(plan, resources, baseline)

    def measure(
        self,
        train: Callable[[int], Any],
        *,
        name: str | None = None,
        seeds: int | Sequence[int] | None = None,
        constant_score: float | None = None,
        metric: str = "score",
        lower_is_better: bool = False,
        device: str | None = None,
        workers: int | None = 1,
    ) -> StabilityResult:
        """Train with a function over seeds, or take what the store has.

        Args:
            train: As for :func:`stabbench.measure`, and so are all but ``seeds`` and ``device``.
            name: Of the training; None for the function's.
            seeds: The number of seeds (never the baseline's), or a list; by default the number of
                ``--stability-seeds``.
            constant_score: Of the best constant predictor.
            metric: The name of the score.
            lower_is_better: The metric is a loss.
            device: ``"cpu"``, ``"cuda"`` or ``"auto"``; by default the device of the test run.
            workers: The number of processes; more than one need a function of a module that they can import.
        """
        __tracebackhide__ = True
        with explained():
            training = function_training(train, name, metric, constant_score, lower_is_better=lower_is_better)
            baseline = self._baseline_of_training(training)
            plan = Plan([training], DEFAULT_TASK, DEFAULT_MODEL, self._seeds(seeds, baseline))
            resources = Resources(self.settings.store, device or self.settings.device, workers)
            return self._result(plan, resources, baseline)

    def _seeds(self, seeds: int | Sequence[int] | None, baseline: Baseline | None) -> list[Seeds]:
        """Never the baseline's, where a number is given."""
        given = given_seeds(self.settings.seeds if seeds is None else seeds)
        return seed_list(baseline.fresh_seeds(given) if baseline and isinstance(given, int) else given)

    def _result(self, plan: Plan, resources: Resources, baseline: Baseline | None) -> StabilityResult:
        __tracebackhide__ = True
        result = StabilityResult(self, plan, resources, baseline)
        if not self.settings.sequential:
            _ = result.runs
        return result

    def _baseline_of_training(self, training: Training) -> Baseline | None:
        cells = load(self.settings.baselines, must_exist=False)
        return find(cells, training.label, TRAINING_TASK, TRAINING_MODEL, None)

    def _baseline(self, label: str, task: str, model: str, source: Callable[[], ModelSource]) -> Baseline | None:
        """The baseline of these weights, whatever the path of their folder."""
        cells = load(self.settings.baselines, must_exist=False)
        if not any((cell.recipe, cell.task) == (label, task) for cell in cells.values()):
            return None  # large weights take seconds to hash
        return find(cells, label, task, one_spelling(model, self.settings.baselines.parent), source().digest())
