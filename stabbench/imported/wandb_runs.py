"""The runs table that W&B exports as CSV: a row a run, with its name, its state, its configuration and its summary."""

from __future__ import annotations

from pathlib import Path

from stabbench.imported import table
from stabbench.imported.content import first_bytes
from stabbench.imported.found import FoundRun
from stabbench.imported.rows import PARQUET, read_rows

NAME = "a W&B runs table"
_FINISHED = "finished"
# Columns of W&B's own, whose numbers are no scores.
_OWN = frozenset(
    {"Name", "State", "Notes", "User", "Tags", "Created", "Runtime", "Sweep", "ID", "Group", "Job Type", "Updated",
     "End Time", "GPU Type", "GPU Count", "Hostname", "Description", "Commit", "GitHub", "Host", "Project"}
)  # fmt: skip


def matches(path: Path) -> bool:
    """A table with the columns Name and State."""
    if not path.is_file() or first_bytes(path).startswith(PARQUET):
        return False
    return {"Name", "State"} <= set(read_rows(path).columns)


def read(path: Path) -> list[FoundRun]:
    """One run a row; one that is not finished is missing, whether it crashed, was killed, or still runs."""
    runs = []
    for where, row in read_rows(path).rows:
        name, state = str(row.get("Name") or "").strip(), str(row.get("State") or "").strip().lower()
        unfinished = "" if state == _FINISHED else f"its state in W&B is {state or 'empty'}"
        kept = {column: value for column, value in row.items() if column not in _OWN and not column.startswith("_")}
        runs.append(table.run_of(f"{where} ({name})", kept, unfinished, (name,)))
    return runs
