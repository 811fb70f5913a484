"""A chart that W&B exports as CSV: a column a run, named ``‹run› - ‹metric›``, with its minimum and maximum.

A chart does not say whether a run crashed: its curve ends sooner. The runs table does.
"""

from __future__ import annotations

from pathlib import Path

from stabbench.imported.content import first_bytes
from stabbench.imported.found import FoundRun, ResultsError, is_empty, whole_number
from stabbench.imported.rows import PARQUET, read_rows

NAME = "a W&B chart"
_BOUNDS = ("__MIN", "__MAX")
_BETWEEN = " - "


def matches(path: Path) -> bool:
    """A table with a column and its minimum and maximum."""
    if not path.is_file() or first_bytes(path).startswith(PARQUET):
        return False
    columns = read_rows(path).columns
    return any({column + bound for bound in _BOUNDS} <= set(columns) for column in columns)


def read(path: Path) -> list[FoundRun]:
    """One run a name; its score is the last of its curve."""
    table = read_rows(path)
    axis, *curves = (column for column in table.columns if not column.endswith(_BOUNDS))
    runs: dict[str, dict[str, object]] = {}
    steps: dict[str, int] = {}
    for column in curves:
        name, between, metric = column.rpartition(_BETWEEN)
        if not between:
            raise ResultsError(f"{path} has the column {column!r}", "a W&B chart names its columns ‹run› - ‹metric›")
        for _, row in table.rows:
            if not is_empty(row[column]):
                runs.setdefault(name, {})[metric] = row[column]
                step = whole_number(row[axis]) if axis.lower().endswith("step") else None
                steps |= {} if step is None else {name: step}
    return [FoundRun(f"{path}, run {name}", m, names=(name,), steps=steps.get(name)) for name, m in runs.items()]
