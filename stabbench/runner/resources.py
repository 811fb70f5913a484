"""How a plan is run: device, processes, executor and store. Of these only the device is part of a run's identity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stabbench.errors import StabbenchError, check_count, excerpt
from stabbench.records.detail import DEFAULT_DETAIL, DETAILS, Detail
from stabbench.records.seeds import MOST_SEEDS
from stabbench.trackers.find import check_trackers

DEFAULT_STORE = Path(".stabbench")
DEFAULT_BASELINES = Path("baselines.json")
DEVICES = ("auto", "cpu", "cuda")
EXECUTORS = ("local", "ray")
MOST_WORKERS = 10_000


@dataclass(frozen=True)
class Resources:
    """How a plan is run. The numbers of a run are the same, whatever is chosen here; only the device counts.

    Attributes:
        store: The folder of the run store.
        device: ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU where there is one. None is the baseline's device where
            there is a baseline, and otherwise ``"auto"``.
        workers: Processes; None takes one a core, as far as memory allows, or one a GPU.
        stack: Seeds trained together; None chooses.
        executor: ``"local"`` for this machine, ``"ray"`` for those of a Ray cluster.
        ray_address: Of the cluster; None for ``RAY_ADDRESS``, the one on this machine, or one that is started here.
        plugins: Modules that define recipes, for the workers.
        allow_pickle: Weights may be unpickled.
        trackers: Names of what every run is logged to, such as ``"mlflow"``.
        detail: How much is kept of what happens during a run (:data:`stabbench.records.detail.DETAILS`).
        keep_weights: Whether the trained weights are kept in the store's folder; a stored run whose weights are not
            there is trained again for them.

    Raises:
        StabbenchError: A value out of range, a tracker that is not installed, or a value that has no effect beside the
            others.
    """

    store: Path = DEFAULT_STORE
    device: str | None = None
    workers: int | None = None
    stack: int | None = None
    executor: str = "local"
    ray_address: str | None = None
    plugins: Sequence[str] = ()
    allow_pickle: bool = False
    trackers: Sequence[str] = ()
    detail: Detail = DEFAULT_DETAIL
    keep_weights: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "store", Path(self.store))  # a text, in programs
        if self.device is not None and self.device not in DEVICES:
            raise StabbenchError(f"unknown device {excerpt(self.device)}", f"one of: {', '.join(DEVICES)}")
        if self.executor not in EXECUTORS:
            raise StabbenchError(f"unknown executor {excerpt(self.executor)}", f"one of: {', '.join(EXECUTORS)}")
        if self.ray_address is not None and self.executor != "ray":
            raise StabbenchError("the address of a Ray cluster has no effect here", "give --executor ray as well")
        if self.ray_address == "":
            raise StabbenchError("the address of a Ray cluster is empty", "give HOST:PORT, or leave it out")
        check_trackers(self.trackers)
        if self.detail not in DETAILS:
            raise StabbenchError(f"unknown detail {excerpt(self.detail)}", f"one of: {', '.join(DETAILS)}")
        check_count("stack", self.stack, MOST_SEEDS)
        check_count("workers", self.workers, MOST_WORKERS)
