"""A plan: the recipes, task, model and seeds to run. All but the data folder is part of a run's identity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stabbench.errors import RecipeError, StabbenchError, check_count, excerpt
from stabbench.escape import is_unicode
from stabbench.recipes import MOST_STEPS, Recipe, check_class, check_label
from stabbench.records.seeds import MOST_SEEDS, Seeds, check_seed
from stabbench.records.setting import TRAINING_MODEL, TRAINING_TASK
from stabbench.runner.methods import Method
from stabbench.trainings.training import Training

if TYPE_CHECKING:  # numpy behind it is not for `stabbench --help`
    from stabbench.tasks.task import Task

DEFAULT_TASK = "lab/entailment"
DEFAULT_MODEL = "lab"
# What `stabbench compare devlin mosbach` does in about two minutes on two cores.
DEFAULT_SEEDS = 10
# Beyond these a number is a mistake, and memory or days are gone before anybody notices.
MOST_RECIPES = 1_000
MOST_RUNS = 1_000_000


@dataclass(frozen=True)
class Plan:
    """Every recipe on every seed, on one task and model. How it is run: :class:`stabbench.runner.resources.Resources`.

    Attributes:
        recipes: Recipes with the parameters that the user set; or trainings, which know their own task and model.
        task: The task's name, a variant of it, its file, or the task as an object.
        model: A preset, a folder or a hub id.
        seeds: The runs of each recipe.
        revision: Of a hub model.
        data_dir: The folder of the official GLUE TSV files; None loads GLUE from the hub.
        max_steps: Cuts every training short, for trials.

    Raises:
        RecipeError: A recipe given twice.
        StabbenchError: No seeds, or seeds that are negative or given twice; an invalid variant of a task; what has no
            effect on trainings.
    """

    recipes: Sequence[Method]
    task: str | Task
    model: str
    seeds: Sequence[Seeds]
    revision: str | None = None
    data_dir: Path | None = None
    max_steps: int | None = None

    def __post_init__(self) -> None:
        from stabbench.tasks.registry import canonical_name  # numpy behind it is not for `stabbench --help`

        if self.trainings:
            self._check_trainings()
            object.__setattr__(self, "task", TRAINING_TASK)
            object.__setattr__(self, "model", TRAINING_MODEL)
        elif isinstance(self.task, str):
            object.__setattr__(self, "task", canonical_name(self.task))
        if self.data_dir is not None:  # a text, in programs
            object.__setattr__(self, "data_dir", Path(self.data_dir))
        self._check_recipes()
        self._check_seeds()
        check_count("max_steps", self.max_steps, MOST_STEPS)

    @property
    def trainings(self) -> list[Training]:
        """The recipes, where they are trainings."""
        return [method for method in self.recipes if isinstance(method, Training)]

    @property
    def only_recipes(self) -> list[Recipe]:
        """The recipes, where they are none."""
        return [method for method in self.recipes if isinstance(method, Recipe)]

    def _check_trainings(self) -> None:
        if len(self.trainings) < len(self.recipes):
            other = next(method for method in self.recipes if not isinstance(method, Training))
            raise StabbenchError(
                f"{excerpt(getattr(other, 'label', other))} is trained by stabbench, and {self.trainings[0].label!r} "
                "by its own code: only scores of one task can be compared",
                "compare recipes with recipes, or training files with each other",
            )
        given = [
            *(["task"] if self.task not in (DEFAULT_TASK, TRAINING_TASK) else []),
            *(["model"] if self.model not in (DEFAULT_MODEL, TRAINING_MODEL) else []),
            *(name for name in ("revision", "data_dir", "max_steps") if getattr(self, name) is not None),
        ]
        if given:
            raise StabbenchError(f"{given[0]} has no effect on training code", "its own arguments say what it trains")
        scorings = [training.scoring for training in self.trainings]
        for what, found in (
            ("metric", [scoring.name for scoring in scorings]),
            ("constant_score", [scoring.constant_score for scoring in scorings]),
        ):
            values = list(dict.fromkeys(found))
            if len(values) > 1:
                raise StabbenchError(f"the trainings have not the same {what}: {values[0]} and {values[1]}")
        if any(seeds != Seeds.of(seeds.seed) for seeds in self.seeds):
            raise StabbenchError(
                "initialisation, order and dropout of training code cannot be held still: it gets one seed",
                "give it arguments for them, as parameters of the training file",
            )

    def _check_recipes(self) -> None:
        if len(self.recipes) > MOST_RECIPES:
            raise RecipeError(f"{len(self.recipes):,} recipes are too many: {MOST_RECIPES:,} at most")
        if len(self.recipes) * len(self.seeds) > MOST_RUNS:
            raise StabbenchError(
                f"{len(self.recipes):,} recipes with {len(self.seeds):,} seeds each are over {MOST_RUNS:,} runs",
                "give fewer at a time: what is stored is not trained again",
            )
        for recipe in self.recipes:
            if isinstance(recipe, Recipe):
                check_class(type(recipe))
                check_label(recipe)
            elif not isinstance(recipe, Training):
                raise RecipeError(f"{excerpt(recipe)} is no recipe", "give names, or objects of subclasses of Recipe")
        for name in (self.task if isinstance(self.task, str) else self.task.name, self.model):
            if not is_unicode(name):  # of a file's name, say; the store could not keep it
                raise StabbenchError(f"{name!r} is not Unicode", "give it another name, or a link with another name")
        for label, times in Counter(recipe.label for recipe in self.recipes).items():
            if times > 1:
                raise RecipeError(f"recipe {label!r} is given twice", "a comparison needs different recipes")

    def _check_seeds(self) -> None:
        if not self.seeds:
            raise StabbenchError("no seeds", "give a number of seeds, or a list such as 3,7,11")
        if len(self.seeds) > MOST_SEEDS:
            raise StabbenchError(f"{len(self.seeds):,} seeds are too many: {MOST_SEEDS:,} at most")
        for seeds in self.seeds:
            for number in (seeds.seed, seeds.initialisation, seeds.order, seeds.dropout):
                check_seed(number)
        for seed, times in Counter(seeds.seed for seeds in self.seeds).items():
            if times > 1:
                raise StabbenchError(f"seed {seed} is given twice", "every seed is one run; give each once")
        streams = [(seeds.initialisation, seeds.order, seeds.dropout) for seeds in self.seeds]
        if len(set(streams)) < len(streams):
            raise StabbenchError(
                "two runs would be the same: all three of their streams are",
                "leave at least one of initialisation, order and dropout to the seeds",
            )
