"""A study: a declared grid of recipes, parameters, tasks, models and seeds, with one table and one picture."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stabbench.errors import StabbenchError, StudyError, excerpt, unknown
from stabbench.records.seeds import LARGEST_SEED, MOST_SEEDS, Seeds, check_seed
from stabbench.runner.methods import Method, find_method, vary
from stabbench.runner.plan import DEFAULT_MODEL, DEFAULT_SEEDS, DEFAULT_TASK, MOST_RECIPES, MOST_RUNS
from stabbench.studies.kinds import KINDS
from stabbench.studies.types import check_types
from stabbench.tasks.registry import canonical_name

# The panel keys of a picture, besides the parameters of the grid.
PANELS = ("task", "variant", "model")


@dataclass(frozen=True)
class Point:
    """One recipe of a study's grid.

    Attributes:
        text: The recipe as the study names it.
        varied: The grid's parameters with their values at this point.
        recipe: The recipe itself.
    """

    text: str
    varied: Mapping[str, Any]
    recipe: Method


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Parameters for one family of models on one task.

    Attributes:
        family: The ``transformers`` model type, ``"electra"``.
        task: The task's name, ``"glue/rte"``; a task of the lab has the parameters of the one that it mirrors.
        parameters: As a study's.
    """

    family: str
    task: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Study:
    """A grid of runs, and the table and picture that show it.

    Attributes:
        name: The name in ``stabbench study NAME``.
        title: A title in one line.
        recipes: Recipes as on the command line, ``"reinit:blocks=3"``; or training files, which know task and model.
        source: The paper, and the figure or table in it.
        finding: The finding of the source, in a sentence.
        parameters: Parameters set in every recipe, in place of its defaults but not of values after its name.
        grid: Parameters whose values are crossed with every recipe.
        settings: Parameters that differ from one family of models and task to the next, as a :class:`Setting` each or a
            mapping with its fields; set as ``parameters`` are, and before these.
        tasks: Names of tasks.
        variants: Variants of every task, such as ``"examples=250,split=zhang2021"``; ``""`` is the unchanged task.
        models: Presets, folders or hub ids.
        seeds: The number of seeds, or a list.
        crossed: Whether every initialisation seed is combined with every seed of data order and dropout.
        view: The kind of table and picture: a key of :data:`stabbench.studies.kinds.KINDS`.
        panels: One panel of the picture for each value of these: ``task``, ``variant``, ``model``, or a parameter of
            the grid.
        x: For the view ``lines``: the parameter of the grid on the horizontal axis.
        texts: For the view ``perplexity``: a file of plain text, one text a line; empty for sentences of the lab.
        published: The name of the source's numbers in ``published.json``; by default the study's own.

    Raises:
        StudyError: The fields contradict each other, or have a wrong type.
        RecipeError: An unknown recipe, or a parameter that a recipe does not have.
    """

    name: str
    title: str
    recipes: Sequence[str]
    source: str = ""
    finding: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    settings: Sequence[Setting | Mapping[str, Any]] = ()
    tasks: Sequence[str] = (DEFAULT_TASK,)
    variants: Sequence[str] = ("",)
    models: Sequence[str] = (DEFAULT_MODEL,)
    seeds: int | Sequence[int] = DEFAULT_SEEDS
    crossed: bool = False
    view: str = "boxes"
    panels: Sequence[str] = PANELS
    x: str | None = None
    texts: str = ""
    published: str = ""

    def __post_init__(self) -> None:
        check_types(vars(self))
        _check_size(self)
        _check_seeds(self)
        for name in ("recipes", "tasks", "variants", "models"):
            self._check_different(name)
        kind = KINDS.get(self.view)
        if kind is None:
            raise StudyError(f"study {self.name!r}: {unknown('view', self.view, KINDS)}")
        if kind.needs_x != (self.x is not None) or (kind.needs_x and self.x not in self.grid):
            wants = "needs x, one of the grid's parameters" if kind.needs_x else "has no x"
            raise StudyError(f"study {self.name!r}: view {self.view!r} {wants}")
        if self.texts and not kind.needs_texts:
            raise StudyError(f"study {self.name!r}: view {self.view!r} has no texts", "leave them out")
        if kind.needs_crossed and not self.crossed:
            raise StudyError(f"study {self.name!r}: view {self.view!r} needs crossed = true")
        for panel in self.panels:
            if panel not in (*PANELS, *self.grid):
                raise StudyError(f"study {self.name!r}: {unknown('panel', panel, (*PANELS, *self.grid))}")
        object.__setattr__(self, "settings", [_setting(self.name, given) for given in self.settings])
        for parameters in ({}, *(setting.parameters for setting in self._settings)):
            list(self.points(parameters))

    @property
    def _settings(self) -> Sequence[Setting]:
        return [setting for setting in self.settings if isinstance(setting, Setting)]

    def parameters_for(self, family: str, task: str) -> Mapping[str, Any]:
        """The parameters of the setting of a family and a task; none where there is no such setting."""
        for setting in self._settings:
            if (setting.family, setting.task) == (family, task):
                return setting.parameters
        return {}

    def _check_different(self, name: str) -> None:
        values = list(getattr(self, name))
        if name == "variants":
            values = [canonical_name(f"task:{value}") if value else "" for value in values]
        twice, times = Counter(values).most_common(1)[0]
        if times > 1:
            raise StudyError(f"study {self.name!r}: {twice!r} is twice among the {name}")

    def points(self, parameters: Mapping[str, Any] | None = None) -> Iterator[Point]:
        """Every recipe of the grid, in order; with the parameters of a setting."""
        every = {**self.parameters, **(parameters or {})}
        for text in self.recipes:
            asked, given = find_method(text), _given(text)
            common = {name: value for name, value in every.items() if name not in given}
            for name in self.grid:
                if name in given or name in every:
                    raise StudyError(f"study {self.name!r}: {name} is in the grid and set for recipe {text!r}, too")
            for values in itertools.product(*self.grid.values()):
                varied = dict(zip(self.grid, values, strict=True))
                yield Point(text, varied, vary(asked, {**common, **varied}))

    def seed_list(self) -> list[Seeds]:
        """The seeds of every cell."""
        numbers = range(self.seeds) if isinstance(self.seeds, int) else self.seeds
        if not self.crossed:
            return [Seeds.of(n) for n in numbers]
        pairs = itertools.product(numbers, repeat=2)
        return [Seeds.of(_paired(a, b), initialisation=a, order=b, dropout=b) for a, b in pairs]


def _setting(study: str, given: Setting | Mapping[str, Any]) -> Setting:
    if isinstance(given, Setting):
        return given
    fields = {"family": str, "task": str, "parameters": Mapping}
    right = isinstance(given, Mapping) and given.keys() == fields.keys()
    if not right or not all(isinstance(given[name], kind) for name, kind in fields.items()):
        raise StudyError(
            f"study {study!r}: a setting has a family, a task and parameters, got {excerpt(given)}",
            'for example: family = "electra", task = "glue/rte", parameters = {lr = 5e-5}',
        )
    return Setting(**given)


def _check_size(study: Study) -> None:
    """Checked before the grid is made: a few lines of TOML can declare one that exceeds all memory."""
    points = len(study.recipes) * math.prod(len(values) for values in study.grid.values())
    if points > MOST_RECIPES:
        raise StudyError(
            f"study {study.name!r}: its grid has {excerpt(points)} recipes, {MOST_RECIPES:,} at most",
            "give fewer values, or make several studies of it",
        )
    seeds = study.seeds if isinstance(study.seeds, int) else len(study.seeds)
    if seeds > MOST_SEEDS:
        raise StudyError(f"study {study.name!r}: {excerpt(seeds)} seeds are too many, {MOST_SEEDS:,} at most")
    places = len(study.tasks) * len(study.variants) * len(study.models)
    runs = points * places * (seeds**2 if study.crossed else seeds)
    if runs > MOST_RUNS:
        squared = ", and crossed seeds count squared" if study.crossed else ""
        raise StudyError(f"study {study.name!r}: it has {runs:,} runs, {MOST_RUNS:,} at most{squared}")


def _check_seeds(study: Study) -> None:
    if isinstance(study.seeds, int):
        if study.seeds < 0:
            raise StudyError(f"study {study.name!r}: seeds must not be negative, got {excerpt(study.seeds)}")
        return
    for number in study.seeds:
        try:
            check_seed(number)
        except StabbenchError as error:
            raise StudyError(f"study {study.name!r}: {error.message}", error.hint) from None
    number, times = Counter(study.seeds).most_common(1)[0]
    if times > 1:
        raise StudyError(f"study {study.name!r}: seed {number} is given twice", "every seed is one run")
    largest = max(study.seeds)
    if study.crossed and _paired(largest, largest) > LARGEST_SEED:
        raise StudyError(f"study {study.name!r}: seed {largest} is too large to be crossed", "give one below 3e9")


def _paired(a: int, b: int) -> int:
    """One number for two, the same in any larger grid (Szudzik's pairing), so that stored runs are found again."""
    return b * b + a if a < b else a * a + a + b


def _given(text: str) -> set[str]:
    """Names of the parameters that are written after a recipe's name."""
    return {item.partition("=")[0] for item in text.partition(":")[2].split(",")}


def replace(
    study: Study,
    *,
    tasks: Sequence[str] | None = None,
    models: Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    texts: str | None = None,
) -> Study:
    """``study`` with other tasks, models, seeds or texts; None leaves them unchanged."""
    return dataclasses.replace(
        study,
        tasks=study.tasks if tasks is None else tasks,
        models=study.models if models is None else models,
        seeds=study.seeds if seeds is None else seeds,
        texts=study.texts if texts is None else texts,
    )
