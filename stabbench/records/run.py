"""The run record: what one training of one seed gave. The hinge of the data flow: nothing after it imports torch."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypedDict

import msgspec

from stabbench.records.seeds import Seeds


class Outcome(StrEnum):
    """How a run ended. ``failed`` is a measurement; ``missing`` is not: the same command tries it again."""

    OK = "ok"
    #: No better than the best constant predictor, or a loss or prediction that is not finite.
    FAILED = "failed"
    #: The infrastructure gave up: out of memory, a crash.
    MISSING = "missing"
    #: It has a score, of training code or from elsewhere, and nothing says whether a constant predictor does as well.
    UNKNOWN = "unknown"


#: In the reason of every run that is missing for want of memory.
OUT_OF_MEMORY = "out of memory"


if TYPE_CHECKING:

    class Experiment(TypedDict, total=False):
        """What defines a run. A key that changes nothing for a run is left out, so that older runs keep their identity.

        Attributes:
            recipe: The recipe's name.
            parameters: All of the recipe's parameters, with its model's defaults filled in.
            task: The task's name.
            data: The digest of the task's data.
            model: The digest of the model's weights, configuration and tokenizer.
            lr_multiplier: On the recipe's learning rate.
            max_steps: Where the training is cut short; None where it is not.
            dtype: Of weights and activations.
            numerics: The engine's NUMERICS_VERSION.
            pairs: ``"separated"`` where a separator was put between the two texts of a pair.
            forward_weight: ``"[out, in]"`` where the recipe's hook saw the model's weights turned round.
            metric_code: The digest of a user's metric.
            encoder: The experiment of the run whose encoder this one starts from.
            measured: ``"elsewhere"`` for a run of another program, with its ``metric`` and ``constant_score``.
            training: ``"command"`` or ``"function"`` for a run of training code, with its ``metric``.
            command: Of a training file, with its placeholders.
            score: Where that command's score is.
        """

        recipe: str
        parameters: Mapping[str, Any]
        task: str
        data: str
        model: str
        lr_multiplier: float
        max_steps: int | None
        dtype: str
        numerics: int
        pairs: str
        forward_weight: str
        metric_code: str
        encoder: str
        measured: str
        metric: str
        constant_score: float | None
        training: str
        command: str
        score: str

    class Environment(TypedDict, total=False):
        """What a run ran on: whatever may change its numbers without anyone meaning to.

        Attributes:
            python: Major and minor version.
            platform: Operating system and processor architecture.
            device: ``"cpu"`` or ``"cuda"``.
            device_name: The processor's or the GPU's.
            processor: The CPU's model and vector instructions; not of a run on a GPU.
            torch: Its version.
            transformers: Its version.
            tokenizers: Its version.
            threads: Of a run on a CPU.
            cuda: The version that torch was built for.
            deterministic: Whether torch was told to use deterministic algorithms.
            recipe_code: The identity of the recipe's code (:mod:`stabbench.code.identity`), or of training code.
            encoder_code: Of the recipe that trained the encoder.
        """

        python: str
        platform: str
        device: str
        device_name: str
        processor: str
        torch: str
        transformers: str
        tokenizers: str
        threads: int
        cuda: str | None
        deterministic: bool
        recipe_code: str
        encoder_code: str

else:
    # Whoever reads a record must keep keys of a later version: they are part of the run's identity.
    Experiment = Environment = Mapping[str, Any]


@dataclass(frozen=True)
class Fingerprint:
    """What a run was made of.

    Attributes:
        experiment: What defines it: recipe and parameters, data, weights, precision, the engine's numerics.
        environment: What it ran on: library versions, device, threads, the code of the recipe class.
    """

    experiment: Experiment
    environment: Environment

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
        constant_score: Of the best constant predictor on the same evaluation set; None where it is not known, which
            only that of training code and of results measured elsewhere may be.
        final_loss: Mean training loss over the last epoch, the last loss that training code told; None where it is
            not finite or missing.
        steps: Updates made; 0 where training code does not tell.
        stack: The number of seeds trained together.
        seconds: The run's share of its group's wall time.
        finished: When, ISO 8601 in UTC.
        fingerprint: What it was made of.
        kept_step: After how many updates the score was taken.
        validation_score: The score on the validation set, where the task has one.
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
    constant_score: float | None
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
    def read(cls, text: str | bytes) -> RunRecord:
        """A record from its JSON text, every value of its declared type.

        Raises:
            ValueError: It is not, or not a record at all.
        """
        return _RECORD.decode(text)


_RECORD = msgspec.json.Decoder(RunRecord)


def finite(value: float) -> float | None:
    """``value``, or None where it is not finite: JSON has no NaN."""
    return value if math.isfinite(value) else None
