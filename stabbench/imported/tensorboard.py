"""TensorBoard's event files, a folder a run, read by its own package: the extra ``tensorboard``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from stabbench.errors import how_to_install
from stabbench.imported.content import folders, name_of
from stabbench.imported.found import FoundRun, ResultsError

NAME = "TensorBoard events"
_EVENTS = "events.out.tfevents."
# What the Trainer logs of its arguments, as JSON.
_ARGUMENTS = "args/text_summary"


def matches(path: Path) -> bool:
    """A folder with event files in it, or an event file."""
    return path.name.startswith(_EVENTS) if path.is_file() else bool(_runs(path))


def read(path: Path) -> list[FoundRun]:
    """One run a folder; a metric's value is the last one. Events do not say whether a run crashed."""
    return [_run(folder, path) for folder in ([path] if path.is_file() else _runs(path))]


def _runs(path: Path) -> list[Path]:
    return [here for here, files, _ in folders(path) if any(name.startswith(_EVENTS) for name in files)]


def _run(folder: Path, path: Path) -> FoundRun:
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        from tensorboard.util.tensor_util import make_ndarray
    except ImportError as error:
        raise ResultsError(
            f"{folder} has event files of TensorBoard, which its own package reads",
            how_to_install("tensorboard", "tensorboard"),
        ) from error
    try:
        events = EventAccumulator(str(folder), size_guidance={"scalars": 1, "tensors": 1})
        events.Reload()
        scalars = {tag: events.Scalars(tag)[-1] for tag in events.Tags()["scalars"]}
        tensors = {tag: events.Tensors(tag)[-1] for tag in events.Tags()["tensors"]}
        values: dict[str, Any] = {tag: event.value for tag, event in scalars.items()}
        arrays = {tag: make_ndarray(event.tensor_proto) for tag, event in tensors.items()}
    except Exception as error:  # its own kinds of error are many, and not documented
        raise ResultsError(f"{folder} has event files that TensorBoard cannot read: {error}") from error
    values |= {tag: array.item() for tag, array in arrays.items() if array.size == 1 and array.dtype.kind == "f"}
    last = [event.step for event in (*scalars.values(), *tensors.values())]
    return FoundRun(
        where=str(folder),
        # Events hold 32 bits: 0.72 is read as 0.72, not as 0.7200000286.
        metrics={tag: float(str(np.float32(value))) for tag, value in values.items()},
        parameters=_parameters(arrays.get(_ARGUMENTS)),
        names=(name_of(folder, path),),
        steps=max(last, default=0) or None,
    )


def _parameters(arguments: Any) -> dict[str, Any]:
    if arguments is None or arguments.size != 1:
        return {}
    text = arguments.item()
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
