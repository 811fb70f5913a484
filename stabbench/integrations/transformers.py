"""A callback for the ``Trainer`` of transformers, and for TRL's trainers, which are subclasses of it.

One line in a script, whichever way stabbench runs it; where it does not, the callback does nothing::

    trainer.add_callback(StabilityCallback(trainer))

It draws no random numbers and changes nothing: a run has the same numbers with it and without it.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from stabbench.imported.hf_trainer import is_score
from stabbench.trainings.recorded import VARIABLE

# Of an evaluation set of a language model there may be billions of logits.
MOST_PREDICTIONS = 1_000_000


class StabilityCallback(TrainerCallback):
    """Records losses, gradient norms and evaluations of a run; with its trainer given, predictions as well.

    Losses and gradient norms are those that the Trainer logs: ``logging_steps=1`` gives every step's. Predictions are
    what the model says about the evaluation set, the class of the largest logit where there are classes.

    Args:
        trainer: Whose predictions to record; None for none.
    """

    def __init__(self, trainer: Trainer | None = None) -> None:
        self._file = os.environ.get(VARIABLE)
        if trainer is not None and self._file:
            self._watch(trainer)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, Any] | None = None,
        **kwargs: object,
    ) -> None:
        """Loss and gradient norm, as they are logged."""
        found = {key: _number((logs or {}).get(key)) for key in ("loss", "grad_norm")}
        if any(value is not None for value in found.values()):
            self._write(state, {key: value for key, value in found.items() if value is not None})

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: Mapping[str, Any] | None = None,
        **kwargs: object,
    ) -> None:
        """The metrics of an evaluation, without those of time and speed."""
        found = {key: _number(value) for key, value in (metrics or {}).items() if is_score(key)}
        self._write(state, {"metrics": {key: value for key, value in found.items() if value is not None}})

    def _watch(self, trainer: Trainer) -> None:
        loop = trainer.evaluation_loop

        def recording(*given: Any, **named: Any) -> Any:
            output = loop(*given, **named)
            predictions = _classes(output.predictions)
            if predictions is not None:
                self._write(trainer.state, {"predictions": predictions})
            return output

        trainer.evaluation_loop = recording  # type: ignore[method-assign]

    def _write(self, state: TrainerState, entry: dict[str, Any]) -> None:
        # Several processes of one training have one state; the first writes.
        if self._file and state.is_world_process_zero:
            with open(self._file, "a", encoding="utf-8") as file:
                file.write(json.dumps({"step": state.global_step, **entry}) + "\n")


def _number(value: Any) -> float | None:
    """As JSON of Python, which has NaN: a loss that is not finite is told as such."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else math.nan


def _classes(predictions: Any) -> list[Any] | None:
    """What is predicted of each example; None where there is nothing, or too much of it."""
    if isinstance(predictions, tuple):  # logits come first
        predictions = predictions[0] if predictions else None
    if predictions is None:
        return None
    values = np.asarray(predictions)
    if values.dtype == object or values.ndim == 0:
        return None
    if values.ndim > 1 and values.shape[-1] > 1 and np.issubdtype(values.dtype, np.floating):
        values = values.argmax(-1)
    return list(values.tolist()) if values.size <= MOST_PREDICTIONS else None
