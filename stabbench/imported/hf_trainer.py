"""Output folders of Hugging Face's ``Trainer``, and of TRL's, which is one: a folder a run.

The score is in ``all_results.json`` or ``eval_results.json``, else in the last evaluation of ``trainer_state.json``.
The seed is in neither: it is in the model card, in ``training_args.yaml``, or in the folder's name. It is also in
``training_args.bin``, but that is a pickle, which could run anything: it is never loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stabbench.imported.content import folders, name_of, read_object, read_text, read_yaml
from stabbench.imported.curves import logged_evaluations, logged_history
from stabbench.imported.found import FoundRun, ResultsError, whole_number

NAME = "Trainer folders"
_RESULTS = ("eval_results.json", "all_results.json")
_STATE = "trainer_state.json"
_ARGUMENTS = "training_args.yaml"
_PICKLE = "training_args.bin"
_NO_SEED = f"its model card and its {_ARGUMENTS} have none, or not the same one"
_CHECKPOINT = re.compile("checkpoint-([0-9]{1,18})")
_CARD_SEED = re.compile(r"^- seed: (\S+)\s*$", re.MULTILINE)
# Of how it ran, not of what it learned.
_NO_SCORE = re.compile(
    r"(runtime|samples|samples_per_second|steps_per_second|tokens_per_second|jit_compilation_time|mem_\w+|flos|epoch|step)$"
)


def matches(path: Path) -> bool:
    """A run's folder, or one in which there are some."""
    return path.is_dir() and any(True for _ in _run_folders(path))


def read(path: Path) -> list[FoundRun]:
    """One run a folder; one that stopped before its last step, or has checkpoints only, is missing."""
    return [_run(folder, path) for folder in _run_folders(path)]


def is_score(key: str) -> bool:
    """Whether a number of that name is about what a run learned, and not about how it ran."""
    return not _NO_SCORE.search(key)


def _run_folders(path: Path) -> Iterator[Path]:
    for here, files, inner in folders(path):
        if _CHECKPOINT.fullmatch(here.name) and here != path:
            inner.clear()
        elif files & {*_RESULTS, _STATE} or any(_CHECKPOINT.fullmatch(name) for name in inner):
            inner.clear()
            yield here


def _run(folder: Path, path: Path) -> FoundRun:
    state = _state(folder)
    logged: dict[str, Any] = {}
    log: list[Any] = state.get("log_history") or []
    for entry in log:
        if not isinstance(entry, dict):
            raise ResultsError(f"{folder / _STATE} has a log_history that is none")
        logged |= {key: value for key, value in entry.items() if key.startswith(("eval_", "test_"))}
    saved = [read_object(folder / name) for name in _RESULTS if (folder / name).is_file()]
    metrics = {key: value for found in (logged, *saved) for key, value in found.items() if is_score(key)}
    step = whole_number(state.get("global_step"))
    pickled = (folder / _PICKLE).exists()
    return FoundRun(
        where=str(folder),
        metrics=metrics,
        parameters=_parameters(folder),
        names=(name_of(folder, path),),
        unfinished="" if saved else _unfinished(state, step),
        steps=step or None,
        no_seed=_NO_SEED + (f"; {_PICKLE} has one, but is a pickle, which is never loaded" if pickled else ""),
        history=logged_history(log),
        evaluations=logged_evaluations(log),
    )


def _state(folder: Path) -> dict[str, Any]:
    """Of the whole run, else of its last checkpoint."""
    if (folder / _STATE).is_file():
        return _checked(folder / _STATE)
    numbered = ((_CHECKPOINT.fullmatch(child.name), child) for child in folder.iterdir())
    checkpoints = [(int(found[1]), child / _STATE) for found, child in numbered if found and (child / _STATE).is_file()]
    return _checked(max(checkpoints)[1]) if checkpoints else {}


def _checked(file: Path) -> dict[str, Any]:
    state = read_object(file)
    if not isinstance(state.get("log_history", []), list):
        raise ResultsError(f"{file} has a log_history that is none")
    return state


def _unfinished(state: dict[str, Any], step: int | None) -> str:
    last = whole_number(state.get("max_steps"))
    if step is None or last is None:
        return "it has checkpoints and no results"
    control = state.get("stateful_callbacks")
    for key in ("TrainerControl", "args", "should_training_stop"):  # at the last step, or stopped early on purpose
        control = control.get(key) if isinstance(control, dict) else None
    return "" if step >= last or control is True else f"it stopped at step {step:,} of {last:,}"


def _parameters(folder: Path) -> dict[str, object]:
    """Those in ``training_args.yaml`` and the model card's seed; without a seed where the two disagree."""
    found: dict[str, object] = read_yaml(folder / _ARGUMENTS) if (folder / _ARGUMENTS).is_file() else {}
    card = _CARD_SEED.findall(read_text(folder / "README.md")) if (folder / "README.md").is_file() else []
    seeds = [*card, *([found.pop("seed")] if "seed" in found else [])]
    return {**found, "seed": seeds[0]} if len(set(map(str, seeds))) == 1 else found
