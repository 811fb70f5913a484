"""Errors that a user can act on: what failed, why, and what to try."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class StabbenchError(Exception):
    """Bad input or a bad environment. The command line prints it without a traceback and exits with code 3.

    Args:
        message: What failed, and why.
        hint: What to do about it; empty where the message says it all.
    """

    exit_code = 3

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

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


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """``unknown recipe 'mosbahc': did you mean 'mosbach'?``, or the whole list where nothing is near."""
    names = sorted(known)
    # `rte` is near to `glue/rte`, and `devlin` to `devlin:lr=3e-5`, whatever their length.
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6) or [
        n for n in names if n.endswith(f"/{name}") or n.startswith(f"{name}:")
    ]
    advice = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
    return f"unknown {kind} {name!r}: {advice}"
