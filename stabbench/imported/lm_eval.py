"""The files ``results_*.json`` of lm-evaluation-harness: ``results.‹task›."acc,none"``.

Its standard errors are of the evaluation set's examples, not of training seeds, and are left out. The seeds in it are
the evaluation's own, so that a run's seed must be found in the model's name or the file's path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stabbench.imported.content import first_bytes, folders, read_json, read_object
from stabbench.imported.found import FoundRun, ResultsError

NAME = "lm-evaluation-harness results"
_NO_METRIC = ("alias", "sample_len")
_NO_SEED = "the seeds in it are the evaluation's, not the training's"


def matches(path: Path) -> bool:
    """A results file, or a folder with some."""
    if path.is_dir():
        return bool(_files(path))
    if not first_bytes(path).lstrip().startswith(b"{"):
        return False
    try:
        return _is_results(read_json(path))
    except ResultsError:
        return False  # JSON lines


def read(path: Path) -> list[FoundRun]:
    """One run a file and task."""
    return [run for file in (_files(path) if path.is_dir() else [path]) for run in _runs(file)]


def _files(path: Path) -> list[Path]:
    return [
        here / name
        for here, names, _ in folders(path)
        for name in sorted(names)
        if name.startswith("results_") and name.endswith(".json")
    ]


def _is_results(content: Any) -> bool:
    return (
        isinstance(content, dict)
        and isinstance(content.get("results"), dict)
        and bool({"config", "versions"} & content.keys())
    )


def _runs(file: Path) -> list[FoundRun]:
    content = read_object(file)
    if not _is_results(content):
        raise ResultsError(f"{file} has no results of lm-evaluation-harness")
    config = content.get("config")
    arguments = config.get("model_args") if isinstance(config, dict) else None
    names = [content.get("model_name"), arguments, file]
    runs = []
    for task, values in content["results"].items():
        if not isinstance(values, dict):
            raise ResultsError(f"{file}: the results of {task} are no JSON object")
        metrics = {key: value for key, value in values.items() if "_stderr" not in key and key not in _NO_METRIC}
        texts = tuple(str(name) for name in names if name)
        runs.append(FoundRun(f"{file}, {task}", metrics, names=texts, task=task, no_seed=_NO_SEED))
    return runs
