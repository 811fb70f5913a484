"""A page of a subject: the sections in the order in which they are read."""

from __future__ import annotations

from pathlib import Path

from stabbench.records.provenance import provenance
from stabbench.report import numbers
from stabbench.report.page.agreement import agreement_section
from stabbench.report.page.curves import curves_section
from stabbench.report.page.document import Page
from stabbench.report.page.forest import numbers_section, verdict_section
from stabbench.report.page.gradients import gradients_section
from stabbench.report.page.html import write_page
from stabbench.report.page.origin import origin_section
from stabbench.report.page.planning import planning_section
from stabbench.report.page.runs_list import runs_section
from stabbench.report.page.scores import scores_section
from stabbench.report.page.spread import spread_section
from stabbench.report.page.subject import Subject

#: After the verdict, in the order in which they are read. One without any block is left out.
SECTIONS = (
    scores_section,
    curves_section,
    gradients_section,
    agreement_section,
    spread_section,
    planning_section,
    runs_section,
    origin_section,
)


def write_report(subject: Subject, path: Path) -> None:
    """Write the page of a subject: a file that ends in .html, or a folder.

    Raises:
        StabbenchError: matplotlib is not installed, or it cannot be written.
    """
    write_page(page_of(subject), path)


def page_of(subject: Subject) -> Page:
    """The page.

    Raises:
        StabbenchError: matplotlib is not installed.
    """
    judged = subject.rules is not None or subject.judged
    sections = [verdict_section(subject) if judged else numbers_section(subject)]
    sections += [section(subject) for section in SECTIONS]
    kept = [section for section in sections if section.blocks or section.statements]
    return Page(subject.title, [*_facts(subject), *subject.facts], [*subject.lead, *kept])


def _facts(subject: Subject) -> list[str]:
    """What was measured, and where the runs come from."""
    facts = [
        f"{setting.name}: {setting.metric}, best constant predictor {numbers.score(setting.constant_score)}"
        for setting in subject.settings
    ]
    return [*facts, provenance(subject.recipes)] if subject.recipes else facts
