"""The result of a study: one row for each recipe on each task and model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stabbench.escape import markdown, one_line
from stabbench.records.history import History
from stabbench.records.provenance import all_days, origin
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.setting import TRAINING_MODEL, TRAINING_TASK
from stabbench.records.store import Store
from stabbench.report import numbers
from stabbench.report.table import Style, Table
from stabbench.runner.methods import Method
from stabbench.statistics import Summary
from stabbench.studies.study import PANELS, Study
from stabbench.studies.with_weights import Measured

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCHEMA = "stabbench/study/1"


class View(Protocol):
    """One kind of table and picture."""

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
        recipe: The recipe as the study names it.
        resolved: The recipe itself, with its model's defaults filled in; or the training.
        varied: The grid's parameters with their values in this cell.
        task: The task's name without its variant.
        variant: The variant of the task, ``""`` for the unchanged task.
        model: The model as the user named it.
        metric: The name of the score.
        constant_score: The score of the best constant predictor.
        steps: The updates of one run.
        cut: Whether ``--max-steps`` cut the training short.
        runs: The runs of the cell; none in a study that needs no training.
    """

    recipe: str
    resolved: Method
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
        """The recipe and its varied parameters: ``reinit steps=400``."""
        return " ".join([self.recipe, *(f"{key}={value}" for key, value in self.varied.items())])

    @property
    def summary(self) -> Summary:
        """Planned, failed, mean, std, min and max."""
        return self.runs.summary

    def place(self, key: str) -> Any:
        """The value of a panel key: task, variant, model, or a parameter of the grid."""
        return getattr(self, key) if key in PANELS else self.varied[key]


@dataclass(frozen=True)
class StudyResult:
    """A study and its rows, in the order of the grid.

    ``print(result)`` gives title and table.

    Attributes:
        study: The study's declaration.
        rows: The cells of its grid with their runs.
        store: The folder of the run store.
        view: The study's kind of table and picture.
        measured: What was measured with the weights of its runs, where its kind needs that.
    """

    study: Study
    rows: Sequence[Row]
    store: Path
    view: View
    measured: Sequence[Measured] = ()

    @property
    def table(self) -> Table:
        """The study's table."""
        return self.view.table(self)

    def text(self, style: Style = "simple") -> str:
        """Title and table; in style ``"github"`` for a page."""
        source = f" ({self.study.source})" if self.study.source else ""
        head = [f"{self.study.name}: {self.study.title}{source}"]
        if self.study.finding:
            head.append(f"The source found: {self.study.finding}")
        escape = markdown if style == "github" else one_line
        head = ["\n".join(map(escape, head)), escape(self.common), escape(self.origin), self.table.text(style)]
        return "\n\n".join(filter(None, head))

    @property
    def origin(self) -> str:
        """How many runs come from the store; empty in a study that needs no training."""
        days = all_days(row.runs for row in self.rows)
        return origin(days) if days else ""

    @property
    def common(self) -> str:
        """One line on what all rows share and no column of the table shows."""
        values = {key: {str(row.place(key)) for row in self.rows} for key in PANELS}
        parts = [f"{key} {shared.pop()}" for key, shared in values.items() if len(shared) == 1 and shared != {""}]
        if parts == [f"task {TRAINING_TASK}", f"model {TRAINING_MODEL}"]:
            parts = [TRAINING_TASK]
        if self.study.parameters:
            set_in_all = ", ".join(f"{name}={value}" for name, value in self.study.parameters.items())
            parts.append(f"unless written after a recipe's name {set_in_all}")
        if cut := [row for row in self.rows if row.cut]:
            whole = sorted({row.runs.whole_steps for row in cut if row.runs.whole_steps is not None})
            ends = dict.fromkeys(map(numbers.count, (whole[0], whole[-1]))) if whole else {}
            of = f" of {' to '.join(map(str, ends))}" if whole else ""
            parts.append(f"cut to {numbers.count(max(row.steps for row in cut))} steps{of} by --max-steps")
        return "; ".join(parts)

    def __str__(self) -> str:
        return self.text()

    def differing(self, keys: Iterable[str]) -> list[str]:
        """Those of ``keys`` (task, variant, model, a parameter of the grid) in which the rows differ."""
        return [key for key in keys if len({row.place(key) for row in self.rows}) > 1]

    def panels(self) -> dict[str, list[Row]]:
        """The rows of each panel of the picture by its title, which names only what differs between panels."""
        keys = self.differing(self.study.panels)
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(", ".join(_titled(key, row.place(key)) for key in keys) or row.task, []).append(row)
        return found

    def histories(self, row: Row) -> list[History]:
        """The histories of a row's runs, in the order of their seeds."""
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
                    **row.runs.to_json(),
                    "steps": row.steps,  # also of a study that needs no training
                    "cut": row.cut,
                    "validation_scores": [record.validation_score for record in row.runs.records],
                }
                for row in self.rows
            ],
            **({"measured": [each.to_json() for each in self.measured]} if self.measured else {}),
        }


def _titled(key: str, value: Any) -> str:
    if key in ("task", "model"):
        return str(value)
    if key == "variant":
        return str(value) or "as it is"
    return f"{key}={value}"
