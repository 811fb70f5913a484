"""Reading a training file (docs/trainings.md)."""

from __future__ import annotations

import math
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import msgspec

from stabbench._system.toml import read_toml
from stabbench.errors import excerpt, shortened, unknown
from stabbench.trainings.command import CommandTraining
from stabbench.trainings.inputs import find_inputs
from stabbench.trainings.placeholders import check_known, checked_value, names_in, read_value
from stabbench.trainings.score import ScorePlace
from stabbench.trainings.training import TrainingError, check_name, split_text

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhd]?)")
_OF_SHELL = ("|", "||", "&", "&&", ";", "<", ">", ">>", "2>", "2>&1", "&>")
_SEE = "see docs/trainings.md"


@dataclass(frozen=True, kw_only=True)
class _Written:
    """A training file as it is written."""

    command: str
    score: str
    name: str = ""
    constant_score: float | None = None
    labels: str = ""
    metric: str = ""
    lower_is_better: bool = False
    inputs: tuple[str, ...] = ()
    timeout: str | float | None = None
    env: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)


def read_training(text: str) -> CommandTraining:
    """The training of a training file, with some of its parameters set: ``rte.toml`` or ``rte.toml:lr=5e-5,epochs=10``.

    Raises:
        TrainingError: There is no such file, it is none, or a parameter that it does not have.
    """
    split = split_text(text)
    if split is None:
        raise TrainingError(f"{excerpt(text)} names no training file", "such a file ends in .toml; " + _SEE)
    path, listed = Path(split[0]), split[1]
    training = _made(path, _content(path))
    asked: dict[str, str] = {}
    for item in listed.split(",") if listed or text.endswith(":") else ():
        name, equals, value = item.partition("=")
        if not equals:
            raise TrainingError(f"in {excerpt(text)}: {excerpt(item)} is not parameter=value", f"write {path}:lr=5e-5")
        if name in asked:
            raise TrainingError(f"in {excerpt(text)}: parameter {excerpt(name)} is given twice")
        asked[name] = value
    defaults = training.defaults
    read = {k: read_value(str(path), k, v, defaults[k]) if k in defaults else v for k, v in asked.items()}
    return training.varied(read)


def _content(path: Path) -> _Written:
    where = f"training file {path}"
    try:
        content = read_toml(path)
    except FileNotFoundError as error:
        raise TrainingError(f"{where}: there is no such file") from error
    except OSError as error:
        raise TrainingError(f"{where}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise TrainingError(f"{where}: cannot be read: {shortened(str(error))}") from error
    known = [spec.name for spec in fields(_Written)]
    for key in content:
        if key not in known:
            raise TrainingError(unknown(f"key in {where}:", key, known), _SEE)
    for key in ("command", "score"):
        if key not in content:
            raise TrainingError(f"{where}: it has no {key}", _SEE)
    try:
        return msgspec.convert(content, _Written)
    except msgspec.ValidationError as error:
        raise TrainingError(f"{where}: {str(error)[:200]}", _SEE) from error


def _made(path: Path, written: _Written) -> CommandTraining:
    where, folder = f"training file {path}", path.resolve().parent
    check_name(written.name or path.stem, where)
    parameters = {name: checked_value(where, name, value) for name, value in written.parameters.items()}
    _check_texts(where, written, parameters)
    command = _split(where, written.command)
    _check_found(where, folder, command)
    place = ScorePlace.parse(where, written.score)
    labels = _labels(where, folder, written)
    check_known(where, place.file, parameters)
    constant = written.constant_score
    if constant is not None and not math.isfinite(constant):
        raise TrainingError(f"{where}: constant_score cannot be {constant}", "give a finite number")
    return CommandTraining(
        name=written.name or path.stem,
        metric=written.metric or place.name,
        constant_score=constant if labels is None else labels[1],
        lower_is_better=written.lower_is_better,
        file=path.resolve(),
        command=written.command,
        place=place,
        inputs=find_inputs(where, folder, [*written.inputs, *([labels[0]] if labels else [])], command),
        timeout=_seconds(where, written.timeout),
        env=written.env,
        defaults=parameters,
        parameters=parameters,
    )


def _check_texts(where: str, written: _Written, parameters: Mapping[str, object]) -> None:
    """The seed and every parameter must reach the command."""
    texts = [written.command, *written.env.values()]
    if any("\0" in text or "=" in name or not name for name, text in [("command", texts[0]), *written.env.items()]):
        raise TrainingError(f"{where}: a null character, or an environment variable without a name")
    for text in texts:
        check_known(where, text, parameters)
    used = set().union(*map(names_in, texts))
    for name in parameters:
        if not re.fullmatch(r"[A-Za-z_]\w*", name) or name in ("seed", "output", "name"):
            raise TrainingError(f"{where}: a parameter cannot be called {excerpt(name)}")
        if name not in used:
            raise TrainingError(f"{where}: parameter {name} has no effect", f"write {{{name}}} in the command or env")
    if "seed" not in used:
        raise TrainingError(
            f"{where}: the seed does not reach the command", "write {seed} in the command or in env: --seed {seed}"
        )
    if "output" not in used and not written.score.startswith("stdout:"):
        raise TrainingError(
            f"{where}: the command is not told where its score is read from",
            "write {output} in it, which is a folder for each run: --output_dir {output}",
        )


def _split(where: str, command: str) -> list[str]:
    try:
        parts = shlex.split(command)
    except ValueError as error:
        raise TrainingError(f"{where}: command: {error}", "it is split as a shell splits it") from error
    if not parts:
        raise TrainingError(f"{where}: the command is empty")
    if of_shell := [part for part in parts if part in _OF_SHELL]:
        raise TrainingError(
            f"{where}: no shell reads the command, so {of_shell[0]} has no effect", "for a shell's own: sh -c '…'"
        )
    return parts


def _check_found(where: str, folder: Path, command: list[str]) -> None:
    """The program is there: found out before anything runs."""
    program = command[0]
    if "=" in program and "/" not in program.partition("=")[0]:
        raise TrainingError(
            f"{where}: no shell reads the command, so {excerpt(program)} sets no variable", "put it under [env]"
        )
    if names_in(program):
        return
    if shutil.which(folder / program if "/" in program else program) is None:
        raise TrainingError(f"{where}: command not found: {excerpt(program)}", "is it installed, and can it be run?")


def _labels(where: str, folder: Path, written: _Written) -> tuple[str, float] | None:
    """The file of the labels, and the score of the best constant predictor."""
    if not written.labels:
        return None
    if written.constant_score is not None:
        raise TrainingError(f"{where}: constant_score and labels both say what the best constant predictor scores")
    if not written.metric or written.lower_is_better:
        raise TrainingError(
            f"{where}: labels needs the metric of the score, one that is larger where better",
            'such as metric = "accuracy"; for a loss give constant_score',
        )
    from stabbench.trainings.constant import constant_score, labels_file  # numpy behind it is for such files only

    file, column = labels_file(where, folder, written.labels)
    return str(file), constant_score(where, file, column, written.metric)


def _seconds(where: str, value: str | float | None) -> float | None:
    if value is None:
        return None
    found = _TIME.fullmatch(str(value).strip())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0 < seconds < 1e8:
        raise TrainingError(f"{where}: timeout {excerpt(value)} is no time", 'such as timeout = "2h", "90m" or "30s"')
    return seconds
