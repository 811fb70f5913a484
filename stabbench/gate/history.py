"""What each gate found, one JSON line a gate beside the baselines, and the steps in it."""

from __future__ import annotations

import hashlib
import math
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from stabbench._version import __version__
from stabbench.gate.baselines import BaselineError
from stabbench.gate.gate import CellResult, GateResult
from stabbench.records.setting import NO_TASK, TRAINING_TASK, cell_name
from stabbench.runner.methods import label_of
from stabbench.statistics import Sample, holm
from stabbench.statistics.change_points import Step, find_step, find_steps
from stabbench.statistics.effects import deviations
from stabbench.tasks.registry import record_name
from stabbench.tasks.task import Task

SCHEMA = "stabbench/history/1"
_GIT_SECONDS = 10


@dataclass(frozen=True)
class PastCell:
    """What a gate found of one cell.

    Attributes:
        recipe: The recipe's label.
        task: The task's name.
        model: The model's name.
        verdict: Its verdict.
        scores: Of the new runs; None where a score is not finite.
        failed: Whether each of them failed.
        runs: The identity of the set of runs: where nothing changed, a gate judges the same ones again.
        effects: For each check the estimate and its 95% bounds; None where not defined or open.
    """

    recipe: str
    task: str
    model: str
    verdict: str
    scores: Sequence[float | None] = ()
    failed: Sequence[bool] = ()
    runs: str = ""
    effects: Mapping[str, Sequence[float | None]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``mosbach on lab/entailment, lab``."""
        return cell_name(self.recipe, self.task, self.model)


@dataclass(frozen=True)
class PastGate:
    """One line of the file.

    Attributes:
        schema: :data:`SCHEMA`.
        date: When, ISO 8601 in UTC.
        stabbench: The version.
        commit: Of the repository that has the baselines; empty where there is none.
        changed: Whether files under version control differed from that commit.
        verdict: Of the whole gate.
        cells: In the order of the gate.
    """

    schema: str
    date: str
    stabbench: str
    commit: str
    changed: bool
    verdict: str
    cells: Sequence[PastCell]


@dataclass(frozen=True)
class Change:
    """A significant step of one cell.

    Attributes:
        cell: The cell's name.
        what: ``failed runs``, ``spread`` or ``mean``.
        gate: The number of the first gate after it.
        step: Levels before and after it, and its p-value after Holm's correction over all series of the file.
    """

    cell: str
    what: str
    gate: int
    step: Step


def history_path(baselines: Path) -> Path:
    """``baselines.json`` has its history in ``baselines.history.jsonl``."""
    return baselines.with_name(f"{baselines.stem}.history.jsonl")


def add_to_history(result: GateResult, baselines: Path) -> None:
    """Append a gate.

    Raises:
        OSError: The file cannot be written.
    """
    path = history_path(baselines)
    commit, changed = _commit(path.resolve())
    now = datetime.now(UTC).isoformat(timespec="seconds")
    cells = [_cell(cell) for cell in result.cells]
    gate = PastGate(SCHEMA, now, __version__, commit, changed, result.verdict.value, cells)
    with path.open("ab") as file:  # one write, so that lines of two gates never mix
        file.write(_separator(path) + msgspec.json.encode(gate) + b"\n")


def load_history(baselines: Path) -> tuple[list[PastGate], list[str]]:
    """All gates in the order of the file, and a note on each line that is none: a killed gate may leave half a line.

    Raises:
        BaselineError: There is no such file, or it cannot be read.
    """
    path = history_path(baselines)
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        raise BaselineError(f"no gate has left a history in {path}", "each `stabbench gate` adds a line") from None
    except OSError as error:
        raise BaselineError(f"{path}: {error.strerror}") from error
    gates, notes = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            gate = msgspec.json.decode(line, type=PastGate)
            if gate.schema != SCHEMA or any(len(cell.scores) != len(cell.failed) for cell in gate.cells):
                raise ValueError(f"its schema is {gate.schema!r}")
        except (msgspec.MsgspecError, ValueError, UnicodeDecodeError) as error:
            notes.append(f"{path}, line {number} is passed over: {error}")
            continue
        gates.append(gate)
    return gates, notes


def chosen_cells(gates: Sequence[PastGate], recipes: Sequence[str], task: str | Task | None) -> list[str]:
    """The names of the cells of these recipes and this task; of all where nothing is named.

    Raises:
        StabbenchError: There are none.
    """
    wanted = None if task is None else record_name(task)
    every = {cell.name: cell for gate in gates for cell in gate.cells}
    known = {cell.recipe for cell in every.values()}
    labels = [label_of(text, known) for text in recipes]
    found = [
        name for name, cell in every.items() if (not labels or cell.recipe in labels) and wanted in (None, cell.task)
    ]
    if not found:
        own = any(cell.recipe in labels and cell.task == TRAINING_TASK for cell in every.values())
        hint = NO_TASK if own else f"there are: {'; '.join(every) or 'none'}"
        raise BaselineError("no past gate had such a cell", hint)
    return found


def find_changes(gates: Sequence[PastGate], alpha: float) -> list[Change]:
    """Steps in failed runs, spread and mean of every cell; in flat series at a rate of ``alpha`` over the whole file.

    A gate that judged the same runs as the one before adds nothing. Spread: absolute deviations from the median of the
    gate's runs, as in Brown and Forsythe's test.
    """
    series: dict[tuple[str, str], tuple[list[int], list[list[float]]]] = {}
    for name in dict.fromkeys(cell.name for gate in gates for cell in gate.cells):
        numbers, cells = _distinct(gates, name)
        for what, values in _MEASURES.items():
            series[name, what] = (numbers, [values(cell) for cell in cells])
    first = {key: find_step(samples) for key, (_, samples) in series.items()}
    adjusted = holm([None if step is None else step.p for step in first.values()])
    changes = []
    for (key, (numbers, samples)), p in zip(series.items(), adjusted, strict=True):
        step = first[key]
        if step is None or p is None or p > alpha:
            continue
        # What is left of alpha for this series, after Holm's correction.
        level = alpha * step.p / p
        for found in find_steps(samples, level, step):
            corrected = Step(found.at, found.before, found.after, min(1.0, found.p * p / step.p))
            changes.append(Change(*key, numbers[found.at], corrected))
    return changes


def _distinct(gates: Sequence[PastGate], name: str) -> tuple[list[int], list[PastCell]]:
    """The gates that judged new runs of a cell: their numbers, and what they found."""
    numbers: list[int] = []
    cells: list[PastCell] = []
    seen: set[str] = set()
    for number, gate in enumerate(gates):
        for cell in gate.cells:
            if cell.name == name and cell.scores and cell.runs not in seen:
                seen.add(cell.runs)
                numbers.append(number)
                cells.append(cell)
    return numbers, cells


def _failures(cell: PastCell) -> list[float]:
    return [float(failed) for failed in cell.failed]


def _finite(cell: PastCell) -> list[float]:
    return [score for score in cell.scores if score is not None]


def _spread(cell: PastCell) -> list[float]:
    """Of few runs deviations from their own median are too small by about this factor."""
    scores = _finite(cell)
    n = len(scores)
    return [] if n < 3 else list(deviations(scores) * math.sqrt(n / (n - 1)))


_MEASURES: Mapping[str, Callable[[PastCell], list[float]]] = {
    "failed runs": _failures,
    "spread": _spread,
    "mean": _finite,
}


def _cell(cell: CellResult) -> PastCell:
    b = cell.baseline
    if cell.runs is None:
        return PastCell(b.recipe, b.task, b.model, cell.verdict.value)
    sample: Sample = cell.runs.sample
    ids = hashlib.sha256(" ".join(record.id for record in cell.runs.records).encode()).hexdigest()[:16]
    checks = () if cell.judgement is None else cell.judgement.checks
    effects = {c.name: [_number(v) for v in (c.effect.estimate, c.effect.low, c.effect.high)] for c in checks}
    scores, failed = list(sample.scores), list(sample.failed)
    return PastCell(b.recipe, b.task, b.model, cell.verdict.value, scores, failed, ids, effects)


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _separator(path: Path) -> bytes:
    """Ends the last line, which a killed gate may have left open."""
    content = path.read_bytes()
    return b"" if not content or content.endswith(b"\n") else b"\n"


def _commit(history: Path) -> tuple[str, bool]:
    """The commit of the repository around it, and whether other files differ from it; an empty text without git."""
    git = shutil.which("git")
    if git is None:
        return "", False
    answers = []
    others = ["--untracked-files=no", "--", ":/", f":(exclude){history.name}"]
    for asked in (["rev-parse", "HEAD"], ["status", "--porcelain", *others]):
        try:
            done = subprocess.run(
                [git, "-C", str(history.parent), *asked],
                capture_output=True,
                text=True,
                timeout=_GIT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return "", False
        if done.returncode != 0:
            return "", False
        answers.append(done.stdout.strip())
    return answers[0], bool(answers[1])
