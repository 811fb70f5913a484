"""What a run is made of; found without loading torch where it runs on the CPU."""

from __future__ import annotations

import ast
import hashlib
import inspect
import platform
import sys
import textwrap
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from stabbench.engine import NUMERICS_VERSION
from stabbench.machine import cpu_name
from stabbench.recipes import Recipe
from stabbench.records import Fingerprint
from stabbench.seeds import Seeds
from stabbench.tasks import Task

PACKAGES = ("torch", "transformers", "tokenizers")


def fingerprint(
    recipe: Recipe,
    task: Task,
    model_digest: str,
    lr_multiplier: float,
    environment: Mapping[str, Any],
    max_steps: int | None,
    *,
    first: tuple[Fingerprint, Seeds] | None = None,
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
    """
    experiment: dict[str, Any] = {
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
    around = {**environment, "recipe_code": code_digest(type(recipe))}
    if first is not None:
        before, seeds = first
        experiment["encoder"] = before.experiment_id(seeds)
        around["recipe_code"] += f" after {before.environment['recipe_code']}"
    return Fingerprint(experiment, around)


def environment_of(device: str) -> dict[str, Any]:
    """Library versions and the device, here: what may change the numbers of a run without anyone meaning to."""
    found: dict[str, Any] = {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "platform": f"{sys.platform}-{platform.machine()}",
        "device": device,
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # pragma: no cover - they are requirements
            found[package] = "unknown"
    if device == "cpu":
        # One thread a run, always: with more, sums are split in ways that depend on the number of seeds.
        return {**found, "device_name": cpu_name(), "threads": 1}
    import torch

    return {
        **found,
        "device_name": torch.cuda.get_device_name(device),
        "cuda": torch.version.cuda,
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def why_not_here(planned: Mapping[str, Any]) -> str:
    """In what this process differs from the environment that runs were planned for; empty where it does not."""
    here = environment_of(planned["device"])
    return ", ".join(
        f"{key} is {here.get(key)}, not {planned[key]}" for key in planned if here.get(key) != planned[key]
    )


def code_digest(recipe: type[Recipe]) -> str:
    """SHA-256 of the code of a recipe class and of its bases: what it does, not its comments or docstrings.

    A class of another package or file counts with its whole module, whose helpers it may use.
    """
    total = hashlib.sha256()
    for cls in recipe.__mro__:
        if cls is not object:
            total.update(_code(cls).encode())
    return total.hexdigest()[:16]


def _code(cls: type) -> str:
    alone = cls.__module__ == "__main__" or cls.__module__.startswith("stabbench.")
    try:
        source = inspect.getsource(cls if alone else sys.modules[cls.__module__])
        tree = ast.parse(textwrap.dedent(source))
    except (OSError, TypeError, SyntaxError, KeyError):
        # Typed at a prompt: no source to read, but the compiled methods are there.
        return repr({name: _compiled(value) for name, value in sorted(vars(cls).items()) if _compiled(value)})
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _compiled(value: object) -> object:
    """The instructions of a method, with the names and constants that they use."""
    value = getattr(value, "fget", None) or getattr(value, "__func__", value)
    code = value if inspect.iscode(value) else getattr(value, "__code__", None)
    if code is None:
        return None
    constants = [_compiled(c) if inspect.iscode(c) else repr(c) for c in code.co_consts]
    return (code.co_code.hex(), code.co_names, constants)
