"""A training: other people's code that trains one seed and gives a score; and the job of one of its runs."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stabbench.errors import EXCERPT, StabbenchError, excerpt
from stabbench.escape import is_unicode, one_line
from stabbench.records.scoring import Scoring
from stabbench.records.seeds import Seeds

if TYPE_CHECKING:  # numpy behind them is not for `stabbench --help`
    from stabbench.records.history import History
    from stabbench.records.run import Experiment, Fingerprint

# Of a training file.
ENDING = ".toml"


class TrainingError(StabbenchError):
    """A training file that cannot be read or contradicts itself, or training code that cannot be used."""


class NoScoreError(Exception):
    """A run of training code that gave no score, with the reason: its record is ``missing``."""


@dataclass(frozen=True)
class Measured:
    """What the training of one seed gave.

    Attributes:
        value: The score as the code gave it, which need not be finite.
        history: Whatever else it told.
    """

    value: float
    history: History


@dataclass(frozen=True, kw_only=True)
class Training(abc.ABC):
    """Stands where a recipe stands; plain data, so that it can be sent to another process.

    Attributes:
        name: In tables and run records.
        metric: The name of the score.
        constant_score: Of the best constant predictor, in the metric's own units: a run that is no better has failed.
            None where nobody knows.
        lower_is_better: The metric is a loss: scores are its negatives, and so is the metric's name (``neg_loss``).
    """

    name: str
    metric: str
    constant_score: float | None = None
    lower_is_better: bool = False

    @property
    @abc.abstractmethod
    def kind(self) -> Literal["command", "function"]:
        """What trains."""

    @property
    def label(self) -> str:
        """The name, and whatever differs from its defaults: ``bert-rte:lr=5e-5``."""
        return self.name

    @property
    def files(self) -> tuple[Path, ...]:
        """Its training file, and the files that it says it reads."""
        return ()

    @property
    def scoring(self) -> Scoring:
        """How its values become scores."""
        return Scoring(self.metric, self.constant_score, self.lower_is_better)

    @abc.abstractmethod
    def definition(self) -> Experiment:
        """What defines its runs besides name, metric and code: a part of their identity."""

    @abc.abstractmethod
    def code(self) -> str:
        """A digest of the code, and of the files that it reads."""

    @abc.abstractmethod
    def measure(self, job: TrainingJob) -> Measured:
        """Train and score one seed.

        Raises:
            NoScoreError: It gave no score.
            StabbenchError: It cannot be done as planned.
        """


@dataclass(frozen=True)
class TrainingJob:
    """One run to train: plain data, too.

    Attributes:
        training: The training.
        label: Its label in records and tables.
        seeds: The run's seed alone.
        fingerprint: Of the run.
        folder: Where the outputs of all runs are kept, each in a folder of the run's identity.
    """

    training: Training
    label: str
    seeds: tuple[Seeds, ...]
    fingerprint: Fingerprint
    folder: Path

    @property
    def output(self) -> Path:
        """The folder of what this run writes."""
        return self.folder / self.fingerprint.run_id(self.seeds[0])


def check_name(name: object, where: str) -> None:
    """Refuse a name that cannot stand in a table or before parameters.

    Raises:
        TrainingError: It is none.
    """
    if not isinstance(name, str) or not name.strip() or ":" in name or not is_unicode(name) or one_line(name) != name:
        raise TrainingError(f"{where}: the name {excerpt(name)} cannot stand in a table", "it may have no colon")
    if len(name) > EXCERPT:
        raise TrainingError(f"{where}: the name {excerpt(name)} is too long")


def split_text(text: str) -> tuple[str, str] | None:
    """The file and the parameters of a text such as ``rte.toml:lr=5e-5``; None where it names no training file."""
    base, ending, rest = text.partition(ENDING)
    if not ending or not base or (rest and not rest.startswith(":")):
        return None
    return base + ending, rest.removeprefix(":")
