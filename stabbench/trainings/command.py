"""A training that is a command: what a training file says, and running it for one seed."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from stabbench.errors import StabbenchError, unknown
from stabbench.records.history import History
from stabbench.records.run import Experiment
from stabbench.trainings import outputs, recorded
from stabbench.trainings.inputs import digest
from stabbench.trainings.placeholders import Value, as_text, filled, value_like
from stabbench.trainings.process import Ended, run
from stabbench.trainings.score import Found, ScorePlace
from stabbench.trainings.supervise import CANNOT_START
from stabbench.trainings.training import Measured, NoScoreError, Training, TrainingError, TrainingJob

# Of a command's last line, in the reason of a missing run.
_LINE = 300


@dataclass(frozen=True, kw_only=True)
class CommandTraining(Training):
    """A command that trains and scores one seed.

    Attributes:
        file: The training file.
        command: As it is written there, with placeholders.
        place: Where its score is.
        inputs: The files that it reads.
        timeout: Seconds that a run may take; None for any time.
        env: Environment variables, with placeholders.
        defaults: The parameters with their values in the file.
        parameters: The parameters with their values.
    """

    file: Path
    command: str
    place: ScorePlace
    inputs: tuple[Path, ...] = ()
    timeout: float | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Value] = field(default_factory=dict)
    parameters: Mapping[str, Value] = field(default_factory=dict)

    @property
    def kind(self) -> Literal["command", "function"]:
        return "command"

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.file, *self.inputs)

    @property
    def folder(self) -> Path:
        """Where the command runs, and what its paths are relative to."""
        return self.file.parent

    @property
    def label(self) -> str:
        changed = [f"{k}={as_text(v)}" for k, v in self.parameters.items() if v != self.defaults[k]]
        return ":".join(filter(None, [self.name, ",".join(changed)]))

    def definition(self) -> Experiment:
        place = self.place.pattern or f"{self.place.file}:{self.place.key}"
        return {"parameters": dict(self.parameters), "command": self.command, "score": place}

    def code(self) -> str:
        return digest(self.folder, self.inputs, [json.dumps(dict(self.env), sort_keys=True)])

    def measure(self, job: TrainingJob) -> Measured:
        if self.code() != job.fingerprint.environment["recipe_code"]:
            raise StabbenchError(
                f"{self.file}: a file among its inputs was changed while it was being run",
                "give the same command again",
            )
        folder = outputs.make(job.output)
        values = {
            **{name: as_text(value) for name, value in self.parameters.items()},
            "seed": str(job.seeds[0].seed),
            "output": str(folder),
            "name": self.name,
        }
        command = [filled(part, values) for part in shlex.split(self.command)]
        environment = {**os.environ, **{name: filled(value, values) for name, value in self.env.items()}}
        environment[recorded.VARIABLE] = str(job.output / recorded.FILE)
        if job.fingerprint.environment["device"] == "cpu":
            environment["CUDA_VISIBLE_DEVICES"] = ""  # it is what the run's identity says
        ended = run(command, self.folder, environment, self.timeout)
        try:
            found = self._found(ended, values)
            told = recorded.read(job.output / recorded.FILE)
            return Measured(found.value, told.history(self.place.name, found.value, History(metrics=found.others)))
        finally:
            outputs.keep(job.output, ended.stdout, ended.stderr)

    def _found(self, ended: Ended, values: Mapping[str, str]) -> Found:
        if ended.code is None:
            raise NoScoreError(_said(f"it took over {self.timeout:g} seconds", ended.last_error))
        if ended.code != 0:
            raise NoScoreError(_said(_how(ended.code), ended.last_error))
        try:
            return self.place.find(ended.stdout, self.folder, values)
        except NoScoreError as error:
            # It ended well: without a traceback, what it wrote as an error last is some library's warning.
            if ended.exception or self.place.pattern:
                raise NoScoreError(_said(str(error), ended.exception or ended.last_printed)) from None
            line = _cut(ended.last_printed)
            raise NoScoreError(f"{error}; it printed last: {line}" if line else str(error)) from None

    def varied(self, parameters: Mapping[str, object]) -> CommandTraining:
        """The same with some parameters set anew.

        Raises:
            TrainingError: A parameter that the file does not list, or a value of another type than there.
        """
        checked: dict[str, Value] = {}
        for name, value in parameters.items():
            if name not in self.defaults:
                known = unknown(f"parameter of training {self.name!r}:", name, self.defaults) if self.defaults else ""
                raise TrainingError(
                    known or f"training {self.name!r} has no parameters",
                    f"those that {self.file.name} lists under [parameters] can be set",
                )
            checked[name] = value_like(str(self.file), name, value, self.defaults[name])
        return dataclasses.replace(self, parameters={**self.parameters, **checked})


def _how(code: int) -> str:
    if code == CANNOT_START:
        return "it could not be started"
    try:
        return f"it was ended by {signal.Signals(code - 128).name}" if code > 128 else f"exit code {code}"
    except ValueError:
        return f"exit code {code}"


def _said(reason: str, line: str) -> str:
    if not line:
        return f"{reason}, and printed nothing"
    return f"{reason}: {_cut(line)}"


def _cut(line: str) -> str:
    return line if len(line) <= _LINE else line[:_LINE] + "…"
