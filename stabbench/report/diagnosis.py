"""Causes of failed runs as text: one line for a recipe, and one for each run with its evidence and advice."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from stabbench.diagnostics.causes import EXPLANATIONS, Cause
from stabbench.diagnostics.diagnose import Diagnosis, count_causes, diagnose_failed
from stabbench.diagnostics.keeping import how_to_keep
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Outcome
from stabbench.records.setting import cell_name
from stabbench.report import numbers
from stabbench.report.wrapping import wrapped
from stabbench.runner.resources import DEFAULT_STORE

UNKNOWN = "of unknown cause"


def cause_counts(found: Sequence[Diagnosis]) -> str:
    """``5 vanishing gradients, 1 plateau``."""
    return ", ".join(f"{count} {UNKNOWN if cause is None else cause.words}" for cause, count in count_causes(found))


def failures_line(runs: RecipeRuns) -> str:
    """``6 of 10 failed: 5 vanishing gradients, 1 plateau``; empty where none failed, or nothing is kept of them."""
    found = diagnose_failed(runs)
    if all(each.cause is None for each in found):
        return ""
    first = f"of the first {len(found):,} " if len(found) < runs.failed else ""
    return f"{runs.failed:,} of {len(runs.records):,} failed: {first}{cause_counts(found)}"


def failures_lines(recipes: Iterable[RecipeRuns]) -> list[str]:
    """:func:`failures_line` of each recipe that has one, with the command that shows more."""
    found = [(runs, line) for runs in recipes if (line := failures_line(runs))]
    return [f"{runs.label}: {line} ({diagnose_command(runs)})" for runs, line in found]


def diagnose_command(runs: RecipeRuns) -> str:
    """The command that shows the evidence of each run."""
    if runs.source:
        return "stabbench diagnose --from …"
    store = "" if runs.store in (None, DEFAULT_STORE) else f" --store {shlex.quote(str(runs.store))}"
    return f"stabbench diagnose {shlex.quote(runs.label)}{store}"


def diagnosis_text(runs: RecipeRuns, found: Sequence[Diagnosis]) -> str:
    """The runs of a recipe one by one, and what each cause means."""
    shown = [each for each in found if each.evidence]
    failed = [each for each in found if each.record.outcome is Outcome.FAILED]
    parts = [wrapped(_head(runs, failed), "", "  "), ""]
    for each in shown:
        cause = "unknown" if each.cause is None else each.cause.value
        where = f"seed {each.record.seeds.seed} ({each.record.id})"
        parts += [wrapped(f"{where} {cause}: {each.evidence}", "", "  ")]
    causes = [cause for cause, _ in count_causes(shown) if cause is not None]
    parts += [line for cause in causes for line in ("", *explanation_lines(cause))]
    lacking = {each.lacking for each in found if each.lacking}
    parts += [
        line
        for what in sorted(lacking)
        for line in ("", wrapped(f"not looked at, as it was not kept: {what}; {how_to_keep(runs)}", "note: ", "  "))
    ]
    return "\n".join(parts).rstrip()


def explanation_lines(cause: Cause) -> list[str]:
    """What a cause means, what to try, and when it is wrong."""
    e = EXPLANATIONS[cause]
    return [
        wrapped(f"{cause.words}: {e.meaning}", "", "  "),
        wrapped(f"try: {e.advice}", "  ", "    "),
        wrapped(f"wrong if: {e.wrong_when}", "  ", "    "),
    ]


def _head(runs: RecipeRuns, failed: Sequence[Diagnosis]) -> str:
    first = runs.records[0]
    where = cell_name(runs.label, first.task, first.model)
    count = numbers.counted(len(runs.records), "run")
    if not runs.failed:
        return f"{where}: none of {count} failed"
    # Not where single runs were asked about.
    counts = f": {cause_counts(failed)}" if len(failed) == runs.failed else ""
    return f"{where}: {runs.failed} of {count} failed{counts}"
