"""The numbers that papers print, beside the measured ones.

``published.json`` holds them as printed, with their sources; nothing is computed from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stabbench.errors import StudyError
from stabbench.studies.result import Row, StudyResult, Table
from stabbench.studies.study import Study
from stabbench.tasks import LAB_TASKS

FILE = Path(__file__).parent / "published.json"


@dataclass(frozen=True)
class Published:
    """What a paper prints for one recipe on one task, in percent points.

    Attributes:
        recipe: The recipe, as the study of that name has it.
        task: The task's name, ``glue/rte``.
        model: The model's hub id.
        variant: Of the task, as in :mod:`stabbench.tasks`.
        seeds: Runs.
        mean: Over the runs.
        std: Standard deviation over the runs.
        max: The best run; None where the paper does not say.
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
        best = "" if self.max is None else f", max {self.max:.1f}"
        return f"{self.mean:.1f} ± {self.std:.1f}{best}"


def published(study: str) -> list[Published]:
    """What is printed in the figure or table that a study follows; empty where the paper prints no numbers."""
    return [
        Published(recipe, task, block["model"], block["variant"], block["seeds"], *(*numbers, None)[:3])
        for block in _file().get(study, {}).get("numbers", [])
        for recipe, tasks in block["recipes"].items()
        for task, numbers in tasks.items()
    ]


def facts(study: str) -> list[str]:
    """What the paper says in words about it."""
    return list(_file().get(study, {}).get("facts", []))


@cache
def _file() -> dict[str, Any]:
    return dict(json.loads(FILE.read_text(encoding="utf-8")))


def require_published(study: Study) -> str:
    """The name under which the numbers that the source of ``study`` prints are kept.

    Raises:
        StudyError: It prints none.
    """
    name = study.published or study.name
    if name not in _file():
        raise StudyError(f"nothing is published for study {name!r}", "the figure that it follows prints no numbers")
    return name


def compare_published(result: StudyResult) -> Table:
    """Measured and published side by side, each labelled with what it was measured on.

    A task of the lab stands beside the task of GLUE that it mirrors.

    Raises:
        StudyError: The paper prints no numbers for this study.
    """
    name = require_published(result.study)
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
    """Each row with the numbers for its own variant of its own task, or else with all that are nearest to it."""
    for row in result.rows:
        mirrored = LAB_TASKS[row.task].mirrors if row.task in LAB_TASKS else row.task
        near = [entry for entry in numbers if (entry.recipe, entry.task) == (row.recipe, mirrored)]
        same = [entry for entry in near if (entry.task, entry.variant) == (row.task, row.variant)]
        yield from ((row, entry) for entry in same or near)


def _percent(row: Row) -> str:
    s = row.summary
    mean, std, best = ("-" if value is None else f"{100 * value:.1f}" for value in (s.mean, s.std, s.max))
    return f"{mean} ± {std}, max {best}"


def _difference(row: Row, entry: Published) -> str:
    differs = [
        *(["other data"] if row.task != entry.task else []),
        *(["other model"] if row.model.rpartition("/")[2] != entry.model.rpartition("/")[2] else []),
        *(["other variant"] if row.variant != entry.variant else []),
        *([f"cut at {row.steps} steps"] if row.cut else []),
    ]
    return ", ".join(differs) or "nothing that stabbench knows of"
