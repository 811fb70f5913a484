"""Outputs against inputs: found out before anything is trained that a file would be written over another."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stabbench.errors import StabbenchError

if TYPE_CHECKING:  # numpy behind it is not for `stabbench --help`
    from stabbench.tasks.task import Task
    from stabbench.trainings.training import Training

# What a store's folder holds of its own: the runs, with SQLite's journals, and what training keeps there.
_OF_STORE = ("runs.sqlite", "locks", "encoders", "weights", "checkpoints", "outputs", "fresh", ".gitignore")


def check_outputs(
    outputs: Mapping[str, Path | None],
    *,
    store: Path,
    baselines: Path | None = None,
    study: str = "",
    texts: str = "",
    plugins: Sequence[str] = (),
    data_dir: Path | None = None,
    tasks: Sequence[str | Task | None] = (),
    models: Sequence[str | None] = (),
    trainings: Iterable[Training] = (),
    results: Sequence[Path] = (),
) -> None:
    """Refuse outputs that are an input of the command, another output, or the store. Links are followed.

    Args:
        outputs: By the name of their option.
        store: The folder of the run store, which may not be there yet.
        baselines: The baselines file that is read.
        study: The study's name, or its file.
        texts: A file of texts; empty where there is none.
        plugins: Names of modules that are loaded, or files.
        data_dir: Of GLUE.
        tasks: Names, task files or data files.
        models: Names, or folders.
        trainings: Training code; that of a training file is read with its inputs.
        results: Files and folders of results that were measured elsewhere.

    Raises:
        StabbenchError: Which two are the same.
    """
    named = {option: path for option, path in outputs.items() if path is not None and not _is_device(path)}
    inputs = [*_inputs(baselines, study, plugins, data_dir, models), *_data_of(tasks)]
    inputs += [("the texts", Path(texts))] if texts else []
    inputs += [*_of_trainings(trainings), *_results(results)]
    for number, (option, path) in enumerate(named.items()):
        for other, same in [*inputs, *list(named.items())[:number]]:
            if _is_same(path, same):
                raise StabbenchError(f"{option} {path} would be written over {other} ({same})", "name another file")
        if option != "--baselines" and _has_baselines(path):
            raise StabbenchError(f"{option} {path} would be written over a baselines file", "name another file")
        if _is_of_store(path, store):
            raise StabbenchError(f"{option} {path} would be written over the run store {store}", "name another file")


def _inputs(
    baselines: Path | None, study: str, plugins: Sequence[str], data_dir: Path | None, models: Iterable[str | None]
) -> Iterator[tuple[str, Path]]:
    if baselines is not None:
        from stabbench.gate.history import history_path

        yield "the baselines file", baselines
        yield "the history of gates", history_path(baselines)
    if study.endswith((".toml", ".py")):
        yield "the study", Path(study)
    for plugin in plugins:
        file = plugin if plugin.endswith(".py") else getattr(sys.modules.get(plugin), "__file__", None)
        if file:
            yield "the plugin", Path(file)
    if data_dir is not None:
        yield from (("the data", path) for path in data_dir.glob("*/*.tsv"))
    for model in models:
        if model and (folder := Path(model)).is_dir():
            yield from (("the model", path) for path in folder.iterdir())


def _data_of(tasks: Iterable[str | Task | None]) -> Iterator[tuple[str, Path]]:
    from stabbench.tasks.registry import files_of

    for task in tasks:
        if isinstance(task, str):
            yield from (("the data", path) for path in files_of(task))


def _of_trainings(trainings: Iterable[Training]) -> Iterator[tuple[str, Path]]:
    for training in trainings:
        yield from (("the training", path) for path in training.files)


def _results(results: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    for path in results:
        yield from (("the results", file) for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())


def _has_baselines(path: Path) -> bool:
    """Whatever its name, and whichever the command: what was recorded there cannot be had again at once."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b'"stabbench/baselines/' in file.read(200)


def _is_of_store(path: Path, store: Path) -> bool:
    target, folder = path.resolve(), store.resolve()
    if target == folder or target in folder.parents:  # it would be in the way of the folder
        return True
    if target.is_relative_to(folder):
        return target.relative_to(folder).parts[0].startswith(_OF_STORE)
    return any(_is_same(path, own) for own in folder.glob("runs.sqlite*"))  # a hard link


def _is_same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()


def _is_device(path: Path) -> bool:
    """A pipe, a terminal or nothing at all: what is written there takes no other's place."""
    return path.exists() and not path.is_file()
