"""A gate's result as text for a terminal, and as Markdown for the summary of a CI step."""

from __future__ import annotations

from stabbench import statistics
from stabbench.escape import markdown, one_line
from stabbench.gate.gate import CellResult, GateResult
from stabbench.gate.rules import Verdict
from stabbench.records.provenance import cut_short, provenance
from stabbench.records.setting import model_name, setting_name
from stabbench.report import judgement as words
from stabbench.report import numbers
from stabbench.report.diagnosis import diagnose_command, failures_line
from stabbench.report.table import Entry, Table
from stabbench.report.wrapping import wrapped
from stabbench.statistics import Sample

MARKS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "❔"}


def gate_text(result: GateResult) -> str:
    """Tables and a sentence for each cell, in 80 columns."""
    parts = [*map(one_line, _head(result)), ""]
    for table in stacked_tables(result):
        parts += [table.text(), ""]
    for cell in result.cells:
        start = f"{cell.verdict:<12} "
        parts += [wrapped(f"{cell.baseline.name}: {cell_reason(cell)}", start, " " * len(start))]
        parts += [words.remark(remark) for remark in remarks(cell)]
        if cell.judgement is not None and cell.verdict is not Verdict.PASS:
            parts += ["", words.checks_table(cell.judgement).text(), ""]
    end = [wrapped(words.rules_line(result.rules, _family(result))), f"verdict: {result.verdict}"]
    return "\n".join(parts).rstrip() + "\n\n" + "\n".join(end)


def gate_markdown(result: GateResult) -> str:
    """A table and the reasons, with every check folded up."""
    mark = MARKS.get(result.verdict, "⚠️")
    parts = [f"## {mark} Fine-tuning stability: {result.verdict}", "", *map(markdown, _head(result)), ""]
    parts += [summary_table(result).text("github"), ""]
    for cell in result.cells:
        parts += [f"- **{cell.verdict}** {markdown(f'{cell.baseline.name}: {cell_reason(cell)}')}"]
        parts += [f"  - {markdown(remark)}" for remark in remarks(cell)]
    parts += ["", "<details><summary>Every check</summary>", ""]
    for cell in result.cells:
        if cell.judgement is not None:
            parts += [words.checks_table(cell.judgement, cell.baseline.name).text("github"), ""]
    return "\n".join([*parts, "</details>", "", words.rules_line(result.rules, _family(result)), ""])


def summary_table(result: GateResult) -> Table:
    """One row a cell: its verdict, and both sets of runs side by side."""
    rows: list[list[Entry]] = []
    for cell in result.cells:
        b = cell.baseline
        now, before = _runs(cell.runs.sample if cell.runs else None), _runs(b.sample)
        rows.append([b.recipe, b.task, model_name(b.task, b.model), str(cell.verdict), *now, *before, b.recorded])
    runs = ["runs", "failed", "mean ± std"]
    both = [f"{heading} {when}" for when in ("(now)", "(baseline)") for heading in runs]
    return Table(["recipe", "task", "model", "verdict", *both, "recorded"], rows)


def stacked_tables(result: GateResult) -> list[Table]:
    """For each task and model a table with a recipe's new runs above its baseline's, which fits 80 columns."""
    rows: dict[str, list[list[Entry]]] = {}
    for cell in result.cells:
        b = cell.baseline
        rows.setdefault(setting_name(b.task, b.model), []).extend(
            [
                [b.recipe, "now", *_runs(cell.runs.sample if cell.runs else None), str(cell.verdict)],
                ["", "baseline", *_runs(b.sample), f"of {b.recorded}"],
            ]
        )
    columns = ["recipe", "when", "runs", "failed", "mean ± std", "verdict"]
    return [Table(columns, both, title=where) for where, both in rows.items()]


def cell_reason(cell: CellResult) -> str:
    """Why a cell has its verdict, in one sentence."""
    if cell.differences.refused:
        return f"not comparable with the baseline: {'; '.join(cell.differences.refused)}"
    return cell.error if cell.judgement is None else words.reason(cell.judgement)


def remarks(cell: CellResult) -> list[str]:
    """What else there is to know about a cell."""
    judgement = cell.judgement
    found = [f"recipe changed: {change}" for change in cell.differences.recipe]
    found += [f"environment: {change}" for change in cell.differences.environment]
    if judgement is not None:
        found += [f"{check.name}: {words.note(check)}" for check in judgement.checks if words.note(check)]
        found.append(words.detectable(judgement))
        if cell.verdict is Verdict.INCONCLUSIVE:
            found.append(words.seeds_needed(judgement))
    if cell.runs is not None and (causes := failures_line(cell.runs)):
        found.append(f"{causes} ({diagnose_command(cell.runs)})")
    if cell.saved:
        found.append(f"decided early: {numbers.counted(cell.saved, 'run')} saved")
    return [*found, *notes(cell)]


def notes(cell: CellResult) -> list[str]:
    """What to bear in mind about a cell's runs and its baseline."""
    found = []
    if cell.reused_seeds:
        found.append(f"{cell.reused_seeds} of its seeds are the baseline's own: the two samples are not independent")
    if cell.judgement is not None and cell.judgement.stale:
        found.append("clearly better than its baseline, which is stale: tighten it with `stabbench baseline update`")
    return found


def _head(result: GateResult) -> list[str]:
    """How many runs come from the store, and which were cut short."""
    cuts = [
        f"{cell.baseline.name}: {cut_short([cell.runs])}" for cell in result.cells if cell.runs and cell.runs.cut_to
    ]
    return [provenance([cell.runs for cell in result.cells if cell.runs]), *cuts]


def _runs(sample: Sample | None) -> list[Entry]:
    """Number, failed runs, mean and standard deviation."""
    if sample is None:
        return [numbers.UNDEFINED] * 3
    s = statistics.summarise(sample)
    return [numbers.count(s.planned), numbers.count(s.failed), numbers.mean_and_std(s.mean, s.std)]


def _family(result: GateResult) -> int:
    return max((cell.judgement.family for cell in result.cells if cell.judgement is not None), default=0)
