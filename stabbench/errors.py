"""Errors that a user can act on: what failed, why, and what to try."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence

from stabbench.escape import one_line

# Characters of a user's own text that a message repeats.
EXCERPT = 100
# Whatever longer word there is in a message is cut to that.
LONGEST_WORD = 400


class StabbenchError(Exception):
    """Bad input or a bad environment. The command line prints it without a traceback and exits with code 3.

    Args:
        message: What failed, and why.
        hint: What to do about it; empty where the message says it all.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        # It may repeat what a file or another library says, on as many lines as that likes.
        self.message = shortened(one_line(message))
        self.hint = shortened(one_line(hint))

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class RecipeError(StabbenchError):
    """An unknown recipe, an unknown parameter, or a parameter out of range."""


class TaskError(StabbenchError):
    """A task that is unknown, cannot be reached, or whose data cannot be read."""


class ModelError(StabbenchError):
    """A model that is unknown, cannot be reached, or does not fit the task or the recipe."""


class StudyError(StabbenchError):
    """A study that is unknown, cannot be read, or contradicts itself."""


class StoreError(StabbenchError):
    """A run store that cannot be opened, read or written."""


def how_to_install(package: str, extra: str) -> str:
    """The advice where an optional package is not there; stabbench itself is on no package index."""
    return f'pip install {package}, or ".[{extra}]" in a checkout of stabbench'


def excerpt(value: object) -> str:
    """A value in a message, cut where it is long: a file of one line must not be printed whole."""
    if isinstance(value, int) and value.bit_length() > 200:  # Python itself refuses to print one of 5,000 digits
        return f"a number of some {round(value.bit_length() * math.log10(2)):,} digits"
    try:
        text = repr(value)
    except Exception:  # a user's class may raise anything; so does a list that holds such a number
        text = f"a {type(value).__name__}"
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}… ({len(text):,} characters)"


def shortened(text: str) -> str:
    """A message in which no word is longer than any sensible path: a number of thousands of digits is cut."""
    return re.sub(
        rf"\S{{{LONGEST_WORD},}}", lambda found: f"{found[0][:EXCERPT]}… ({len(found[0]):,} characters)", text
    )


def listed(names: Sequence[str], most: int) -> str:
    """``a, b and 3 more``: the first names of a list that may be long."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """``unknown recipe 'mosbahc': did you mean 'mosbach'?``, or the whole list where nothing is near."""
    names = sorted(known)
    if len(name) > EXCERPT:  # comparing takes time, too
        return f"unknown {kind} {excerpt(name)}: known: {', '.join(names)}"
    # `rte` is near to `glue/rte`, and `devlin` to `devlin:lr=3e-5`, whatever their length.
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6) or [
        n for n in names if n.endswith(f"/{name}") or n.startswith(f"{name}:")
    ]
    advice = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
    return f"unknown {kind} {name!r}: {advice}"


def check_count(name: str, value: object, most: int) -> None:
    """A number of things is a whole number from 1 to ``most``, or None where it is left open.

    Raises:
        StabbenchError: It is not.
    """
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise StabbenchError(f"{name} must be a whole number of at least 1, got {excerpt(value)}")
    if value > most:
        raise StabbenchError(f"{name} is {most:,} at most, got {excerpt(value)}")
