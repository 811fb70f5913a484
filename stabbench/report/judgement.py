"""A judgement in words and as a table: why it passed or failed, what it could have detected, its three checks."""

from __future__ import annotations

import math
from collections.abc import Mapping

from stabbench import statistics
from stabbench.gate.checks import Check
from stabbench.gate.judge import Judgement
from stabbench.gate.rules import Rules, Verdict
from stabbench.report import numbers
from stabbench.report.numbers import Number
from stabbench.report.table import Entry, Table
from stabbench.report.wrapping import wrapped


def reason(judgement: Judgement) -> str:
    """Why the verdict is what it is, in one sentence."""
    if judgement.verdict is Verdict.FAIL:
        return "; ".join([*_limits(judgement), *(_harm(judgement, check, p) for check, p in judgement.harms)])
    if judgement.lacks_std:
        return "a standard deviation needs two runs with a score"
    if judgement.verdict is Verdict.PASS:
        # Two recipes were trained with the same seeds: then the first is the reference, and no baseline.
        to = "" if judgement.pair.same_seeds else " to the baseline"
        return f"non-inferior{to}: {', '.join(map(_bound, judgement.checks))}"
    open_checks = "; ".join(_bound(check) for check in judgement.checks if not check.non_inferior)
    runs = numbers.counted(judgement.pair.candidate.planned, "run")
    return f"too few runs to show harm or non-inferiority ({runs}): {open_checks}"


def note(check: Check) -> str:
    """What is special about a check; empty where nothing is."""
    if check.small_deviation is None:
        return check.note
    most = numbers.score(check.small_deviation, 4)
    return f"at most {most} from the median on average: too little to matter"


def detectable(judgement: Judgement) -> str:
    """The smallest effects that this number of seeds detects."""
    base, effects = judgement.pair.baseline, judgement.detectable
    rate, ratio, drop = effects["failed runs"], effects["spread"], effects["mean"]
    reference = base.failures / base.planned if base.planned else 0.0
    found = [
        *([] if rate is None else [f"failed runs {numbers.change(max(0.0, rate - reference), 2)}"]),
        *([] if ratio is None else [f"spread {ratio:.1f} times"]),
        *([] if drop is None else [f"mean {numbers.change(drop, 3)}"]),
    ]
    never = [name for name, effect in effects.items() if effect is None]
    if never:
        found.append(f"no change of {' or '.join(never)} would be detected")
    seeds = numbers.counted(judgement.pair.candidate.planned, "seed")
    return f"smallest detectable effect (power .8): {', '.join(found)} ({seeds}, family of {judgement.family} tests)"


def seeds_needed(judgement: Judgement) -> str:
    """How many more seeds would decide."""
    more = judgement.more_seeds
    if more is None:
        remedy = (
            "wider margins would" if judgement.pair.same_seeds else "a baseline of more runs might, wider margins would"
        )
        return f"no number of seeds up to 200 would decide, if they are like these; {remedy}"
    runs = judgement.pair.candidate.planned + more
    return f"about {more} more seeds would decide, if they are like these: plan {runs} from the start next time"


def checks_table(judgement: Judgement, title: str = "") -> Table:
    """The three checks: effect, p-value, bound and margin."""
    rows: list[list[Entry]] = [
        [
            check.name,
            effect_text(check),
            numbers.p_value(p),
            _value(check, check.bound),
            _value(check, check.margin),
            "yes" if check.non_inferior else "no",
        ]
        for check, p in zip(judgement.checks, judgement.adjusted, strict=True)
    ]
    methods = ", ".join(f"{check.name} {check.test.method}" for check in judgement.checks)
    legend = (
        f"p worse: one-sided, that the candidate is worse, after Holm's correction ({methods}). "
        "bound: the effect is shown to be no worse than this; non-inferior: the bound is within the margin."
    )
    columns = ["check", "effect [95%]", "p worse", "bound", "margin", "non-inferior"]
    return Table(columns, rows, [legend], title)


def verdicts_text(judged: Mapping[str, Judgement], reference: str) -> str:
    """The verdicts of ``compare --check``."""
    parts = []
    for label, judgement in judged.items():
        parts += [wrapped(f"{label} against {reference}: {reason(judgement)}", f"{judgement.verdict} ", "    ")]
        parts += [remark(detectable(judgement))]
        if judgement.verdict is Verdict.INCONCLUSIVE:
            parts += [remark(seeds_needed(judgement))]
        parts += ["", checks_table(judgement).text(), ""]
    rules, family = next((j.rules, j.family) for j in judged.values())
    return "\n".join([*parts, wrapped(rules_line(rules, family))])


def remark(text: str) -> str:
    """A remark on a verdict, indented under it."""
    return wrapped(text, "  ", "    ")


def rules_line(rules: Rules, family: int) -> str:
    """The rules that the verdicts follow."""
    r = rules
    limits = []
    if r.max_std is not None:
        limits.append(f", or a standard deviation over {r.max_std:g}")
    if r.max_failed is not None:
        limits.append(f", or more than {r.max_failed} failed runs")
    return (
        f"alpha {r.alpha:g} for {family} tests. FAIL on a significant rise of the rate of failed runs by "
        f"{r.rate_floor:g}, rise of the standard deviation to {r.spread_floor:g} times and by {r.std_floor:g}, "
        f"or fall of the mean by {r.mean_floor:g}{''.join(limits)}. "
        "PASS if the bounds are within the margins: "
        f"{r.rate_margin:+g}, {r.spread_margin:g} times, {-r.mean_margin:+g}."
    )


def _limits(judgement: Judgement) -> list[str]:
    candidate, rules = judgement.pair.candidate, judgement.rules
    said = {
        "max_failed": f"{candidate.failures} of {candidate.planned} runs failed, the limit is {rules.max_failed}",
        "max_std": f"the standard deviation is {numbers.score(judgement.std, 4)}, the limit is {_given(rules.max_std)}",
    }
    return [said[limit] for limit in judgement.broken_limits]


def _given(value: float | None) -> str:
    return numbers.UNDEFINED if value is None else f"{value:g}"


def _harm(judgement: Judgement, check: Check, p: float) -> str:
    new, old = statistics.summarise(judgement.pair.candidate), statistics.summarise(judgement.pair.baseline)
    changed = {
        "failed runs": f"{new.failed} of {new.planned} runs failed, {old.failed} of {old.planned} of the baseline's",
        "spread": f"the standard deviation rose from {numbers.score(old.std, 4)} to {numbers.score(new.std, 4)}",
        "mean": f"the mean fell from {numbers.score(old.mean, 4)} to {numbers.score(new.mean, 4)}",
    }
    return f"{changed[check.name]} ({numbers.p_equation(p)} after Holm, family of {judgement.family})"


def _bound(check: Check) -> str:
    margin = f"margin {check.margin:g}" if check.name == "spread" else f"margin {_value(check, check.margin)}"
    if check.bound is None:
        return f"{check.name} cannot be judged ({note(check) or 'too few runs'})"
    if math.isinf(check.bound):
        return f"{check.name} without a bound ({margin})"
    if check.name == "spread":
        return f"spread {check.bound:.2f} times at most ({margin})"
    return f"{check.name} {_value(check, check.bound)} at {'least' if check.name == 'mean' else 'most'} ({margin})"


def effect_text(check: Check) -> Number:
    """An effect with its 95% bounds, in its unit: ``+0.20 [-0.03, +0.41]``."""
    effect = check.effect
    low, high = _value(check, effect.low), _value(check, effect.high)
    return Number(effect.estimate, f"{_value(check, effect.estimate)} [{low}, {high}]")


def _value(check: Check, value: float | None) -> Number:
    """In the unit of a check's effect."""
    if check.name == "spread":
        return numbers.ratio(value)
    return numbers.change(value, 2 if check.name == "failed runs" else 4)
