"""What a page holds: sections of texts, pictures and tables. No HTML, but for finished pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from stabbench.report.table import Table


@dataclass(frozen=True)
class Mark:
    """One entry of a legend.

    Attributes:
        shape: ``dot``, ``ring``, ``cross``, ``line``, ``dashed`` or ``area``: a symbol of the template.
        colour: The name of a colour (:mod:`stabbench.report.page.colours`).
        text: What it stands for.
    """

    shape: str
    colour: str
    text: str


@dataclass(frozen=True)
class Picture:
    """One picture, small enough for a phone.

    Attributes:
        title: What stands above it.
        svg: The picture itself, whose texts are escaped.
    """

    title: str
    svg: Markup


@dataclass(frozen=True)
class Block:
    """A part of a section.

    Attributes:
        heading: Empty where the section's own is enough.
        texts: Paragraphs.
        legend: What the marks of the pictures stand for.
        pictures: Side by side, as many as fit.
        tables: Below one another.
    """

    heading: str = ""
    texts: Sequence[str] = ()
    legend: Sequence[Mark] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True)
class Statement:
    """A verdict in a sentence.

    Attributes:
        verdict: ``PASS``, ``FAIL`` and so on.
        text: What it is about, and why.
        remarks: What else there is to know.
    """

    verdict: str
    text: str
    remarks: Sequence[str] = ()


@dataclass(frozen=True)
class Section:
    """One question and its answer.

    Attributes:
        name: Its anchor.
        title: Its heading.
        lead: How to read it.
        blocks: Its content.
        statements: Verdicts, before everything else.
    """

    name: str
    title: str
    lead: str
    blocks: Sequence[Block]
    statements: Sequence[Statement] = ()


@dataclass(frozen=True)
class Page:
    """A whole page.

    Attributes:
        title: What it is about.
        facts: One line each, below the title.
        sections: In the order in which they are read.
    """

    title: str
    facts: Sequence[str]
    sections: Sequence[Section]
