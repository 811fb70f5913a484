"""How numbers are written, in tables and in sentences: each kind of number in one way."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: In the place of a number that is not defined.
UNDEFINED = "-"
GIB = 2**30


@dataclass(frozen=True)
class Number:
    """A number and how it is written.

    Attributes:
        value: The number itself, to sort by; None where it is not defined.
        text: How it is shown.
    """

    value: float | None
    text: str

    def __str__(self) -> str:
        return self.text


def count(value: float | None) -> Number:
    """``1,260``."""
    return _number(value, "{:,}")


def score(value: float | None, digits: int = 3) -> Number:
    """``0.804``, for scores, their means and standard deviations, losses, rates and correlations."""
    return _number(value, f"{{:.{digits}f}}")


def mean_and_std(mean: float | None, std: float | None) -> Number:
    """``0.804 ± 0.011``; its value is the mean."""
    return Number(score(mean).value, f"{score(mean)} ± {score(std)}")


def interval(low: float | None, high: float | None) -> Number:
    """``0.790 to 0.820``; its value is the lower bound."""
    return Number(score(low).value, f"{score(low)} to {score(high)}")


def failed_of(failed: int, runs: int) -> Number:
    """``3/25``; its value is the rate."""
    return Number(failed / runs if runs else None, f"{failed}/{runs}")


def p_value(p: float | None) -> Number:
    """``.0123``, or ``<.0001``."""
    return Number(p, "<.0001") if p is not None and p < 1e-4 else _number(p, "{:.4f}", leading_zero=False)


def p_equation(p: float | None) -> str:
    """``p = .0123``, or ``p < .0001``."""
    shown = str(p_value(p))
    return f"p < {shown[1:]}" if shown.startswith("<") else f"p = {shown}"


def change(value: float | None, digits: int) -> Number:
    """``+0.20`` or ``-0.0123``."""
    return _number(value, f"{{:+.{digits}f}}")


def ratio(value: float | None) -> Number:
    """``1.50×``."""
    return _number(value, "{:.2f}×")


def percent(value: float | None) -> Number:
    """``80.4`` for .804, as the papers' tables have it."""
    return _number(None if value is None else 100 * value, "{:.1f}")


def gib(size: int | None, digits: int = 2) -> Number:
    """``1.25`` for a number of bytes in GiB."""
    return _number(None if size is None else size / GIB, f"{{:.{digits}f}}")


def milliseconds(seconds: float | None) -> Number:
    """``12.3`` for a time in seconds."""
    return _number(None if seconds is None else seconds * 1e3, "{:.1f}")


def duration(seconds: float) -> str:
    """``45 seconds``, ``12 minutes`` or ``3.4 hours``."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def steps_cut(steps: int, whole_steps: int) -> Number:
    """``20 of 1,260 by --max-steps``, or ``1,260`` where nothing is cut off."""
    return Number(steps, f"{steps:,} of {whole_steps:,} by --max-steps" if steps < whole_steps else f"{steps:,}")


def counted(value: int, word: str) -> Number:
    """``1 worker`` or ``1,260 workers``."""
    return Number(value, f"{value:,} {word}" if value == 1 else f"{value:,} {word}s")


def _number(value: float | None, form: str, *, leading_zero: bool = True) -> Number:
    if value is None or math.isnan(value):
        return Number(None, UNDEFINED)
    if math.isinf(value):
        return Number(value, "∞" if value > 0 else "-∞")
    text = form.format(value)
    return Number(value, text if leading_zero else text.replace("0.", ".", 1))
