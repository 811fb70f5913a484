"""Where jobs run: in this process, in a pool of processes, or on the machines of a Ray cluster. One interface."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from stabbench.errors import StabbenchError, how_to_install
from stabbench.runner.executors.base import Executor as Executor
from stabbench.runner.executors.base import InProcess as InProcess
from stabbench.runner.executors.base import Lost as Lost
from stabbench.runner.executors.base import Retry as Retry
from stabbench.runner.executors.base import Tick as Tick
from stabbench.runner.executors.base import refuse_while_imported as refuse_while_imported
from stabbench.runner.executors.pool import ProcessPool as ProcessPool

if TYPE_CHECKING:
    from stabbench.runner.executors.ray_cluster import RayCluster as RayCluster
    from stabbench.runner.executors.ray_connection import ask as ask
    from stabbench.runner.executors.ray_connection import connected as connected
    from stabbench.runner.executors.ray_connection import has_gpus as has_gpus
    from stabbench.runner.executors.ray_connection import stay_connected as stay_connected

_OF_RAY = ("RayCluster", "ask", "connected", "has_gpus", "stay_connected")

__all__ = ["Executor", "InProcess", "Lost", "ProcessPool", "Retry", "Tick", "refuse_while_imported", *_OF_RAY]


def __getattr__(name: str) -> Any:
    """What needs Ray, which is an optional extra and takes a second to import."""
    if name not in _OF_RAY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # It would print half a page about every worker that dies, to the standard output; read as it is imported.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    try:
        from stabbench.runner.executors import ray_cluster, ray_connection
    except ImportError as error:
        raise StabbenchError(f"Ray cannot be loaded: {error}", how_to_install("ray", "ray")) from error
    return getattr(ray_cluster if name == "RayCluster" else ray_connection, name)
