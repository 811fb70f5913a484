"""Runs as CSV, one a row, for spreadsheets: no text in it is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from stabbench.escape import one_line, printable
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.rows import COLUMNS, Value, as_text, run_rows


def as_csv(recipes: Iterable[RecipeRuns]) -> str:
    """The columns of :data:`stabbench.records.rows.COLUMNS`; an empty cell is not known, or not finite."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows([_cell(row[column]) for column in COLUMNS] for row in run_rows(recipes))
    return text.getvalue()


def _cell(value: Value) -> Value:
    """Numbers to the last bit; no text looks like a formula."""
    return as_text(printable(one_line(value))) if isinstance(value, str) else value
