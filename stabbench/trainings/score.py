"""The score of a command: in a file that it wrote, or in what it printed."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stabbench.errors import excerpt, listed
from stabbench.imported.content import read_text
from stabbench.imported.found import ResultsError, number
from stabbench.imported.hf_trainer import is_score
from stabbench.imported.rows import parse_json, read_rows
from stabbench.records.run import finite
from stabbench.trainings.placeholders import filled, names_in
from stabbench.trainings.training import NoScoreError, TrainingError

STDOUT = "stdout:"
_ADVICE = 'such as score = "{output}/eval_results.json:eval_accuracy" or score = "stdout:accuracy (\\\\S+)"'
# What differs between runs that are the same.
_OF_THE_RUN = re.compile("seed|time|seconds|duration|date|_id$|^id$|pid", re.IGNORECASE)
# Keys that a message lists.
_LISTED = 12


@dataclass(frozen=True)
class Found:
    """A score as it was found.

    Attributes:
        value: The number, which need not be finite.
        others: The other numbers beside it, by name, as far as they are about the result: not those of time and speed.
    """

    value: float
    others: Mapping[str, float | None]


@dataclass(frozen=True)
class ScorePlace:
    """Where a command's score is.

    Attributes:
        file: A path with placeholders; empty for the standard output.
        key: The name of the score in the file: a key of a JSON object, keys with dots between them, or a column.
        pattern: The expression that finds it in the standard output; empty for a file.
    """

    file: str = ""
    key: str = ""
    pattern: str = ""

    @classmethod
    def parse(cls, where: str, text: str) -> ScorePlace:
        """From the text of a training file.

        Raises:
            TrainingError: It names no place, or a file that several runs would write.
        """
        if text.startswith(STDOUT):
            pattern = text.removeprefix(STDOUT)
            try:
                with warnings.catch_warnings(action="ignore"):  # of what another Python will read in another way
                    groups = re.compile(pattern, re.MULTILINE).groups
            except (re.error, OverflowError, RecursionError) as error:
                raise TrainingError(f"{where}: score {excerpt(pattern)} is no regular expression: {error}") from error
            if not pattern or groups > 1:
                raise TrainingError(f"{where}: score needs an expression with one group at most", _ADVICE)
            return cls(pattern=pattern)
        file, colon, key = text.rpartition(":")
        if not colon or not file or not key:
            raise TrainingError(f"{where}: score {excerpt(text)} names no place", _ADVICE)
        if "output" not in names_in(file):
            raise TrainingError(
                f"{where}: the score's file {excerpt(file)} is not in {{output}}, each run's own folder",
                "runs that write one file would read each other's score; " + _ADVICE,
            )
        return cls(file=file, key=key)

    @property
    def name(self) -> str:
        """What the score is called where nothing else says it."""
        return self.key or "score"

    def find(self, stdout: str, folder: Path, values: Mapping[str, str]) -> Found:
        """The score of a run that has ended.

        Args:
            stdout: What it printed.
            folder: Where it ran.
            values: What replaces the placeholders.

        Raises:
            NoScoreError: There is none, or more than one.
        """
        if self.pattern:
            return Found(_printed(self.pattern, stdout), {})
        path = folder / filled(self.file, values)
        if not path.is_file():
            raise NoScoreError(f"it wrote no file {path.name}")
        try:
            content = _last(path)
        except (ResultsError, OSError) as error:
            raise NoScoreError(str(error).splitlines()[0]) from error
        value = _looked_up(content, self.key)
        if value is None:
            keys = [str(key) for key in content]
            raise NoScoreError(f"{path.name} has no {self.key}; it has {listed(keys, _LISTED) or 'nothing'}")
        if (score := number(value)) is None:
            raise NoScoreError(f"{path.name}: {self.key} {excerpt(value)} is no number")
        found = {str(key): number(value) for key, value in content.items() if key != self.key}
        others = {key: finite(value) for key, value in found.items() if value is not None}
        return Found(score, {k: v for k, v in others.items() if is_score(k) and not _OF_THE_RUN.search(k)})


def _printed(pattern: str, stdout: str) -> float:
    texts = [found[1] if found.re.groups else found[0] for found in re.finditer(pattern, stdout, re.MULTILINE)]
    if not texts:
        raise NoScoreError(f"it printed nothing that {excerpt(pattern)} finds")
    values = [number(text) for text in texts]
    if None in values:
        raise NoScoreError(f"it printed the score {excerpt(texts[values.index(None)])}, which is no number")
    different = dict.fromkeys(text.strip() for text in texts)
    if len(different) > 1:
        listed = ", ".join(list(different)[:3])
        raise NoScoreError(f"it printed {len(texts)} scores ({listed}…): let the expression find only the last one")
    return float(texts[0])


def _last(path: Path) -> Mapping[str, Any]:
    """A JSON object, or the last row of a table: CSV, JSON lines, a JSON list, Parquet."""
    if path.suffix.lower() == ".json":
        content = parse_json(read_text(path), str(path))
        if isinstance(content, dict):
            return content
    rows = read_rows(path).rows
    if not rows:
        raise NoScoreError(f"{path.name} has no rows")
    return rows[-1][1]


def _looked_up(content: Mapping[str, Any], key: str) -> Any:
    """By the key itself, or along the dots in it."""
    if key in content:
        return content[key]
    found: Any = content
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
