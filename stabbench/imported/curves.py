"""The history of a run of another program: what its log says of its losses, gradients, rates and evaluations."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from stabbench.imported.found import FoundRun, number, whole_number
from stabbench.records.history import History
from stabbench.records.run import finite
from stabbench.records.scoring import Scoring

#: The part of the model that the norm of all gradients is of.
WHOLE = "all"


def logged_history(entries: Iterable[Mapping[str, Any]]) -> History:
    """What the Trainer logged now and then: ``loss``, ``grad_norm`` (before clipping) and ``learning_rate``.

    A loss is the mean since the last entry. What is no number is passed over; NaN is a number that is not finite.

    Args:
        entries: Of ``log_history``, in their order.
    """
    losses: dict[int, float | None] = {}
    norms: dict[int, float | None] = {}
    rates: dict[int, float] = {}
    for entry in entries:
        step = whole_number(entry.get("step"))
        loss, norm, rate = (number(entry.get(key)) for key in ("loss", "grad_norm", "learning_rate"))
        if step is None:
            continue
        if loss is not None:
            losses[step] = finite(loss)
        if norm is not None and rate is not None:
            norms[step], rates[step] = finite(norm), rate
    return History(
        losses=list(losses.values()),
        loss_steps=list(losses),
        probe_steps=list(norms),
        gradient_norms={WHOLE: list(norms.values())} if norms else {},
        learning_rates=list(rates.values()),
    )


def logged_evaluations(entries: Iterable[Mapping[str, Any]]) -> dict[int, dict[str, float | None]]:
    """The numbers of each evaluation on the way, by step and name."""
    found: dict[int, dict[str, float | None]] = {}
    for entry in entries:
        step = whole_number(entry.get("step"))
        values = {key: number(value) for key, value in entry.items() if key.startswith("eval_")}
        if step is not None and values:
            found.setdefault(step, {}).update({k: finite(v) for k, v in values.items() if v is not None})
    return found


def with_scores(run: FoundRun, scoring: Scoring) -> History:
    """A run's history with its scores on the way, as they count: higher is better."""
    scored = {step: values[scoring.metric] for step, values in run.evaluations.items() if scoring.metric in values}
    scores = [scoring.score(value) for value in scored.values()]
    return dataclasses.replace(run.history, evaluation_steps=list(scored), scores=scores)
