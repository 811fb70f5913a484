"""Prose for a terminal: lines of at most 80 columns."""

from __future__ import annotations

import textwrap

from stabbench.escape import one_line

#: Columns of a terminal.
WIDTH = 80


def wrapped(text: str, first: str = "", further: str = "", width: int = WIDTH) -> str:
    """``text`` in lines of at most ``width`` columns. A long word stays whole.

    Args:
        text: Is made one line before it is wrapped.
        first: Stands before the first line.
        further: Stands before each further line.
        width: The number of columns.
    """
    return textwrap.fill(
        one_line(text),
        width,
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def indented(text: str) -> str:
    """Two spaces before every line."""
    return textwrap.indent(text, "  ")
