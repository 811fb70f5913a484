"""What the spread is made of: the models themselves, and the finite evaluation set."""

from __future__ import annotations

import dataclasses

from stabbench.diagnostics.spread import Spread, spread_of
from stabbench.errors import StabbenchError
from stabbench.report.page.document import Block, Section
from stabbench.report.page.subject import Column, Setting, Subject
from stabbench.report.spread import agreement_table, parts_table

# Of more recipes and runs the first ones are enough.
MOST_COLUMNS, MOST_RUNS = 24, 300
LEAD = (
    "Two runs differ in accuracy because they are different models, and because the evaluation set is a sample. The "
    "first part is the recipe's; the second one shrinks with more examples, and no number of seeds changes it. Where "
    "runs fail, most of the spread is that between failed and successful ones."
)


def spread_section(subject: Subject) -> Section:
    """For each setting whose runs kept predictions two tables."""
    blocks = [block for setting, heading in subject.headed_settings if (block := _block(setting, heading)) is not None]
    return Section("spread", "What the spread is made of", LEAD, blocks)


def _block(setting: Setting, heading: str) -> Block | None:
    kept = [column for column in setting.columns if _has_predictions(column)][:MOST_COLUMNS]
    texts = []
    found: list[Spread] = []
    for column in kept:
        assert column.runs is not None
        runs = dataclasses.replace(column.runs, records=column.records[:MOST_RUNS])
        if len(runs.records) < len(column.records):
            texts.append(f"{column.label}: of the first {MOST_RUNS} runs.")
        try:
            found.append(spread_of(runs))
        except StabbenchError as error:
            texts.append(f"{column.label}: {error.message}.")
    if not found and not texts:
        return None
    return Block(heading, texts, tables=[parts_table(found), agreement_table(found)] if found else [])


def _has_predictions(column: Column) -> bool:
    return column.traces is not None and any(trace.right is not None for trace in column.traces.runs)
