"""Runs as the rows of one flat table, for spreadsheets and data frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stabbench.errors import StabbenchError
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import RunRecord

if TYPE_CHECKING:
    import pandas

Value = str | int | float | None
#: The columns, in order.
COLUMNS = (
    *("recipe", "task", "model", "seed", "initialisation_seed", "order_seed", "dropout_seed"),
    *("outcome", "reason", "metric", "score", "constant_score", "validation_score", "final_loss"),
    *("steps", "kept_step", "seconds", "finished", "id"),
)
#: By which a run that was logged to a tracker is known again: the name of a parameter that has the run's identity.
RUN_ID = "stabbench.run"

# A spreadsheet computes a text that starts so, and may start programs and read files by it.
_FORMULA = ("=", "+", "-", "@")


def as_text(text: str) -> str:
    """A text that looks like a formula behind an apostrophe, which says to a spreadsheet that it is a text."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def as_written(text: str) -> str:
    """What :func:`as_text` was made of."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def run_rows(recipes: Iterable[RecipeRuns]) -> list[dict[str, Value]]:
    """One row a run with the columns :data:`COLUMNS`; what is not known is None."""
    return [run_row(record, runs.label, elsewhere=bool(runs.source)) for runs in recipes for record in runs.records]


def as_dataframe(recipes: Iterable[RecipeRuns]) -> pandas.DataFrame:
    """The same rows as a data frame.

    Raises:
        StabbenchError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise StabbenchError("a data frame needs pandas, which is not installed", "pip install pandas") from error
    return pandas.DataFrame(run_rows(recipes), columns=list(COLUMNS))


def run_row(record: RunRecord, label: str, *, elsewhere: bool = False) -> dict[str, Value]:
    """The row of one run, under the label of its recipe."""
    # What another tool did not say of a run is 0 in its record, and the steps that training code did not tell.
    seconds = record.seconds or None if elsewhere else record.seconds
    return {
        "recipe": label,
        "task": record.task,
        "model": record.model,
        "seed": record.seeds.seed,
        "initialisation_seed": record.seeds.initialisation,
        "order_seed": record.seeds.order,
        "dropout_seed": record.seeds.dropout,
        "outcome": record.outcome.value,
        "reason": record.reason,
        "metric": record.metric,
        "score": record.score,
        "constant_score": record.constant_score,
        "validation_score": record.validation_score,
        "final_loss": record.final_loss,
        "steps": record.steps or None,
        "kept_step": record.kept_step,
        "seconds": seconds,
        "finished": record.finished,
        "id": record.id,
    }
