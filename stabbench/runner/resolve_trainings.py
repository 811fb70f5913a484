"""Resolves a plan of trainings: the fingerprint of each, and the GPUs. Torch is not loaded."""

from __future__ import annotations

from stabbench._system.gpus import Gpu, visible_gpus
from stabbench.errors import RecipeError, StabbenchError
from stabbench.records.run import Environment, Experiment, Fingerprint
from stabbench.records.setting import TRAINING_TASK
from stabbench.runner.cells import ResolvedTrainings, TrainingCell
from stabbench.runner.fingerprint import environment_of
from stabbench.runner.plan import Plan
from stabbench.runner.resources import Resources
from stabbench.trainings.training import Training


def resolve_trainings(plan: Plan, resources: Resources) -> ResolvedTrainings:
    """Find what the runs of trainings are made of.

    Raises:
        StabbenchError: Resources that have no effect on trainings, no GPU where one is asked for, or two trainings that
            are the same.
    """
    if resources.executor != "local":
        raise StabbenchError("training code runs on this machine only", "leave out --executor")
    if resources.stack is not None:
        raise StabbenchError("training code trains one seed at a time", "leave out --stack; --workers runs several")
    gpus = [] if resources.device == "cpu" else visible_gpus()
    if resources.device == "cuda" and not gpus:
        raise StabbenchError("no GPU: nvidia-smi lists none", "leave out --device, or give --device cpu")
    environment = _environment(gpus)
    cells: list[TrainingCell] = []
    for training in plan.trainings:
        new = TrainingCell(training.label, _fingerprint(training, environment), plan.seeds, training)
        same = next((cell.label for cell in cells if cell.fingerprint == new.fingerprint), None)
        if same is not None:
            raise RecipeError(f"trainings {same!r} and {new.label!r} are the same")
        cells.append(new)
    return ResolvedTrainings(plan, environment, cells, [gpu.number for gpu in gpus])


def _environment(gpus: list[Gpu]) -> Environment:
    """As of the engine's runs, but for what only the training's own process knows."""
    found: Environment = {**environment_of("cpu")}
    found.pop("threads")  # its own code decides
    if gpus:
        found.pop("processor")
        found |= {"device": "cuda", "device_name": gpus[0].name}
    return found


def _fingerprint(training: Training, environment: Environment) -> Fingerprint:
    experiment: Experiment = {
        "recipe": training.name,
        "task": TRAINING_TASK,
        "training": training.kind,
        "metric": training.scoring.name,
    }
    experiment |= training.definition()
    return Fingerprint(experiment, {**environment, "recipe_code": training.code()})
