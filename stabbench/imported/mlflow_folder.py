"""MLflow's older folders: ``mlruns/‹experiment›/‹run›`` with ``meta.yaml``, ``params/`` and ``metrics/``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from stabbench.errors import excerpt
from stabbench.imported.content import read_text, read_yaml
from stabbench.imported.found import FoundRun, ResultsError, number
from stabbench.imported.mlflow_database import FINISHED, moment

NAME = "MLflow's mlruns"
_META = "meta.yaml"
_POINT = re.compile(r"([0-9]{1,19}) (\S+)(?: (-?[0-9]{1,19}))?.*")
# As `RunStatus` of MLflow numbers them.
_STATUS = {1: "RUNNING", 2: "SCHEDULED", 3: FINISHED, 4: "FAILED", 5: "KILLED"}


def matches(path: Path) -> bool:
    """A folder of experiments, or an experiment's own."""
    return path.is_dir() and any(True for _ in _experiments(path))


def read(path: Path) -> list[FoundRun]:
    """One run a run that is not deleted; its recipe is its experiment."""
    return [run for experiment in _experiments(path) for run in _runs(experiment)]


def _experiments(path: Path) -> Iterator[Path]:
    for folder in (path, *sorted(child for child in path.iterdir() if child.is_dir())):
        if (folder / _META).is_file() and "artifact_location" in read_yaml(folder / _META):
            yield folder


def _runs(experiment: Path) -> Iterator[FoundRun]:
    recipe = str(read_yaml(experiment / _META).get("name") or experiment.name)
    for folder in sorted(child for child in experiment.iterdir() if (child / _META).is_file()):
        meta = read_yaml(folder / _META)
        if not {"run_id", "run_uuid"} & meta.keys() or meta.get("lifecycle_stage") == "deleted":
            continue
        status = _STATUS.get(meta["status"], "unknown") if isinstance(meta.get("status"), int) else meta.get("status")
        metrics = {name: _last(file) for name, file in _files(folder / "metrics")}
        name = str(meta.get("run_name") or folder.name)
        yield FoundRun(
            where=f"{folder} ({name})",
            metrics={key: value for key, (value, _) in metrics.items()},
            parameters={key: read_text(file).strip() for key, file in _files(folder / "params")},
            names=(name,),
            recipe=recipe,
            unfinished="" if status == FINISHED else f"its status in MLflow is {status}",
            steps=max((step for _, step in metrics.values()), default=0) or None,
            finished=moment(meta.get("end_time")),
        )


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """A metric's name may have slashes: then its file is in a folder."""
    return ((file.relative_to(folder).as_posix(), file) for file in sorted(folder.rglob("*")) if file.is_file())


def _last(file: Path) -> tuple[object, int]:
    """The value of the last step, of lines ``time value step``, and that step."""
    found: list[tuple[int, int, str]] = []
    for line, text in enumerate(read_text(file).splitlines(), start=1):
        parts = _POINT.fullmatch(text.strip())
        if parts is None or number(parts[2]) is None:
            raise ResultsError(f"{file}, line {line} is not ‹time› ‹value› ‹step›: {excerpt(text)}")
        found.append((int(parts[3] or 0), int(parts[1]), parts[2]))
    step, _, value = max(found, default=(0, 0, None))
    return value, step
