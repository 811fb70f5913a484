"""Rows and columns of a data file, whatever its format, and where in it each value stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stabbench.errors import EXCERPT, TaskError, excerpt, unknown
from stabbench.escape import is_unicode


@dataclass(frozen=True)
class Table:
    """A data file.

    Attributes:
        origin: What it is called in messages.
        columns: Values by column, all of one length.
        lines: For each row the line in which it starts; None where the format has no lines.
        names: For each column of class numbers the classes' names.
        typed: The format tells texts from numbers; where not, all values are texts.
    """

    origin: str
    columns: Mapping[str, Sequence[object]]
    lines: Sequence[int] | None = None
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    typed: bool = True

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def where(self, row: int, column: str) -> str:
        """The place of a value, for messages."""
        place = f"row {row + 1:,}" if self.lines is None else f"line {self.lines[row]:,}"
        return f"{self.origin}, {place}, column {excerpt(column)}"

    def column(self, name: str) -> Sequence[object]:
        """The values of a column.

        Raises:
            TaskError: There is none of that name.
        """
        if name not in self.columns:
            raise TaskError(
                f"{self.origin}: {unknown('column', name, self.columns) if self.columns else 'it has no columns'}",
                f"its columns are {self.header()}",
            )
        return list(self.columns[name])

    def header(self) -> str:
        """The columns' names, cut where there are many."""
        listed = ", ".join(self.columns)
        return listed if len(listed) <= 3 * EXCERPT else excerpt(listed)

    def texts(self, name: str) -> list[str]:
        """A column of texts.

        Raises:
            TaskError: There is none of that name, it is empty, or a value is no text.
        """
        texts: list[str] = []
        for row, value in enumerate(self.column(name)):
            if not isinstance(value, str) or not is_unicode(value):
                raise TaskError(
                    f"{self.where(row, name)}: {_described(value)} in place of a text", "is it the right column?"
                )
            texts.append(value)
        if texts and not any(text.strip() for text in texts):
            raise TaskError(f"{self.where(0, name)}: no text, nor in any other row", "is it the right column?")
        return texts


def _described(value: object) -> str:
    return "nothing" if value is None else excerpt(value)
