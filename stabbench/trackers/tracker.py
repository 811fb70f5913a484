"""What is logged of a run, and what a tracker must be able to do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from stabbench.records.history import History
from stabbench.records.rows import RUN_ID, run_row
from stabbench.records.run import RunRecord

# Numbers that a run ends with: metrics, not parameters.
_METRICS = ("score", "validation_score", "final_loss")
#: The name of what trackers call an experiment or a project, where their own variables name no other.
PROJECT = "stabbench"

Curve = Sequence[tuple[int, float]]


@dataclass(frozen=True)
class LoggedRun:
    """A run as it is logged, in the words of all trackers.

    Attributes:
        id: The run's identity (:meth:`stabbench.records.run.Fingerprint.run_id`).
        name: What the tracker shows.
        parameters: The columns of ``--csv`` but for the metrics, the recipe's parameters as ``parameters.lr`` and the
            environment as ``environment.torch``; what is not known is left out.
        metrics: What the run ended with; NaN for a score that is not finite. Other numbers that training code gave are
            ``metric/‹name›``.
        curves: By name steps and values: ``train/loss``, ``train/learning_rate``, ``eval/score``,
            ``eval/validation_score`` and ``gradient_norm/‹part›``. NaN for what is not finite.
        steps: Updates made.
        started: Seconds since 1970.
        seconds: How long it took.
    """

    id: str
    name: str
    parameters: Mapping[str, str | int | float]
    metrics: Mapping[str, float]
    curves: Mapping[str, Curve]
    steps: int
    started: float
    seconds: float

    @classmethod
    def of(cls, record: RunRecord, history: History, ended: float) -> LoggedRun:
        """From a run's record and its history.

        Args:
            record: Of a run that is not missing.
            history: The same run's.
            ended: When, in seconds since 1970.
        """
        row = {key: value for key, value in run_row(record, record.recipe).items() if value not in (None, "")}
        made_of = record.fingerprint
        more = {f"parameters.{key}": value for key, value in made_of.experiment.get("parameters", {}).items()}
        more |= {f"environment.{key}": value for key, value in made_of.environment.items()}
        return cls(
            id=record.id,
            name=f"{record.recipe}, {record.task}, seed {record.seeds.seed}",
            parameters={
                RUN_ID: record.id,
                **{key: value for key, value in row.items() if key not in (*_METRICS, "id")},
                **{key: v if isinstance(v, str | int | float) else str(v) for key, v in more.items() if v is not None},
            },
            metrics={
                "score": math.nan,
                **{key: float(row[key]) for key in _METRICS if key in row},
                **{f"metric/{name}": math.nan if v is None else v for name, v in history.metrics.items()},
            },
            curves=dict(_curves(history)),
            steps=record.steps,
            started=ended - record.seconds,
            seconds=record.seconds,
        )

    def rows(self) -> list[tuple[int, dict[str, float]]]:
        """All numbers by step, for trackers that take a step at a time; the metrics are in the last."""
        found: dict[int, dict[str, float]] = {}
        for name, curve in self.curves.items():
            for step, value in curve:
                found.setdefault(step, {})[name] = value
        found.setdefault(max([self.steps, *found]), {}).update(self.metrics.items())
        return sorted(found.items())


def _curves(history: History) -> Iterator[tuple[str, Curve]]:
    steps = {
        "train/loss": (history.loss_steps or range(1, len(history.losses) + 1), history.losses),
        "train/learning_rate": (history.probe_steps, history.learning_rates),
        "eval/score": (history.evaluation_steps, history.scores),
        "eval/validation_score": (history.evaluation_steps, history.validation_scores),
        **{f"gradient_norm/{part}": (history.probe_steps, norms) for part, norms in history.gradient_norms.items()},
    }
    for name, (at, values) in steps.items():
        if values:
            yield name, [(step, math.nan if v is None else v) for step, v in zip(at, values, strict=True)]


class Tracker(Protocol):
    """A program that keeps runs. Made without arguments; it may raise anything, at any time."""

    def logged(self, run_id: str) -> bool:
        """Whether a run is there, with all that was to be logged of it."""
        ...

    def log(self, run: LoggedRun) -> None:
        """Write one run, in the place of what a killed command has left of it."""
        ...

    def close(self) -> None:
        """Write out what is still held back."""
        ...
