"""Builds the fingerprint of a cell; ``Fingerprint.run_id`` makes a run's identity of it and the run's seeds.

Torch is not loaded where the cell runs on a CPU.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from stabbench._system.machine import cpu_kind, cpu_name
from stabbench.code.identity import code_identity, function_identity
from stabbench.engine import NUMERICS_VERSION
from stabbench.recipes import Recipe
from stabbench.records.run import Environment, Experiment, Fingerprint
from stabbench.records.seeds import Seeds
from stabbench.tasks.metrics import find_metric
from stabbench.tasks.task import Task


def fingerprint(
    recipe: Recipe,
    task: Task,
    model_digest: str,
    lr_multiplier: float,
    environment: Environment,
    max_steps: int | None,
    *,
    first: tuple[Fingerprint, Seeds] | None = None,
    separates_pairs: bool = False,
    inputs_first: bool = False,
) -> Fingerprint:
    """The fingerprint of a run of ``recipe`` (with its model's defaults filled in).

    Args:
        recipe: What is trained how.
        task: On what.
        model_digest: Of the pretrained weights, configuration and tokenizer.
        lr_multiplier: On the recipe's learning rate.
        environment: What it runs on (:func:`environment_of`).
        max_steps: Where it is cut short, if it is.
        first: The run on another task whose encoder it starts from, if there is one.
        separates_pairs: Whether a text may be put between the two of a pair (:mod:`stabbench.models.pairs`).
        inputs_first: Whether the model keeps weights as ``[in, out]``, which a hook of the recipe sees turned round.
    """
    experiment: Experiment = {
        "recipe": recipe.name,
        "parameters": recipe.parameters(),
        "task": task.name,
        "data": task.digest,
        "model": model_digest,
        "lr_multiplier": lr_multiplier,
        "max_steps": max_steps,
        "dtype": "float32",
        "numerics": NUMERICS_VERSION,
    }
    if separates_pairs and task.train.second is not None:
        experiment["pairs"] = "separated"
    # Earlier versions gave the hook such weights as [in, out]; this key keeps those runs apart.
    if inputs_first and type(recipe).forward_weight is not Recipe.forward_weight:
        experiment["forward_weight"] = "[out, in]"
    # The metric of a user decides the scores as the data do.
    if (metric := find_metric(task.metric).function) is not None:
        experiment["metric_code"] = function_identity(metric)
    around: Environment = {**environment, "recipe_code": code_identity(type(recipe))}
    if first is not None:
        before, seeds = first
        experiment["encoder"] = before.experiment_id(seeds)
        around["encoder_code"] = before.environment["recipe_code"]
    return Fingerprint(experiment, around)


def environment_of(device: str) -> Environment:
    """Library versions and the device, here: what may change the numbers of a run without anyone meaning to."""
    found: Environment = {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "platform": f"{sys.platform}-{platform.machine()}",
        "device": device,
        "torch": installed_version("torch"),
        "transformers": installed_version("transformers"),
        "tokenizers": installed_version("tokenizers"),
    }
    if device == "cpu":
        # One thread a run, always: with more, sums are split in ways that depend on the number of seeds.
        return {**found, "device_name": cpu_name(), "processor": cpu_kind(), "threads": 1}
    import torch

    return {
        **found,
        "device_name": torch.cuda.get_device_name(device),
        "cuda": torch.version.cuda,
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def installed_version(package: str) -> str:
    """The version of an installed package, or ``"unknown"``."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def why_not_here(planned: Mapping[str, Any]) -> str:
    """In what this process differs from the environment that runs were planned for; empty where it does not."""
    here = environment_of(planned["device"])
    return ", ".join(
        f"{key} is {here.get(key)}, not {planned[key]}" for key in planned if here.get(key) != planned[key]
    )
