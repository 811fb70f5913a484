"""Which of a run's numbers is its score, and what it is for a run that says so itself."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from stabbench.errors import excerpt, listed
from stabbench.imported.choice import Choice
from stabbench.imported.found import FoundRun, ResultsError, is_empty, number
from stabbench.imported.hf_trainer import is_score
from stabbench.records.scoring import LARGEST_SCORE

SCORE = "score"
# Names that a message lists.
_LISTED = 20
# Words in the names of what a run was given. A table has them beside what came out: they are not offered as scores.
_GIVEN = re.compile(
    r"(?:^|[^a-z0-9])(?:seeds?|lr|learning_rate|learningrate|batch|batches|bs|epochs?|steps?|iterations?|warm_?up|decay|"
    r"wd|dropout|beta[12s]?|eps|epsilon|momentum|gamma|alpha|num|size|length|dim|layers?|hidden|heads?|rank|workers|"
    r"patience|timeout|limit|accumulation|clip|smoothing|temperature|top_[kp]|penalty|id)(?:$|[^a-z0-9])"
)


def read_under_its_name(metrics: Mapping[str, object], name: str) -> dict[str, object]:
    """Metrics in which ``score`` is under the name that the same run gives it."""
    return {name if name and key == SCORE else key: value for key, value in metrics.items()}


def of_metric(path: Path, found: Sequence[FoundRun], choice: Choice) -> tuple[str, list[FoundRun]]:
    """The name of the score, and the runs that are rows of it: a table may have a row for each of several metrics.

    Raises:
        ResultsError: There is none, or which one is not said.
    """
    named = sorted({run.metric for run in found if run.metric})
    metric = choice.metric
    if metric == SCORE and len(named) == 1:  # what the column is called
        metric = named[0]
    if metric is None and len(named) > 1:
        raise ResultsError(f"{path} has several metrics: {_names(named)}", "choose one by --metric")
    if metric is None:
        metric = named[0] if named else _only(path, found, choice.seed_from or "seed")
    kept = [run for run in found if not run.metric or metric in run.metrics]
    if not any(metric in run.metrics for run in kept) and any(not run.unfinished for run in found):
        raise ResultsError(f"{path} has no metric {excerpt(metric)}", f"it has: {_names(_offered(found))}")
    return metric, [dataclasses.replace(run, metric=metric) for run in kept]


def _only(path: Path, found: Sequence[FoundRun], seed: str) -> str:
    known = [key for key in _offered(found) if key != seed]
    if SCORE in known:
        return SCORE
    if len(known) == 1:
        return known[0]
    if not known:
        raise ResultsError(f"{path} has no metric: nothing in it besides the seeds is a number")
    raise ResultsError(f"{path} has several metrics: {_names(known)}", "choose one by --metric")


def _offered(found: Sequence[FoundRun]) -> list[str]:
    """The names of numbers that may be the score: not those of what a run was given, unless there are no others."""
    numbers = sorted({key for run in found for key, value in run.metrics.items() if number(value) is not None})
    return [key for key in numbers if is_score(key) and not _GIVEN.search(key.lower())] or numbers


def value_of(run: FoundRun, metric: str) -> float | None:
    """Of the metric, which need not be finite; None where a run that is marked as failed has none.

    Raises:
        ResultsError: There is no value, or it is no score.
    """
    value = run.metrics.get(metric)
    if is_empty(value):
        if run.failed:
            return None
        raise ResultsError(
            f"{run.where} has no {metric}",
            "write nan for a training that diverged; a run that crashed is marked by the tool, or left out",
        )
    found = number(value)
    if found is None:
        raise ResultsError(f"{run.where}: {metric} {excerpt(value)} is no number", "write it as 0.731")
    if math.isfinite(found) and abs(found) > LARGEST_SCORE:
        raise ResultsError(f"{run.where}: {metric} {found:g} is no score", f"it is over {LARGEST_SCORE:g}")
    return found


def constant_score_of(path: Path, found: Sequence[FoundRun], choice: Choice) -> Choice:
    """The choice with the constant score that the results say, where the user said none.

    Raises:
        ResultsError: They say several, or one that is no finite number.
    """
    if choice.constant_score is not None:
        return choice
    said: dict[float, FoundRun] = {}
    for run in found:
        if is_empty(run.constant_score):
            continue
        value = number(run.constant_score)
        if value is not None and math.isnan(value):
            continue  # as a data frame writes what is not known
        if value is None or not math.isfinite(value):
            raise ResultsError(
                f"{run.where}: constant_score {excerpt(run.constant_score)} is no finite number",
                "give --constant-score",
            )
        said.setdefault(value, run)
    if len(said) > 1:
        few = ", ".join(f"{value:g}" for value in list(said)[:3])
        raise ResultsError(f"{path} has several constant scores: {few}", "give --constant-score")
    return dataclasses.replace(choice, constant_score=next(iter(said), None))


def _names(names: Sequence[str]) -> str:
    return listed([excerpt(name).strip("'") for name in names], _LISTED)
