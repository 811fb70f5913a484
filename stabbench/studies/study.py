"""A study: a declared grid of recipes, parameters, tasks, models and seeds, with one table and one picture."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stabbench.errors import StudyError, unknown
from stabbench.plan import DEFAULT_MODEL, DEFAULT_SEEDS, DEFAULT_TASK, MOST_SEEDS
from stabbench.recipes import Recipe, parse_recipe, vary
from stabbench.seeds import Seeds
from stabbench.studies.kinds import KINDS
from stabbench.studies.types import check_types
from stabbench.tasks import canonical_name

# What the panels of a picture can be split by, besides the parameters of the grid.
PANELS = ("task", "variant", "model")


@dataclass(frozen=True)
class Point:
    """One recipe of a study's grid.

    Attributes:
        text: The recipe as the study names it.
        varied: The grid's parameters and their values here.
        recipe: The recipe itself.
    """

    text: str
    varied: Mapping[str, Any]
    recipe: Recipe


@dataclass(frozen=True, kw_only=True)
class Study:
    """What is to be run, and how it is shown.

    Attributes:
        name: As in ``stabbench study NAME``.
        title: One line.
        recipes: As on the command line, ``"reinit:blocks=3"``.
        source: The paper, and the figure or table in it.
        finding: What the source found, in a sentence.
        parameters: Set in every recipe, also in place of its own defaults, unless they are written after its name.
        grid: Parameters whose values are crossed with every recipe.
        tasks: Names of tasks.
        variants: Of every task, such as ``"examples=250,split=zhang2021"``; ``""`` is the task as it is.
        models: Presets, folders or hub ids.
        seeds: Their number, or a list.
        crossed: Every initialisation seed with every seed of data order and dropout: as many runs as seeds, squared.
        view: A key of :data:`stabbench.studies.kinds.KINDS`: what the table and the picture show.
        panels: One panel of the picture for each value of these: ``task``, ``variant``, ``model``, or a parameter of
            the grid.
        x: For a view of lines: the grid's parameter on the horizontal axis.
        published: The name under which the source's numbers are kept, if not the study's own.

    Raises:
        StudyError: A study that contradicts itself.
        RecipeError: An unknown recipe, or a parameter that a recipe does not have.
    """

    name: str
    title: str
    recipes: Sequence[str]
    source: str = ""
    finding: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    tasks: Sequence[str] = (DEFAULT_TASK,)
    variants: Sequence[str] = ("",)
    models: Sequence[str] = (DEFAULT_MODEL,)
    seeds: int | Sequence[int] = DEFAULT_SEEDS
    crossed: bool = False
    view: str = "boxes"
    panels: Sequence[str] = PANELS
    x: str | None = None
    published: str = ""

    def __post_init__(self) -> None:
        check_types(self)
        _check_seeds(self)
        for name in ("recipes", "tasks", "variants", "models"):
            self._check_different(name)
        kind = KINDS.get(self.view)
        if kind is None:
            raise StudyError(f"study {self.name!r}: {unknown('view', self.view, KINDS)}")
        if kind.needs_x != (self.x is not None) or (kind.needs_x and self.x not in self.grid):
            wants = "needs x, one of the grid's parameters" if kind.needs_x else "has no x"
            raise StudyError(f"study {self.name!r}: view {self.view!r} {wants}")
        if kind.needs_crossed and not self.crossed:
            raise StudyError(f"study {self.name!r}: view {self.view!r} needs crossed = true")
        for panel in self.panels:
            if panel not in (*PANELS, *self.grid):
                raise StudyError(f"study {self.name!r}: {unknown('panel', panel, (*PANELS, *self.grid))}")
        list(self.points())

    def _check_different(self, name: str) -> None:
        values = list(getattr(self, name))
        if name == "variants":
            values = [canonical_name(f"task:{value}") if value else "" for value in values]
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise StudyError(f"study {self.name!r}: {twice!r} is twice among the {name}")

    def points(self) -> Iterator[Point]:
        """Every recipe of the grid, in order."""
        for text in self.recipes:
            asked, given = parse_recipe(text), _given(text)
            common = {name: value for name, value in self.parameters.items() if name not in given}
            for name in self.grid:
                if name in given or name in self.parameters:
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


def _check_seeds(study: Study) -> None:
    numbers = [study.seeds] if isinstance(study.seeds, int) else study.seeds
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= MOST_SEEDS:
            raise StudyError(
                f"study {study.name!r}: seeds must be whole numbers from 0 to {MOST_SEEDS:,}, got {number!r}"
            )
    number, times = Counter(numbers).most_common(1)[0]
    if times > 1:
        raise StudyError(f"study {study.name!r}: seed {number} is given twice", "every seed is one run")


def _paired(a: int, b: int) -> int:
    """One number for two, the same in a larger grid (Szudzik's pairing): what is stored is found again."""
    return b * b + a if a < b else a * a + a + b


def _given(text: str) -> set[str]:
    """Names of the parameters that a recipe's text sets."""
    return {item.partition("=")[0] for item in text.partition(":")[2].split(",")}


def replace(study: Study, **changes: Any) -> Study:
    """``study`` with some fields changed; None leaves a field as it is."""
    return dataclasses.replace(study, **{k: v for k, v in changes.items() if v is not None})
