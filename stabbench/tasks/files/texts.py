"""Reading CSV, TSV, JSON and JSON lines: every value as it is written, and the line that is wrong.

By Python's own csv module and msgspec: a library for tables guesses types, so that a text "NA" is gone and a label
"01" is 1.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from stabbench.errors import TaskError, excerpt, shortened
from stabbench.tasks.decoding import decoded
from stabbench.tasks.files.table import Table

# Texts may be long; what is longer is a quotation mark that is never closed.
LONGEST_FIELD = 2**24


def read_csv(path: Path, delimiter: str) -> Table:
    """A table from lines of values.

    Raises:
        TaskError: A row that is not as wide as the header, or a quotation mark that is not closed.
    """
    rows, lines = _rows(path, delimiter)
    if not rows:
        raise TaskError(f"{path}: the file is empty")
    header = rows[0]
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise TaskError(f"{path}, line {lines[0]}: column {excerpt(twice)} is there twice")
    for row, line in zip(rows[1:], lines[1:], strict=True):
        if len(row) != len(header):
            raise TaskError(
                f"{path}, line {line:,}: {len(row)} columns, but the header has {len(header)}",
                f"a text with {'a tab' if delimiter == chr(9) else 'a comma'} in it must stand in quotation marks"
                if len(row) > len(header)
                else "the row ends early",
            )
    columns = {name: [row[i] for row in rows[1:]] for i, name in enumerate(header)}
    return Table(str(path), columns, lines[1:], typed=False)


def _rows(path: Path, delimiter: str) -> tuple[list[list[str]], list[int]]:
    """The rows that are not blank, each with the line in which it starts."""
    rows: list[list[str]] = []
    lines: list[int] = []
    limit = csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(io.StringIO(decoded(path), newline=""), delimiter=delimiter, strict=True)
    try:
        start = 1
        for row in reader:
            if row:
                rows.append(row)
                lines.append(start)
            if delimiter == "\t" and any("\n" in value for value in row):
                raise TaskError(
                    f"{path}, line {start:,}: a text goes on over several lines",
                    "is a quotation mark not closed? double those that belong to a text",
                )
            start = reader.line_num + 1
    except csv.Error as error:
        raise TaskError(
            f"{path}, line {reader.line_num:,}: {error}",
            "a text with a quotation mark in it must stand in quotation marks, and have its own doubled",
        ) from error
    finally:
        csv.field_size_limit(limit)
    return rows, lines


def read_json_lines(path: Path) -> Table:
    """A table from one JSON object a line.

    Raises:
        TaskError: An invalid line.
    """
    found: list[Mapping[str, Any]] = []
    lines: list[int] = []
    for number, line in enumerate(decoded(path).split("\n"), 1):
        if line.strip():
            found.append(_object(_parsed(line, f"{path}, line {number:,}"), f"{path}, line {number:,}"))
            lines.append(number)
    return Table(str(path), _columns(found), lines)


def read_json(path: Path) -> Table:
    """A table from a list of objects, from an object with a list for each column, or from one around a list of objects.

    Raises:
        TaskError: It is none of these.
    """
    content = _parsed(decoded(path), str(path))
    if isinstance(content, dict) and len(content) == 1:
        (inside,) = content.values()
        if isinstance(inside, list) and inside and isinstance(inside[0], dict):
            content = inside
    if isinstance(content, list):
        rows = [_object(row, f"{path}, row {number:,}") for number, row in enumerate(content, 1)]
        return Table(str(path), _columns(rows))
    if isinstance(content, dict) and content and all(isinstance(values, list) for values in content.values()):
        if len({len(values) for values in content.values()}) > 1:
            raise TaskError(f"{path}: its columns are of different lengths")
        return Table(str(path), content)
    raise TaskError(f"{path}: neither a list of objects nor an object of lists", "one object a line is .jsonl")


def _parsed(text: str, where: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        raise TaskError(f"{where}: not JSON: {shortened(str(error))}") from error


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TaskError(f"{where}: {excerpt(value)} in place of an object")
    return value


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[object]]:
    """A value that a row lacks is None."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}
