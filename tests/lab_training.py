"""Short trainings of the lab model, without a store."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from stabbench.engine.ambient import own_settings
from stabbench.engine.inputs import Inputs, encode
from stabbench.engine.stacking.models import OneSeedModel, SeedModel, StackedModel
from stabbench.engine.train import Trained, Training
from stabbench.models.families import defaults_of
from stabbench.models.layout import Layout
from stabbench.models.loading import load_model, load_tokenizer
from stabbench.models.source import find_model
from stabbench.recipes import Recipe, parse_recipe, planned_steps
from stabbench.records.detail import Detail
from stabbench.records.seeds import Seeds
from stabbench.tasks.registry import load_task
from stabbench.tasks.task import Examples

CPU = torch.device("cpu")
LAB = find_model("lab")
LR_MULTIPLIER = 16.0


def examples(number: int) -> Examples:
    """The first training examples of lab/entailment."""
    found = load_task("lab/entailment").train
    assert found.second is not None
    return Examples(found.first[:number], found.second[:number], found.labels[:number])


def tensors(few: Examples) -> Inputs:
    return encode(few, load_tokenizer(LAB), 32, torch.tensor(few.labels, dtype=torch.int64))


def resolved(text: str) -> Recipe:
    """A recipe as on a command line, with the lab model's defaults."""
    return parse_recipe(text).resolved(defaults_of("bert"), LAB.depth)


def fit(
    recipe: Recipe,
    data: Inputs,
    seeds: Sequence[Seeds],
    max_steps: int | None = None,
    one_seed: bool = False,
    on_step: Callable[[int, SeedModel], None] = lambda step, model: None,
    detail: Detail = "usual",
) -> tuple[SeedModel, Trained, Layout]:
    """Train as the engine does."""
    pretrained, layout = load_model(LAB, 2, recipe.dropout)
    model: SeedModel = OneSeedModel(pretrained) if one_seed else StackedModel(pretrained, len(seeds))
    model.precision = recipe.precision
    with own_settings():
        training = Training(
            recipe,
            model,
            layout,
            data,
            seeds,
            total_steps=planned_steps(recipe, len(data), None),
            steps=planned_steps(recipe, len(data), max_steps),
            lr_multiplier=LR_MULTIPLIER,
            detail=detail,
        )
        trained = training.run(lambda step: on_step(step, model))
    return model, trained, layout


def weights(model: SeedModel) -> dict[str, Tensor]:
    """A copy of all of them."""
    return {name: values.detach().clone() for name, values in model.parameters.items()}
