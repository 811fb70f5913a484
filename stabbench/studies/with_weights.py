"""What is measured with the kept weights of a study's runs, besides the runs themselves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stabbench.records.run import RunRecord


@dataclass(frozen=True)
class Surface:
    """Loss and gradient norm in the plane through a run's start, that failed run and a successful one.

    A point is ``start + alpha * (failed - start) + beta * (successful - start)``, of all parameters.

    Attributes:
        place: Task, variant and model, as the study names them.
        failed: The run that failed; None where there is none, and then nothing is measured.
        successful: The one that succeeded; None where there is none.
        axis: Values of alpha and of beta, ``[n]``.
        losses: ``[n, n]``, by beta and alpha; NaN where a loss is not finite.
        norms: Gradient norms of the same shape; all NaN where they were not asked for.
        at: Loss and norm at the start, at the failed and at the successful model.
        between: Losses and norms on the straight line from the failed to the successful model.
        constant_loss: The training loss of the best constant predictor.
    """

    place: tuple[str, str, str]
    failed: RunRecord | None
    successful: RunRecord | None
    axis: NDArray[np.float64]
    losses: NDArray[np.float64]
    norms: NDArray[np.float64]
    at: Sequence[tuple[float, float]] = ()
    between: Sequence[tuple[float, float]] = ()
    constant_loss: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types; what is not finite is None."""
        return {
            **_place(self.place),
            "failed": self.failed and self.failed.id,
            "successful": self.successful and self.successful.id,
            "axis": self.axis.tolist(),
            "losses": _plain(self.losses.tolist()),
            "gradient_norms": _plain(self.norms.tolist()),
            "at_start_failed_successful": _plain(self.at),
            "between": _plain(self.between),
            "constant_loss": self.constant_loss,
        }


@dataclass(frozen=True)
class MaskedWords:
    """How the encoders of some runs predict masked words, by the number of top blocks put back to pretrained.

    Attributes:
        place: Task, variant and model, as the study names them.
        runs: The runs, failed ones first.
        put_back: The perplexities of each with none, one, two, ... all blocks put back; None where not finite.
        pretrained: The pretrained model's; None where there is no run, or it is not finite.
        texts: How many texts there were.
    """

    place: tuple[str, str, str]
    runs: Sequence[RunRecord]
    put_back: Sequence[Sequence[float | None]]
    pretrained: float | None
    texts: int

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {
            **_place(self.place),
            "runs": [record.id for record in self.runs],
            "perplexities": [list(values) for values in self.put_back],
            "pretrained": self.pretrained,
            "texts": self.texts,
        }


Measured = Surface | MaskedWords


def _place(place: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(("task", "variant", "model"), place, strict=True))


def _plain(values: Any) -> Any:
    if isinstance(values, float):
        return values if math.isfinite(values) else None
    return [_plain(value) for value in values]
