"""A study as the subject of a page: its own table and picture, and then its runs as on every page."""

from __future__ import annotations

from stabbench.report.page.build import settings_of
from stabbench.report.page.document import Block, Picture, Section
from stabbench.report.page.subject import Subject
from stabbench.report.page.svg import as_svg, drawing
from stabbench.studies.published import compare_published
from stabbench.studies.result import StudyResult


def study_subject(result: StudyResult, *, published: bool, command: str) -> Subject:
    """A page about a study. Nothing is judged: a study says what it compares.

    Args:
        result: The study with its runs.
        published: Whether the paper's numbers stand beside the measured ones.
        command: What makes the page again.
    """
    study = result.study
    source = f" ({study.source})" if study.source else ""
    facts = [f"The source found: {study.finding}"] if study.finding else []
    facts += filter(None, [result.common])
    return Subject(
        title=f"{study.name}: {study.title}{source}",
        settings=settings_of(row.runs for row in result.rows if row.runs.records),
        facts=facts,
        command=command,
        lead=[_own_section(result, published=published)],
    )


def _own_section(result: StudyResult, *, published: bool) -> Section:
    from matplotlib.figure import Figure

    with drawing():
        figure = Figure(layout="constrained")
        result.view.draw(result, figure)
        picture = Picture("", as_svg(figure, "study", result.study.title))
    tables = [result.table, *([compare_published(result)] if published else [])]
    return Section("study", "The study", "", [Block(pictures=[picture], tables=tables)])
