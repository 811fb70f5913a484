"""The run record: what one training of one seed gave. The hinge of the data flow: nothing after it imports torch."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from stabbench.seeds import Seeds


class Outcome(StrEnum):
    """How a run ended. ``failed`` is a measurement; ``missing`` is not, and is run again when asked for."""

    OK = "ok"
    #: No better than the best constant predictor, or a loss or prediction that is not finite.
    FAILED = "failed"
    #: The infrastructure gave up: out of memory, a crash.
    MISSING = "missing"


@dataclass(frozen=True)
class Fingerprint:
    """What a run was made of.

    Attributes:
        experiment: What defines it: recipe and parameters, data, weights, precision, the engine's numerics.
        environment: What it ran on: library versions, device, threads, the code of the recipe class.
    """

    experiment: Mapping[str, Any]
    environment: Mapping[str, Any]

    def run_id(self, seeds: Seeds) -> str:
        """The identity of the run of ``seeds``: 16 hexadecimal digits. Another environment is another run."""
        return _digest({**vars(self), "seeds": vars(seeds)})

    def experiment_id(self, seeds: Seeds) -> str:
        """What the run of ``seeds`` is meant to be, whatever it runs on: 16 hexadecimal digits."""
        return _digest({"experiment": self.experiment, "seeds": vars(seeds)})

    @property
    def cell_id(self) -> str:
        """The identity of all runs of this fingerprint: 16 hexadecimal digits."""
        return _digest(vars(self))


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class RunRecord:
    """One run.

    Attributes:
        id: See :meth:`Fingerprint.run_id`.
        recipe: The recipe's label: its name, and the parameters that differ from its defaults.
        task: The task's name.
        model: The model as the user named it.
        revision: The commit of a hub model; None for a local folder.
        seeds: The run's number and its three streams.
        outcome: How it ended.
        reason: Why it failed or is missing, in words; empty for ``ok``.
        metric: The name of the metric.
        score: On the evaluation set at the end of training, or at ``kept_step``, a fraction (accuracy .63, not 63);
            None where it is not finite or missing.
        constant_score: Of the best constant predictor on the same evaluation set.
        final_loss: Mean training loss over the last epoch; None where it is not finite or missing.
        steps: Updates made.
        stack: The number of seeds trained together.
        seconds: The run's share of its group's wall time.
        finished: When, ISO 8601 in UTC.
        fingerprint: What it was made of.
        kept_step: After how many updates the score was taken.
        validation_score: Likewise on the validation set, where the task has one.
    """

    id: str
    recipe: str
    task: str
    model: str
    revision: str | None
    seeds: Seeds
    outcome: Outcome
    reason: str
    metric: str
    score: float | None
    constant_score: float
    final_loss: float | None
    steps: int
    stack: int
    seconds: float
    finished: str
    fingerprint: Fingerprint
    kept_step: int | None = None
    validation_score: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunRecord:
        """The inverse of :meth:`to_json`."""
        return cls(
            **{
                **data,
                "seeds": Seeds(**data["seeds"]),
                "outcome": Outcome(data["outcome"]),
                "fingerprint": Fingerprint(**data["fingerprint"]),
            }
        )


@dataclass(frozen=True)
class History:
    """What happened during a run; a number that is not finite is None.

    Attributes:
        losses: Training loss of every step.
        probe_steps: The steps, from 1, at which gradient norms were kept.
        gradient_norms: For each part of the model, its gradient's norm at those steps, before clipping.
        evaluation_steps: The steps, from 1, after which the run was scored.
        scores: Its scores there on the evaluation set.
        validation_scores: Likewise on the validation set; empty where there is none.
    """

    losses: Sequence[float | None] = ()
    probe_steps: Sequence[int] = ()
    gradient_norms: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    evaluation_steps: Sequence[int] = ()
    scores: Sequence[float | None] = ()
    validation_scores: Sequence[float | None] = ()


def finite(value: float) -> float | None:
    """``value``, or None where it is not finite: JSON has no NaN."""
    return value if math.isfinite(value) else None
