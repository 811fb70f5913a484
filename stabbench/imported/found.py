"""What a reader finds: runs as a tool wrote them down, before their seed and score are chosen."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from stabbench.errors import StabbenchError
from stabbench.records.history import History

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(inf|infinity)|nan", re.IGNORECASE)
# As pandas and W&B write whole numbers of a column in which some are missing: `3.0`.
_WHOLE = re.compile(r"([0-9]{1,19})(\.0*)?")


class ResultsError(StabbenchError):
    """Results measured elsewhere that cannot be read, or that lack a seed or a score."""


@dataclass(frozen=True)
class FoundRun:
    """One run as it was found.

    Attributes:
        where: What a message calls it: ``runs.csv, line 3``, or its folder.
        metrics: By name what may be its score, as written there: a number, a text, or None.
        parameters: By name what may be its seed.
        names: Texts that ``--seed-from`` may find the seed in: its folder, its name.
        recipe: Its recipe; empty where the format has none.
        task: Its task; empty where the format has none.
        model: Its model; empty where the format has none.
        metric: What it calls its score itself; empty where it does not.
        constant_score: That of the best constant predictor, as written there; None where nothing is said.
        unfinished: Why it gave no score, such as ``crashed``; empty for a run that ended well.
        failed: Whether it is marked as failed; None where nothing is said.
        reason: Why it failed; empty where nothing is said.
        steps: Updates made; None where nothing is said.
        finished: When it ended, ISO 8601 in UTC; empty where nothing is said.
        no_seed: What to know where the seed is not found.
        history: What its log says of how it went, without its scores.
        evaluations: The numbers of its evaluations on the way, by step and name.
    """

    where: str
    metrics: Mapping[str, object]
    parameters: Mapping[str, object] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    recipe: str = ""
    task: str = ""
    model: str = ""
    metric: str = ""
    constant_score: object = None
    unfinished: str = ""
    failed: bool | None = None
    reason: str = ""
    steps: int | None = None
    finished: str = ""
    no_seed: str = ""
    history: History = field(default_factory=History)
    evaluations: Mapping[int, Mapping[str, float | None]] = field(default_factory=dict)


def is_empty(value: object) -> bool:
    """Whether a cell holds nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


def number(value: object) -> float | None:
    """A value as a number, which may be infinite or NaN; None where it is none."""
    if isinstance(value, str):
        text = value.strip()
        return float(text) if _NUMBER.fullmatch(text) else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        return float(value)
    except (OverflowError, ValueError):  # an integer of 400 digits; a signalling NaN
        return None


def whole_number(value: object) -> int | None:
    """A value as a whole number from 0; None where it is none."""
    if isinstance(value, str):
        found = _WHOLE.fullmatch(value.strip())
        return int(found[1]) if found else None
    if isinstance(value, float) and math.isfinite(value) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
