"""Tables as files: CSV and its relatives, JSON lines, Parquet. A row is a mapping from column to value."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stabbench.errors import excerpt
from stabbench.imported.content import first_bytes, read_text
from stabbench.imported.found import ResultsError

PARQUET = b"PAR1"
_SEPARATORS = ",;\t"


@dataclass(frozen=True)
class Rows:
    """A table.

    Attributes:
        columns: Their names, in order, each there once.
        rows: With what a message calls each: ``runs.csv, line 3``.
    """

    columns: Sequence[str]
    rows: Sequence[tuple[str, Mapping[str, object]]]


def read_rows(path: Path) -> Rows:
    """The table in a file, whatever the file's name.

    Raises:
        ResultsError: It is none.
    """
    if first_bytes(path).startswith(PARQUET):
        return _parquet(path)
    text = read_text(path)
    return _json(path, text) if text.lstrip()[:1] in ("{", "[") else _csv(path, text)


def _csv(path: Path, text: str) -> Rows:
    head = text.lstrip().split("\n", 1)[0]
    separator = max(_SEPARATORS, key=head.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    header: list[str] = []
    rows: list[tuple[str, Mapping[str, object]]] = []
    try:
        for line in lines:
            if not any(cell.strip() for cell in line):
                continue
            if not header:
                header = _checked(path, [cell.strip() for cell in line])
                continue
            where = f"{path}, line {lines.line_num}"
            if len(line) != len(header):
                raise ResultsError(f"{where} has {len(line)} cells, and the header {len(header)}")
            rows.append((where, dict(zip(header, line, strict=True))))
    except csv.Error as error:
        raise ResultsError(f"{path}, line {lines.line_num}: {error}") from error
    if not header:
        raise ResultsError(f"{path} is empty", "its first line should name the columns: seed,score")
    return Rows(header, rows)


def _json(path: Path, text: str) -> Rows:
    rows: list[tuple[str, Mapping[str, object]]] = []
    if text.lstrip().startswith("["):
        numbered = [(f"{path}, item {n}", item) for n, item in enumerate(parse_json(text, str(path)), start=1)]
    else:
        lines = [(f"{path}, line {n}", line) for n, line in enumerate(text.split("\n"), start=1) if line.strip()]
        numbered = [(where, parse_json(line, where)) for where, line in lines]
    for where, item in numbered:
        if not isinstance(item, dict):
            raise ResultsError(f"{where} is no JSON object: {excerpt(item)}", 'such as {"seed": 0, "score": 0.71}')
        rows.append((where, item))
    columns = list(dict.fromkeys(key for _, row in rows for key in row))
    return Rows(columns, rows)


def parse_json(text: str, where: str) -> Any:
    """What a JSON text holds; no key may be there twice.

    Raises:
        ResultsError: It is no JSON.
    """
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, where))
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{where} is no JSON: {error}") from error


def _once(pairs: list[tuple[str, Any]], where: str) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ResultsError(f"{where} has a key twice")
    return made


def _parquet(path: Path) -> Rows:
    import pyarrow as pa  # half a second, for this format only
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(path).read()
        table.validate(full=True)
        found = table.to_pylist()
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        raise ResultsError(f"{path} is no Parquet file that can be read: {error}") from error
    columns = _checked(path, table.column_names)
    return Rows(columns, [(f"{path}, row {number}", row) for number, row in enumerate(found, start=1)])


def _checked(path: Path, columns: list[str]) -> list[str]:
    twice = [name for name, times in Counter(columns).items() if times > 1 and name]
    if twice:
        raise ResultsError(f"{path} has the column {excerpt(twice[0])} {columns.count(twice[0])} times")
    return columns
