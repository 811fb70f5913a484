"""A gate's result for programs: what :func:`stabbench.gate` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from stabbench.gate.gate import GateResult
from stabbench.records.rows import as_dataframe
from stabbench.report.as_json import as_json
from stabbench.report.gate import gate_text

if TYPE_CHECKING:
    import pandas


class PrintedGate(GateResult):
    """A gate's result that prints as the text of the command, and gives its JSON."""

    @classmethod
    def of(cls, result: GateResult) -> Self:
        """The same result."""
        return cls(result.cells, result.rules)

    def __str__(self) -> str:
        return gate_text(self)

    def to_dataframe(self) -> pandas.DataFrame:
        """One row for each new run, with the columns of ``--csv``.

        Raises:
            StabbenchError: pandas is not installed.
        """
        return as_dataframe([cell.runs for cell in self.cells if cell.runs])

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types: what ``--json`` writes, but for what is of the command."""
        return as_json(self)
