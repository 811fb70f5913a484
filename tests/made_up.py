"""Results of studies that nobody ran: real records and histories in a real store, with made-up numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from examples import record

from stabbench.models.families import Defaults
from stabbench.records.history import Components, History
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Outcome
from stabbench.records.store import Store
from stabbench.studies.result import Row, StudyResult
from stabbench.studies.study import Study
from stabbench.studies.views import VIEWS

CONSTANT = 0.5
STEPS = 100

# From a run's place to what its record has, or to None where there is no such run; "history" is its History's.
Made = Callable[[int], dict[str, Any] | None]


def made_up(folder: Path, study: Study, made: Made) -> StudyResult:
    """A result with one row for each model, task, variant and point; a run without a score has failed."""
    rows = []
    with Store(folder) as store:
        for model in study.models:
            for task in study.tasks:
                for variant in study.variants:
                    for point in study.points():
                        row = Row(
                            point.text, point.recipe.resolved(Defaults()), point.varied,
                            task, variant, model, "accuracy", CONSTANT,
                            point.recipe.steps or STEPS, False, RecipeRuns(point.recipe.label, []),
                        )  # fmt: skip
                        runs = RecipeRuns(point.recipe.label, [])
                        for place, seeds in enumerate(study.seed_list()):
                            given = made(place)
                            if given is None:
                                continue
                            history = History(**given.pop("history", {}))
                            score = given.get("score", 0.75)
                            outcome = Outcome.FAILED if score is None or score <= CONSTANT else Outcome.OK
                            name = f"{task} {variant} {model} {row.name} {place}"
                            run = record(
                                id=name,
                                seeds=seeds,
                                **{"outcome": outcome, "steps": row.steps, "validation_score": None, **given},
                            )
                            store.put(run, history)
                            runs.records.append(run)
                        rows.append(dataclasses.replace(row, runs=runs))
    return StudyResult(study, rows, folder, VIEWS[study.view])


def each(**values: Sequence[Any]) -> Made:
    """The runs of every row have these, one after the other."""
    return lambda place: {name: of_runs[place] for name, of_runs in values.items()}


def scores(*values: float | None) -> Made:
    """The runs of every row have these scores."""
    return each(score=values)


# Two blocks of a weight and a bias each, and what is below and above them, each with four values.
NAMES = {
    "embeddings.words.weight": "embeddings",
    "layer.0.query.weight": "block 0",
    "layer.0.query.bias": "block 0",
    "layer.1.query.weight": "block 1",
    "layer.1.query.bias": "block 1",
    "classifier.weight": "head",
}


def components(*values: float, **of: float) -> Components:
    """Three probes, at which all numbers of each component are the same; ``of`` a part's own, ``block_0=2.0``."""
    own = [of.get(part.replace(" ", "_"), values[0]) for part in NAMES.values()]
    table = np.tile(np.array(own, np.float32), (3, 1)) * np.array([[1], [2], [3]], np.float32)
    parts = list(NAMES.values())
    return Components(list(NAMES), parts, [4] * len(parts), table, np.ones_like(table), table, table / 10)
