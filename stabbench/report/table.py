"""The table: what every result is shown as. Written as text for a terminal or as Markdown, whatever its cells hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tabulate import tabulate

from stabbench.escape import markdown, one_line
from stabbench.report.numbers import Number
from stabbench.report.wrapping import WIDTH, wrapped

Style = Literal["simple", "github"]
Entry = str | Number


@dataclass(frozen=True)
class Table:
    """A table with its title and notes.

    Attributes:
        columns: The headings.
        rows: Cells, one for each of ``columns``: a text, or a number with the way it is written.
        notes: What must be known to read it.
        title: What it is about.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Entry]]
    notes: Sequence[str] = ()
    title: str = ""

    @property
    def texts(self) -> list[list[str]]:
        """The rows as they are written."""
        return [[str(cell) for cell in row] for row in self.rows]

    def text(self, style: Style = "simple", *, width: int = WIDTH) -> str:
        """Title, rows and notes; each cell is one line, shown as it is.

        Args:
            style: ``"simple"`` for a terminal, ``"github"`` for a page of Markdown.
            width: The columns of a terminal, to which the notes are wrapped.
        """
        page = style == "github"
        escape = markdown if page else one_line
        title = escape(self.title)
        cells = [[escape(text) for text in row] for row in self.texts]
        headings = [escape(column) for column in self.columns]
        notes = [markdown(note) if page else wrapped(note, width=width) for note in self.notes]
        parts = [
            f"**{title}**" if page and title else title,
            (_page(headings, cells) if page else _terminal(headings, cells)) if cells else "",
            "\n".join(notes),
        ]
        return "\n\n".join(filter(None, parts))


def _page(headings: list[str], cells: list[list[str]]) -> str:
    return tabulate(cells, headings, tablefmt="github", disable_numparse=True)


def _terminal(headings: list[str], cells: list[list[str]]) -> str:
    """With headings as a row of their own: tabulate gives others two columns more than they need."""
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    return tabulate([headings, ["-" * width for width in widths], *cells], tablefmt="plain", disable_numparse=True)
