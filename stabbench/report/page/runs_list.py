"""Every run in a table: how it ended, why it failed, and what shows it."""

from __future__ import annotations

from collections import Counter

from stabbench.diagnostics.causes import EXPLANATIONS
from stabbench.diagnostics.diagnose import Diagnosis, count_causes, diagnose
from stabbench.records.run import Outcome, RunRecord
from stabbench.report import numbers
from stabbench.report.diagnosis import UNKNOWN, cause_counts
from stabbench.report.page.document import Block, Section
from stabbench.report.page.subject import Setting, Subject
from stabbench.report.table import Entry, Table

# With more runs on a page failed ones come first, and the rest is counted.
MOST_RUNS = 1000
MOST_LISTED = 200
LEAD = (
    "All that is stored of a run: stabbench show ID --history. An id may be cut to its first digits. Causes are named "
    "from the record alone."
)

#: A recipe's label and one of its runs.
Row = tuple[str, RunRecord]


def runs_section(subject: Subject) -> Section:
    """One row a run; of many only failed ones, and how many others there are."""
    total = sum(len(runs.records) for runs in subject.recipes)
    blocks = [_block(setting, everything=total <= MOST_RUNS) for setting in subject.settings if setting.recipes]
    return Section("runs", "Runs", LEAD, blocks)


def _block(setting: Setting, *, everything: bool) -> Block:
    runs = [(own.label, record) for own in setting.recipes for record in own.records]
    failed = [(label, record) for label, record in runs if record.outcome is not Outcome.OK]
    listed = runs if everything else failed[:MOST_LISTED]
    found = _diagnosed(setting, listed)
    texts, tables = [], []
    if not everything:
        texts.append(
            f"Of {numbers.count(len(runs))} runs {numbers.count(len(listed))} are listed, of "
            f"{numbers.count(len(failed))} that did not end well; --csv of stabbench compare writes them all."
        )
        tables.append(_outcomes(setting, runs))
    texts += [
        f"{label}: {numbers.counted(len(own), 'failed run')}: {cause_counts(own)}"
        for label in dict.fromkeys(label for label, _ in listed)
        if (own := [found[r.id] for at, r in listed if at == label and r.id in found and r.outcome is Outcome.FAILED])
        and any(each.cause is not None for each in own)
    ]
    lacking = sorted({each.lacking for each in found.values() if each.lacking})
    texts += [f"Not looked at, as it was not kept: {what}." for what in lacking]
    if listed:
        tables.append(_table(setting, listed, found))
    return Block(texts=texts, tables=[*tables, *_explanations(list(found.values()))])


def _diagnosed(setting: Setting, listed: list[Row]) -> dict[str, Diagnosis]:
    """What is found of the failed runs of a list, by id."""
    ids = {record.id for _, record in listed if record.outcome is Outcome.FAILED}
    found: dict[str, Diagnosis] = {}
    for runs in setting.recipes:
        asked = [record for record in runs.records if record.id in ids]
        found |= {each.record.id: each for each in (diagnose(runs, asked) if asked else ())}
    return found


def _outcomes(setting: Setting, runs: list[Row]) -> Table:
    counts = Counter((label, record.outcome.value, record.reason) for label, record in runs)
    rows: list[list[Entry]] = [
        [label, outcome, reason or numbers.UNDEFINED, numbers.count(count)]
        for (label, outcome, reason), count in counts.items()
    ]
    return Table(["recipe", "outcome", "why", "runs"], rows, title=setting.name)


def _table(setting: Setting, runs: list[Row], found: dict[str, Diagnosis]) -> Table:
    reasons = {record.reason for _, record in runs if record.reason}
    columns: list[tuple[str, list[Entry]]] = [
        ("recipe", [label for label, _ in runs]),
        ("seed", [str(record.seeds.seed) for _, record in runs]),
        ("outcome", [record.outcome.value for _, record in runs]),
        (setting.metric, [numbers.score(record.score, 4) for _, record in runs]),
        ("final loss", [numbers.score(record.final_loss, 4) for _, record in runs]),
        # What another tool did not say of a run is 0 in its record.
        ("steps", [numbers.count(record.steps or None) for _, record in runs]),
        ("cause", [_cause(found.get(record.id)) for _, record in runs]),
        ("evidence", [found[record.id].evidence if record.id in found else "" for _, record in runs]),
        ("why", [record.reason if len(reasons) > 1 else "" for _, record in runs]),
        ("id", [record.id for _, record in runs]),
    ]
    # What is known of no run has no column.
    known = [(name, own) for name, own in columns if any(str(cell) not in ("", numbers.UNDEFINED) for cell in own)]
    rows = list(zip(*(own for _, own in known), strict=True))
    notes = [f"failed: {reason}" for reason in reasons] if len(reasons) == 1 else []
    return Table([name for name, _ in known], rows, notes, setting.name)


def _cause(found: Diagnosis | None) -> str:
    if found is None:
        return ""
    return UNKNOWN if found.cause is None else found.cause.words


def _explanations(found: list[Diagnosis]) -> list[Table]:
    """What the causes of a list mean, and what to try."""
    causes = [cause for cause, _ in count_causes(found) if cause is not None]
    rows = [[c.words, (e := EXPLANATIONS[c]).meaning, e.advice, e.wrong_when] for c in causes]
    return [Table(["cause", "meaning", "what to try", "wrong if"], rows, title="Causes")] if rows else []
