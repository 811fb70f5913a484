"""Published numbers beside the measured ones.

``published.json`` holds the numbers as the papers print them, with their sources; nothing is computed from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stabbench.report import numbers
from stabbench.report.table import Table
from stabbench.studies.result import Row, StudyResult
from stabbench.tasks.lab.tasks import LAB_TASKS

FILE = Path(__file__).parent / "published.json"


@dataclass(frozen=True)
class Published:
    """A paper's numbers for one recipe on one task, in percent.

    Attributes:
        recipe: The recipe, as the study of that source names it.
        task: The task's name, ``glue/rte``.
        model: The model's hub id.
        variant: The variant of the task, as in :mod:`stabbench.tasks.variant`.
        seeds: The number of runs.
        mean: The mean score of the runs.
        std: The standard deviation of their scores.
        max: The score of the best run; None where the paper does not give it.
    """

    recipe: str
    task: str
    model: str
    variant: str
    seeds: int
    mean: float
    std: float
    max: float | None

    @property
    def scores(self) -> str:
        """As the paper has them."""
        best = "" if self.max is None else f", max {numbers.score(self.max, 1)}"
        return f"{numbers.score(self.mean, 1)} ± {numbers.score(self.std, 1)}{best}"


def published(study: str) -> list[Published]:
    """The numbers printed in the figure or table that a study reproduces; empty where the paper prints none."""
    return [
        Published(recipe, task, block["model"], block["variant"], block["seeds"], *(*numbers, None)[:3])
        for block in _file().get(study, {}).get("numbers", [])
        for recipe, tasks in block["recipes"].items()
        for task, numbers in tasks.items()
    ]


def facts(study: str) -> list[str]:
    """The paper's findings in words."""
    return list(_file().get(study, {}).get("facts", []))


@cache
def _file() -> dict[str, Any]:
    return dict(json.loads(FILE.read_text(encoding="utf-8")))


def compare_published(result: StudyResult) -> Table:
    """Measured and published numbers side by side, each labelled with its task and model.

    A task of the lab stands beside the task of GLUE that it mirrors. Where the source prints no numbers, a note says
    so.
    """
    name = result.study.published or result.study.name
    if name not in _file():
        return Table([], [], [f"nothing is published for study {name!r}: its source prints no numbers for it"])
    rows = [
        [
            row.recipe,
            ", ".join(filter(None, [row.task, row.variant, row.model])),
            f"{_percent(row)} ({row.summary.planned} seeds, {row.summary.failed} failed)",
            ", ".join(filter(None, [entry.task, entry.variant, entry.model])),
            f"{entry.scores} ({entry.seeds} seeds)",
            _difference(row, entry),
        ]
        for row, entry in _pairs(result, published(name))
    ]
    columns = ["recipe", "measured on", "measured, %", "published for", "published, %", "what differs"]
    said = [f"{_file()[name]['source']}: {fact}" for fact in facts(name)]
    return Table(columns, rows, said)


def _pairs(result: StudyResult, numbers: list[Published]) -> Iterator[tuple[Row, Published]]:
    """Each row with the published numbers of its task and variant, or else of all variants of the mirrored task."""
    for row in result.rows:
        mirrored = LAB_TASKS[row.task].mirrors if row.task in LAB_TASKS else row.task
        near = [entry for entry in numbers if (entry.recipe, entry.task) == (row.recipe, mirrored)]
        same = [entry for entry in near if (entry.task, entry.variant) == (row.task, row.variant)]
        chosen = same or near
        of_model = [entry for entry in chosen if _model(entry.model) == _model(row.model)]
        yield from ((row, entry) for entry in of_model or chosen)


def _percent(row: Row) -> str:
    s = row.summary
    return f"{numbers.percent(s.mean)} ± {numbers.percent(s.std)}, max {numbers.percent(s.max)}"


def _difference(row: Row, entry: Published) -> str:
    differs = [
        *(["other data"] if row.task != entry.task else []),
        *(["other model"] if _model(row.model) != _model(entry.model) else []),
        *(["other variant"] if row.variant != entry.variant else []),
        *([f"cut at {row.steps} steps"] if row.cut else []),
    ]
    return ", ".join(differs) or "nothing that stabbench knows of"


def _model(name: str) -> str:
    """Of a hub id or a folder what may be the same in both."""
    return name.rpartition("/")[2]
