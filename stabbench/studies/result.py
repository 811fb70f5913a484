"""What a study found: one row for each recipe on each task and model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tabulate import tabulate

from stabbench.comparison import RecipeRuns
from stabbench.recipes import Recipe
from stabbench.records import History
from stabbench.statistics import Summary
from stabbench.store import Store
from stabbench.studies.study import PANELS, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCHEMA = "stabbench/study/1"


@dataclass(frozen=True)
class Table:
    """What a study prints.

    Attributes:
        columns: Their headings.
        rows: As texts.
        notes: What must be known to read it.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def text(self, style: str = "simple") -> str:
        """For a terminal; in style ``"github"`` for a page."""
        table = [tabulate(self.rows, self.columns, tablefmt=style, disable_numparse=True)] if self.rows else []
        return "\n\n".join([*table, *(["\n".join(self.notes)] if self.notes else [])])


class View(Protocol):
    """How a study is shown."""

    def table(self, result: StudyResult) -> Table:
        """The study's table."""
        ...

    def draw(self, result: StudyResult, figure: Figure) -> None:
        """Draw the study's picture on an empty figure."""
        ...


@dataclass(frozen=True)
class Row:
    """One cell of a study's grid.

    Attributes:
        recipe: As the study names it.
        resolved: The recipe itself, with its model's defaults filled in.
        varied: The grid's parameters and their values here.
        task: The task's name without its variant.
        variant: The variant, ``""`` for the task as it is.
        model: As the user named it.
        metric: The name of the score.
        constant_score: Of the best constant predictor.
        steps: Updates of one run.
        cut: They are fewer than the recipe's, by ``--max-steps``.
        runs: Every run; none in a study that needs no training.
    """

    recipe: str
    resolved: Recipe
    varied: Mapping[str, Any]
    task: str
    variant: str
    model: str
    metric: str
    constant_score: float
    steps: int
    cut: bool
    runs: RecipeRuns

    @property
    def name(self) -> str:
        """The recipe, and what is varied of it: ``reinit steps=400``."""
        return " ".join([self.recipe, *(f"{key}={value}" for key, value in self.varied.items())])

    @property
    def summary(self) -> Summary:
        """Planned, failed, mean, std, min and max."""
        return self.runs.summary

    def place(self, key: str) -> Any:
        """The value by which panels are split: task, variant, model, or a parameter of the grid."""
        return getattr(self, key) if key in PANELS else self.varied[key]


@dataclass(frozen=True)
class StudyResult:
    """A study and its rows, in the order of the grid.

    ``print(result)`` gives title and table.

    Attributes:
        study: What was asked for.
        rows: What was found.
        store: Where every run is.
        view: How it is shown.
    """

    study: Study
    rows: Sequence[Row]
    store: Path
    view: View

    @property
    def table(self) -> Table:
        """The study's table."""
        return self.view.table(self)

    def text(self, style: str = "simple") -> str:
        """Title and table; in style ``"github"`` for a page."""
        source = f" ({self.study.source})" if self.study.source else ""
        head = [f"{self.study.name}: {self.study.title}{source}"]
        if self.study.finding:
            head.append(f"The source found: {self.study.finding}")
        return "\n\n".join(filter(None, ["\n".join(head), self.common, self.table.text(style)]))

    @property
    def common(self) -> str:
        """What is true of every row and in no column of the table, in a line."""
        values = {key: {str(row.place(key)) for row in self.rows} for key in PANELS}
        parts = [f"{key} {shared.pop()}" for key, shared in values.items() if len(shared) == 1 and shared != {""}]
        if self.study.parameters:
            set_in_all = ", ".join(f"{name}={value}" for name, value in self.study.parameters.items())
            parts.append(f"unless written after a recipe's name {set_in_all}")
        if any(row.cut for row in self.rows):
            parts.append(f"trainings CUT SHORT at {max(row.steps for row in self.rows if row.cut)} steps")
        return "; ".join(parts)

    def __str__(self) -> str:
        return self.text()

    def differing(self, keys: Iterable[str]) -> list[str]:
        """Those of ``keys`` (task, variant, model, a parameter of the grid) that are not the same for all rows."""
        return [key for key in keys if len({row.place(key) for row in self.rows}) > 1]

    def panels(self) -> dict[str, list[Row]]:
        """The rows of each panel of the picture, under its title; only what differs between panels is in a title."""
        keys = self.differing(self.study.panels)
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(", ".join(_titled(key, row.place(key)) for key in keys) or row.task, []).append(row)
        return found

    def histories(self, row: Row) -> list[History]:
        """The curves of a row's runs, in the order of their seeds."""
        with Store(self.store, write=False) as store:
            return [store.history(record.id) for record in row.runs.records]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {
            "schema": SCHEMA,
            "study": self.study.name,
            "title": self.study.title,
            "source": self.study.source,
            "rows": [
                {
                    "recipe": row.recipe,
                    "varied": dict(row.varied),
                    "task": row.task,
                    "variant": row.variant,
                    "model": row.model,
                    "metric": row.metric,
                    "constant_score": row.constant_score,
                    "steps": row.steps,
                    "cut": row.cut,
                    **row.runs.to_json(),
                    "validation_scores": [record.validation_score for record in row.runs.records],
                }
                for row in self.rows
            ],
        }


def _titled(key: str, value: Any) -> str:
    if key in ("task", "model"):
        return str(value)
    if key == "variant":
        return str(value) or "as it is"
    return f"{key}={value}"
