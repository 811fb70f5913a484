"""A training that is a function of Python: ``train(seed)`` gives a score, or a mapping with more."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from stabbench.code.identity import callable_identity
from stabbench.code.users_code import users_code, where
from stabbench.errors import excerpt, unknown
from stabbench.records.history import History
from stabbench.records.run import Experiment, finite
from stabbench.trainings import outputs, recorded
from stabbench.trainings.training import Measured, NoScoreError, Training, TrainingError, TrainingJob, check_name

KEYS = ("score", "losses", "predictions")
#: Of one run, in losses or predictions.
MOST_VALUES = 10_000_000


@dataclass(frozen=True, kw_only=True)
class FunctionTraining(Training):
    """A function that trains and scores one seed.

    Attributes:
        train: From a seed to its score, or to a mapping with some of :data:`KEYS`.
    """

    train: Callable[[int], Any]

    @property
    def kind(self) -> Literal["command", "function"]:
        return "function"

    def definition(self) -> Experiment:
        return {}

    def code(self) -> str:
        return callable_identity(self.train)

    def measure(self, job: TrainingJob) -> Measured:
        seed = job.seeds[0].seed
        outputs.make(job.output)
        try:
            with _recording_to(str(job.output / recorded.FILE)):
                try:
                    with users_code():
                        given = self.train(seed)
                except Exception as error:
                    raise NoScoreError(where(error)) from error
            told = recorded.read(job.output / recorded.FILE)
        finally:
            outputs.keep(job.output, "", "")
        value, history = _read(f"{self.name}: train({seed})", given)
        return Measured(value, told.history(self.metric, value, history))


def function_training(
    train: Callable[[int], Any], name: str | None, metric: str, constant_score: float | None, *, lower_is_better: bool
) -> FunctionTraining:
    """The training of a function, with a name of its own.

    Raises:
        TrainingError: It is no function, or a name or a constant score that cannot be.
    """
    if not callable(train):
        raise TrainingError(f"{excerpt(train)} is no function", "give train, which is called with a seed")
    found = getattr(train, "__name__", type(train).__name__) if name is None else name
    found = "training" if found == "<lambda>" else found
    check_name(found, "training code")
    check_name(metric, "the metric of training code")
    if constant_score is not None and not (isinstance(constant_score, int | float) and math.isfinite(constant_score)):
        raise TrainingError(f"the constant score cannot be {excerpt(constant_score)}", "give a finite number")
    return FunctionTraining(
        name=found, metric=metric, constant_score=constant_score, lower_is_better=lower_is_better, train=train
    )


@contextmanager
def _recording_to(file: str) -> Iterator[None]:
    before = os.environ.get(recorded.VARIABLE)
    os.environ[recorded.VARIABLE] = file
    try:
        yield
    finally:
        if before is None:
            del os.environ[recorded.VARIABLE]
        else:
            os.environ[recorded.VARIABLE] = before


def _read(what: str, given: Any) -> tuple[float, History]:
    """The score that a function gave, and whatever else.

    Raises:
        NoScoreError: It gave none.
        TrainingError: Something that is none.
    """
    if given is None:
        raise NoScoreError("it returned None, and no score")
    if not isinstance(given, Mapping):
        return _number(f"{what} gave", given), History()
    for key in given:
        if key not in KEYS:
            raise TrainingError(f"{what}: {unknown('key', str(key), KEYS)}")
    if given.get("score") is None:
        raise NoScoreError("it returned no score")
    losses = _listed(what, "losses", given.get("losses"))
    history = History(
        losses=[finite(_number(f"{what}: a loss is", loss)) for loss in losses],
        given_predictions=[_plain(what, value) for value in _listed(what, "predictions", given.get("predictions"))],
    )
    return _number(f"{what}: the score is", given["score"]), history


def _listed(what: str, key: str, values: Any) -> Sequence[Any]:
    if values is None:
        return ()
    values = values.tolist() if hasattr(values, "tolist") else values
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Sequence):
        raise TrainingError(f"{what}: {key} are {excerpt(values)}, which is no list")
    if len(values) > MOST_VALUES:
        raise TrainingError(f"{what}: {len(values):,} {key} are over {MOST_VALUES:,}")
    return values


def _plain(what: str, value: Any) -> Any:
    """A prediction as JSON has it: a number, a name, or a list of such."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list | tuple):
        return [_plain(what, one) for one in value]
    if isinstance(value, float):
        return finite(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TrainingError(f"{what}: a prediction is {excerpt(value)}", "give numbers, names, or lists of them")


def _number(what: str, value: Any) -> float:
    """A number of Python, NumPy or torch."""
    found = value.item() if hasattr(value, "item") and getattr(value, "size", 1) in (1, ()) else value
    if isinstance(found, bool) or not isinstance(found, int | float):
        try:
            if isinstance(found, bool | str | bytes) or not hasattr(found, "__float__"):
                raise TypeError
            found = float(found)
        except (TypeError, ValueError):
            raise TrainingError(f"{what} {excerpt(value)}, which is no number") from None
    return float(found)
