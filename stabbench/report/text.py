"""Verdicts as text for people, and as Markdown for a step summary."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tabulate import tabulate

from stabbench import statistics
from stabbench.gate import CellResult, GateResult
from stabbench.verdict import Check, Judgement, Rules, Verdict


def as_text(result: GateResult) -> str:
    """Tables and a sentence for each cell."""
    parts = [tabulate(_summary(result), _SUMMARY_COLUMNS, disable_numparse=True), ""]
    for cell in result.cells:
        parts += [f"{cell.verdict:<12} {cell.baseline.name}: {cell.reason}", *(f"  {n}" for n in _remarks(cell))]
        if cell.judgement is not None and cell.verdict is not Verdict.PASS:
            parts += ["", _indent(_checks_table(cell.judgement)), ""]
    end = [_rules_line(result.rules, _family(result)), f"verdict: {result.verdict}"]
    return "\n".join(parts).rstrip() + "\n\n" + "\n".join(end)


def checked_text(judged: Mapping[str, Judgement], reference: str) -> str:
    """The verdicts of `compare --check`."""
    parts = []
    for label, judgement in judged.items():
        parts += [f"{judgement.verdict} {label} against {reference}: {judgement.reason}"]
        parts += [f"  could have found: {_found_at(judgement)}"]
        if judgement.verdict is Verdict.INCONCLUSIVE:
            parts += [f"  {_seeds_needed(judgement)}"]
        parts += [_indent(_checks_table(judgement)), ""]
    rules, family = next((j.rules, j.family) for j in judged.values())
    return "\n".join([*parts, _rules_line(rules, family)])


def as_markdown(result: GateResult) -> str:
    """For a step summary: a table, and everything else folded up."""
    mark = {"PASS": "✅", "FAIL": "❌", "INCONCLUSIVE": "❔"}.get(result.verdict, "⚠️")
    parts = [f"## {mark} Fine-tuning stability: {result.verdict}", ""]
    parts += [tabulate(_summary(result), _SUMMARY_COLUMNS, tablefmt="github", disable_numparse=True), ""]
    for cell in result.cells:
        parts += [f"- **{cell.verdict}** {cell.baseline.name}: {cell.reason}"]
        parts += [f"  - {remark}" for remark in _remarks(cell)]
    parts += ["", "<details><summary>Every check</summary>", ""]
    for cell in result.cells:
        if cell.judgement is not None:
            parts += [f"{cell.baseline.name}:", "", _checks_table(cell.judgement, "github"), ""]
    return "\n".join([*parts, "</details>", "", _rules_line(result.rules, _family(result)), ""])


_SUMMARY_COLUMNS = [
    *("recipe", "task", "model", "verdict", "seeds", "failed", "mean ± std"),
    *("baseline: failed", "mean ± std", "recorded"),
]


def _summary(result: GateResult) -> list[list[str]]:
    rows = []
    for cell in result.cells:
        sample, b = cell.runs.sample if cell.runs else None, cell.baseline
        new = (
            [f"{sample.planned}", f"{sample.failures}", statistics.summarise(sample).mean_and_std]
            if sample
            else ["0", "-", "-"]
        )
        old = [f"{b.sample.failures}/{b.sample.planned}", statistics.summarise(b.sample).mean_and_std, b.recorded]
        rows.append([b.recipe, b.task, b.model, str(cell.verdict), *new, *old])
    return rows


def _remarks(cell: CellResult) -> list[str]:
    found = cell.differences
    remarks = [f"recipe changed: {change}" for change in found.recipe]
    remarks += [f"environment: {change}" for change in found.environment]
    if cell.judgement is not None:
        remarks += [f"{check.name}: {check.note}" for check in cell.judgement.checks if check.note]
    if cell.judgement is not None:
        remarks.append(f"could have found: {_found_at(cell.judgement)}")
        if cell.verdict is Verdict.INCONCLUSIVE:
            remarks.append(_seeds_needed(cell.judgement))
    if cell.saved:
        remarks.append(f"decided early: {cell.saved} runs saved")
    return remarks + list(cell.notes)


def _seeds_needed(judgement: Judgement) -> str:
    """How many more seeds would decide, in words."""
    more = judgement.more_seeds
    if more is None:
        remedy = (
            "wider margins would" if judgement.pair.same_seeds else "a baseline of more runs might, wider margins would"
        )
        return f"no number of seeds up to 200 would decide, if they are like these; {remedy}"
    runs = judgement.pair.candidate.planned + more
    return f"about {more} more seeds would decide, if they are like these: plan {runs} from the start next time"


def _found_at(judgement: Judgement) -> str:
    """The smallest effects that so many seeds show, in words."""
    effects = judgement.detectable
    rate, ratio, drop = effects["failed runs"], effects["spread"], effects["mean"]
    base = judgement.pair.baseline
    reference = base.failures / base.planned if base.planned else 0.0
    found = [
        "no rise of the failed runs" if rate is None else f"failed runs {max(0.0, rate - reference):+.2f}",
        "no wider spread" if ratio is None else f"spread {ratio:.1f} times",
        "no lower mean" if drop is None else f"mean {drop:+.3f}",
    ]
    return (
        f"{', '.join(found)} (power .8, {judgement.pair.candidate.planned} seeds, family of {judgement.family} tests)"
    )


def _checks_table(judgement: Judgement, style: str = "simple") -> str:
    """The three checks of a cell: effect, p-value, bound, margin."""
    rows = [
        [
            check.name,
            _effect(check),
            "-" if p is None else f"{p:.4f}" if p >= 1e-4 else "<.0001",
            _number(check, check.bound),
            _number(check, check.margin),
            "yes" if check.holds else "no",
            check.test.method,
        ]
        for check, p in zip(judgement.checks, judgement.adjusted, strict=True)
    ]
    columns = ["check", "effect [95%]", "worse, p (Holm)", "at worst", "margin", "no worse", "test"]
    return tabulate(rows, columns, tablefmt=style, disable_numparse=True)


def _indent(text: str) -> str:
    """Two spaces before every line."""
    return "\n".join(f"  {line}" for line in text.splitlines())


def _effect(check: Check) -> str:
    effect = check.effect
    return f"{_number(check, effect.estimate)} [{_number(check, effect.low)}, {_number(check, effect.high)}]"


def _number(check: Check, value: float | None) -> str:
    if value is None:
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return {"failed runs": f"{value:+.2f}", "spread": f"{value:.2f}×"}.get(check.name, f"{value:+.4f}")


def _family(result: GateResult) -> int:
    return max((c.judgement.family for c in result.cells if c.judgement is not None), default=0)


def _rules_line(r: Rules, family: int) -> str:
    return (
        f"alpha {r.alpha:g} for {family} tests. Fails on a significant rise of the failed runs by {r.rate_floor:g}, "
        f"of the standard deviation by {r.spread_floor:g} times, or loss of mean by {r.mean_floor:g}{_limits(r)}. "
        f"Passes if at worst {r.rate_margin:+g}, {r.spread_margin:g} times, {-r.mean_margin:+g}."
    )


def _limits(rules: Rules) -> str:
    limits = []
    if rules.max_std is not None:
        limits.append(f"a standard deviation over {rules.max_std:g}")
    if rules.max_failed is not None:
        limits.append(f"more than {rules.max_failed} failed runs")
    return "".join(f", or {limit}" for limit in limits)
