"""What training code records while it runs: JSON lines in a file that stabbench names by an environment variable.

A line is an object with some of these keys: ``step`` (from 1), ``loss`` (of that step, or the mean since the last
line), ``grad_norm`` (before clipping), ``metrics`` (of an evaluation after that step, by name) and ``predictions`` (on
the evaluation set; the last ones count).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stabbench.imported.found import number
from stabbench.records.history import History
from stabbench.records.run import finite

#: The environment variable. Without it nothing is recorded.
VARIABLE = "STABBENCH_RECORD"
FILE = "recorded.jsonl"
# What is read of a file.
MOST_BYTES = 64 * 2**20
#: The part of the model that the norm of all gradients is of.
WHOLE = "all"


@dataclass
class Recorded:
    """What a run recorded.

    Attributes:
        losses: By step.
        norms: By step, of the gradient of the whole model.
        evaluations: The metrics of each evaluation, by step.
        predictions: Of the last evaluation that gave some.
    """

    losses: dict[int, float | None] = field(default_factory=dict)
    norms: dict[int, float | None] = field(default_factory=dict)
    evaluations: dict[int, Mapping[str, float | None]] = field(default_factory=dict)
    predictions: Sequence[Any] = ()

    def history(self, metric: str, value: float, more: History) -> History:
        """The history of a run.

        Args:
            metric: The name of the score.
            value: The score: evaluations are told by the metric of that name, or else by one whose last value it is.
            more: What else is known of the run, which counts more.
        """
        name = self._named(metric, value)
        every_step = list(self.losses) == list(range(1, len(self.losses) + 1))
        evaluated = [step for step, found in self.evaluations.items() if name in found] if name else []
        last = list(self.evaluations.values())[-1:]
        return History(
            losses=more.losses or list(self.losses.values()),
            loss_steps=[] if more.losses or every_step else list(self.losses),
            probe_steps=list(self.norms),
            gradient_norms={WHOLE: list(self.norms.values())} if self.norms else {},
            evaluation_steps=evaluated,
            scores=[self.evaluations[step][name] for step in evaluated],
            given_predictions=more.given_predictions or self.predictions,
            metrics={**{key: value for found in last for key, value in found.items() if key != name}, **more.metrics},
        )

    def _named(self, metric: str, value: float) -> str:
        if not self.evaluations:
            return ""
        last = list(self.evaluations.values())[-1]
        for name in (metric, f"eval_{metric}"):
            if name in last:
                return name
        return next((name for name, found in last.items() if found == value), "")


def read(path: Path) -> Recorded:
    """What a file holds; lines that are not whole, as of a process that was killed, are left out."""
    made = Recorded()
    try:
        with path.open("rb") as file:
            lines = file.read(MOST_BYTES).decode("utf-8", "replace").split("\n")
    except OSError:
        return made
    for line in lines:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            _add(made, entry)
    return made


def _add(made: Recorded, entry: dict[str, Any]) -> None:
    if isinstance(entry.get("predictions"), list):
        made.predictions = entry["predictions"]
    step = entry.get("step")
    if not isinstance(step, int) or isinstance(step, bool) or step < 0:
        return
    for key, values in (("loss", made.losses), ("grad_norm", made.norms)):
        if (found := number(entry.get(key))) is not None:
            values[step] = finite(found)
    metrics = entry.get("metrics")
    if isinstance(metrics, dict):
        numbers = {str(key): number(value) for key, value in metrics.items()}
        made.evaluations[step] = {key: finite(value) for key, value in numbers.items() if value is not None}
