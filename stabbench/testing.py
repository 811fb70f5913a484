"""What every recipe must hold to, as one function: for the built-in ones, and for a user's own.

In a test suite::

    import stabbench
    from my_package.recipes import Cautious

    def test_my_recipe() -> None:
        stabbench.check_recipe(Cautious())
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from typing import NoReturn

import torch

from stabbench.engine.ambient import own_settings
from stabbench.engine.inputs import encode, label_tensor
from stabbench.engine.stacking.models import StackedModel
from stabbench.engine.train import Training
from stabbench.errors import RecipeError
from stabbench.models.families import defaults_of
from stabbench.models.loading import load_model, load_tokenizer
from stabbench.models.source import find_model
from stabbench.recipes import Recipe, call_hooks, call_step_hooks, check_class, planned_steps, resolve
from stabbench.recipes._parameters import parse_parameter
from stabbench.records.seeds import Seeds
from stabbench.tasks.registry import load_task
from stabbench.tasks.task import Examples

STEPS = 4


def check_recipe(recipe: Recipe) -> None:
    """Put a recipe through the properties that the engine relies on; takes a second or two on the lab model.

    Checked are: its name and documentation; that all that its class defines has an effect; that its parameters survive
    JSON and the command line, and that their ranges are enforced; that its hooks give what the engine can use (as
    before every training: a finite schedule, optimizer groups that cover every parameter once); that clipping treats
    each seed by itself; and, in a short real training, that a seed's run is the same again, the same in a stack of any
    size, and different from another seed's.

    Raises:
        AssertionError: The first property that does not hold, in words.
    """
    try:
        check_class(type(recipe))
        _check_description(recipe)
        _check_parameters(recipe)
        resolved = resolve(recipe, defaults_of("bert"), find_model("lab").depth)
        call_hooks.check_schedule(resolved, planned_steps(resolved, 1000, None))
        _check_scales(resolved)
        with own_settings():
            _check_training(resolved)
    except RecipeError as error:  # what the engine itself finds
        raise AssertionError(str(error)) from error


def _check_description(recipe: Recipe) -> None:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", recipe.name):
        _broken(recipe, "its name is not lower case words joined by hyphens")
    if not (type(recipe).__doc__ or "").strip():
        _broken(recipe, "its class has no docstring of its own")


def _check_parameters(recipe: Recipe) -> None:
    cls = type(recipe)
    if cls(**json.loads(json.dumps(recipe.parameters()))) != recipe:
        _broken(recipe, "its parameters do not survive JSON")
    name, _, listed = recipe.label.partition(":")
    given = dict(item.split("=", 1) for item in listed.split(",") if item)
    if cls(**{key: parse_parameter(cls, name, key, text) for key, text in given.items()}) != recipe:
        _broken(recipe, f"its label {recipe.label!r} does not give it back")
    for spec in dataclasses.fields(recipe):
        for limit, beyond in (("least", -1.0), ("above", 0.0), ("below", 0.0)):
            bound = spec.metadata.get(limit)
            if bound is not None:
                try:
                    dataclasses.replace(recipe, **{spec.name: type(bound)(bound + beyond)})
                except RecipeError:
                    continue
                _broken(recipe, f"parameter {spec.name} takes a value that is not {limit} {bound}")


def _check_scales(recipe: Recipe) -> None:
    norms = torch.tensor([[0.0, 1e-3, 1.0, 50.0], [2.0, 2.0, 2.0, 2.0], [1e4, 0.0, 0.0, 1e-6]])
    scales = call_step_hooks.gradient_scales(recipe, norms, values=True)
    alone = torch.cat([recipe.gradient_scales(row.unsqueeze(0)) for row in norms])
    if not torch.equal(alone, scales):
        _broken(recipe, "gradient_scales lets one seed's norms act on another's")


def _check_training(recipe: Recipe) -> None:
    source = find_model("lab")
    task = load_task("lab/entailment")
    assert task.train.second is not None
    few = Examples(task.train.first[:64], task.train.second[:64], task.train.labels[:64])
    data = encode(few, load_tokenizer(source), recipe.max_length, label_tensor(task, few))

    def losses(numbers: Sequence[int]) -> torch.Tensor:
        pretrained, layout = load_model(source, 2, recipe.dropout)
        seeds = [Seeds.of(number) for number in numbers]
        model = StackedModel(pretrained, len(seeds))
        model.precision = recipe.precision
        training = Training(
            recipe,
            model,
            layout,
            data,
            seeds,
            total_steps=planned_steps(recipe, len(data), None),
            steps=planned_steps(recipe, len(data), STEPS),
            lr_multiplier=source.lr_multiplier,
        )
        return training.run().losses.T

    together = losses([0, 1, 2])
    if not together[:, 0].isfinite().all():
        _broken(recipe, "the loss of its first step is not finite")
    if not torch.equal(losses([0, 1, 2]), together):
        _broken(recipe, "the same seeds give another training")
    if not torch.equal(losses([1])[0], together[1]):
        _broken(recipe, "a seed alone trains otherwise than in a stack")
    if len({tuple(row.tolist()) for row in together}) < len(together):
        _broken(recipe, "different seeds give the same training")


def _broken(recipe: Recipe, what: str) -> NoReturn:
    raise AssertionError(f"recipe {recipe.name!r} ({type(recipe).__qualname__}): {what}")
