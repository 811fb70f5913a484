"""What the labels of a data file are: texts or whole numbers name classes, lists several, and others are numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from stabbench.errors import TaskError, excerpt
from stabbench.tasks.files.table import Table
from stabbench.tasks.quality import LARGEST_SCORE

# Beyond this it is a column of texts, or of numbers to be predicted.
MOST_CLASSES = 10_000
# Not all that Python reads: no nan, no 1_000.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True)
class Labels:
    """A label of every row, as the file has them.

    Attributes:
        table: The file.
        column: The column, or the first of several.
        values: Texts (of classes), numbers, or tuples of texts (several classes).
    """

    table: Table
    column: str
    values: Sequence[Any]

    @property
    def several(self) -> bool:
        """An example has any number of classes."""
        return bool(self.values) and isinstance(self.values[0], tuple)

    @property
    def continuous(self) -> bool:
        """They are numbers of which one at least is not whole."""
        plain = not self.several and all(isinstance(v, float) or _NUMBER.fullmatch(v) for v in self.values)
        return plain and not all(isinstance(v, str) and _WHOLE.fullmatch(v) for v in self.values)

    def classes(self) -> tuple[str, ...]:
        """The classes that occur: numbers in their order, others in that of the alphabet.

        Raises:
            TaskError: So many that they are none.
        """
        if known := self.table.names.get(self.column):
            return tuple(known)
        flat: Iterable[Any] = (one for value in self.values for one in value) if self.several else self.values
        found = {_class(value) for value in flat}
        if len(found) > max(20, min(MOST_CLASSES, len(self.values) // 2)):
            raise TaskError(
                f"{self.table.origin}: column {excerpt(self.column)} has {len(found):,} different labels in "
                f"{len(self.values):,} rows",
                'is it the right column? for a regression, name a metric of one: metric = "r2"',
            )
        if all(_WHOLE.fullmatch(name) for name in found):
            return tuple(sorted(found, key=lambda name: (int(name), name)))
        return tuple(sorted(found))

    def numbers(self) -> list[float]:
        """As scores of a regression.

        Raises:
            TaskError: One is no number, or too large.
        """
        made = []
        for row, value in enumerate(self.values):
            where = self.table.where(row, self.column)
            if self.several or (isinstance(value, str) and not _NUMBER.fullmatch(value.strip())):
                raise TaskError(f"{where}: the label {excerpt(value)} is no number, and this is a regression")
            number = float(value)
            if not abs(number) <= LARGEST_SCORE:
                raise TaskError(
                    f"{where}: the label {excerpt(value)} is not within ±{LARGEST_SCORE:g}", "scale the labels"
                )
            made.append(number)
        return made

    def class_numbers(self, classes: Sequence[str]) -> list[Any]:
        """As numbers of ``classes``, or tuples of such.

        Raises:
            TaskError: One is none of them.
        """
        known = {name: number for number, name in enumerate(classes)}

        def number(row: int, value: Any) -> int:
            name = _class(value)
            if name not in known:
                listed = ", ".join(classes)
                raise TaskError(
                    f"{self.table.where(row, self.column)}: unknown label {excerpt(name)}; known: "
                    f"{listed if len(listed) <= 300 else excerpt(listed)}",
                    "the classes are those of the training set, unless the task file lists them",
                )
            return known[name]

        if self.several:
            return [tuple(sorted({number(row, one) for one in value})) for row, value in enumerate(self.values)]
        return [float(number(row, value)) for row, value in enumerate(self.values)]


def read_labels(table: Table, columns: Sequence[str]) -> Labels:
    """The labels of a table: of one column, or of several that hold 0 and 1, one for each class.

    Raises:
        TaskError: No such column, a label that is missing, or labels of several types.
    """
    if len(columns) > 1:
        return Labels(table, columns[0], _of_columns(table, columns))
    (column,) = columns
    raw = table.column(column)
    values = [_value(table, row, column, value) for row, value in enumerate(raw)]
    for row, value in enumerate(raw):
        if _type(value) != _type(raw[0]):
            raise TaskError(
                f"{table.where(row, column)}: the label {excerpt(value)} is {_type(value)}, and the first row's, "
                f"{excerpt(raw[0])}, is {_type(raw[0])}",
                "all labels of a column must be of one type",
            )
    if any(isinstance(value, float) for value in values):  # some may be written without a fraction
        values = [float(value) for value in values]
    return Labels(table, column, values)


def _value(table: Table, row: int, column: str, value: Any) -> Any:
    where = table.where(row, column)
    if isinstance(value, list):
        for one in value:
            if isinstance(one, bool) or not isinstance(one, str | int):
                raise TaskError(f"{where}: {excerpt(one)} is no name of a class")
        return tuple(_named(table, where, column, one) for one in value)
    if value is None or (isinstance(value, str) and not value.strip()):
        raise TaskError(f"{where}: the row has no label", "leave out the rows without a label")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        if not math.isfinite(value):
            raise TaskError(f"{where}: the label {value} is no number")
        return value
    if isinstance(value, str | int):
        return _named(table, where, column, value)
    raise TaskError(f"{where}: {excerpt(value)} is no label", "a label is a text, a number, or a list of texts")


def _named(table: Table, where: str, column: str, value: str | int) -> str:
    names = table.names.get(column)
    if names is None or isinstance(value, str):
        return str(value).strip() if isinstance(value, str) or value.bit_length() < 64 else excerpt(value)
    if not 0 <= value < len(names):
        raise TaskError(
            f"{where}: the class number {excerpt(value)} is none of the {len(names)} that have names",
            "-1 is for rows without a label, as those of a test split: choose another split" if value == -1 else "",
        )
    return str(names[value])


def _of_columns(table: Table, columns: Sequence[str]) -> list[tuple[str, ...]]:
    chosen: list[list[str]] = [[] for _ in range(len(table))]
    for column in columns:
        for row, value in enumerate(table.column(column)):
            if str(value).strip().lower() not in ("0", "1", "true", "false", "0.0", "1.0"):
                raise TaskError(
                    f"{table.where(row, column)}: {excerpt(value)} is neither 0 nor 1",
                    "several label columns say of one class each whether it applies",
                )
            if str(value).strip().lower() in ("1", "true", "1.0"):
                chosen[row].append(column)
    return [tuple(names) for names in chosen]


def _class(value: Any) -> str:
    """A class by its name; 1.0 is the class 1, as tables that have had gaps write whole numbers."""
    return f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value)


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    kinds = {str: "a text", int: "a number", float: "a number", list: "a list"}
    return kinds.get(type(value), "no label")
