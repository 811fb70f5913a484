"""Verdicts as plain JSON types, for programs. A number that is not defined, or an open bound, is None."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from stabbench import statistics
from stabbench.diagnostics.diagnose import failures_json
from stabbench.gate.gate import CellResult, GateResult
from stabbench.gate.judge import Judgement, Pair
from stabbench.records.recipe_runs import cut_to
from stabbench.records.run import finite
from stabbench.report.gate import cell_reason, notes
from stabbench.report.judgement import note, reason
from stabbench.statistics import Effect, Sample

SCHEMA = "stabbench/gate/1"
_CENTERS: tuple[Literal["mean"], Literal["median"]] = ("mean", "median")


def as_json(result: GateResult) -> dict[str, Any]:
    """A gate's result: its rules, and every cell with its runs, baseline and judgement."""
    return {
        "schema": SCHEMA,
        "verdict": result.verdict,
        "exit_code": result.verdict.exit_code,
        "rules": result.rules.to_json(),
        "cells": [_cell(cell) for cell in result.cells],
    }


def _cell(cell: CellResult) -> dict[str, Any]:
    b, judged = cell.baseline, cell.judgement
    return {
        "recipe": b.recipe,
        "task": b.task,
        "model": b.model,
        "verdict": cell.verdict,
        "reason": cell_reason(cell),
        "notes": notes(cell),
        "changed": {
            "refused": list(cell.differences.refused),
            "recipe": list(cell.differences.recipe),
            "environment": list(cell.differences.environment),
        },
        "saved_runs": cell.saved,
        "candidate": {**cell.runs.to_json(), "failures": failures_json(cell.runs)} if cell.runs else None,
        "baseline": {
            "recorded": b.recorded,
            "stabbench": b.stabbench,
            "revision": b.revision,
            "max_steps": cut_to(b.experiment),
            "experiment": dict(b.experiment),
            "environment": dict(b.environment),
            "planned": b.sample.planned,
            "failed": b.sample.failures,
            "scores": list(b.scores.values()),
            "seeds": list(b.scores),
        },
        "judgement": judgement_json(judged) if judged else None,
    }


def judgement_json(judged: Judgement) -> dict[str, Any]:
    """A judgement as plain JSON types."""
    return {
        "verdict": judged.verdict,
        "reason": reason(judged),
        "family": judged.family,
        "more_seeds": judged.more_seeds,
        "failed_rates": {"candidate": _rate(judged.pair.candidate), "baseline": _rate(judged.pair.baseline)},
        "superiority": _superiority(judged.pair),
        "levene": {
            center: statistics.levene_test(judged.pair.candidate.finite, judged.pair.baseline.finite, center).p
            for center in _CENTERS
        },
        "checks": {
            check.name: {
                "effect": _bounds(check.effect),
                "p_worse": check.test.p_worse,
                "p_worse_adjusted": adjusted,
                "p_better": check.test.p_better,
                "test": check.test.method,
                "at_worst": None if check.bound is None else finite(check.bound),
                "margin": check.margin,
                "no_worse": check.non_inferior,
                "detectable": judged.detectable[check.name],
                "note": note(check),
            }
            for check, adjusted in zip(judged.checks, judged.adjusted, strict=True)
        },
    }


def _rate(sample: Sample) -> dict[str, float] | None:
    """The rate of failed runs with Wilson's 95% interval."""
    interval = statistics.wilson(sample.failures, sample.planned)
    if interval is None:
        return None
    return {"estimate": sample.failures / sample.planned, "low": interval[0], "high": interval[1]}


def _superiority(pair: Pair) -> dict[str, float] | None:
    """The probability that a candidate's run scores higher than a baseline's, with Mann and Whitney's two-sided p."""
    found = statistics.superiority(pair.candidate.finite, pair.baseline.finite)
    return None if found is None else {"probability": found[0], "p": found[1]}


def _bounds(effect: Effect) -> dict[str, float | None]:
    values: Sequence[tuple[str, float | None]] = (
        ("estimate", effect.estimate), ("low", effect.low), ("high", effect.high),
    )  # fmt: skip
    return {name: None if value is None else finite(value) for name, value in values}
