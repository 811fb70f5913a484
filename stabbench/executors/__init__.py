"""Where jobs run: in this process, in a pool of processes, or on the machines of a Ray cluster. One interface."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from stabbench.errors import StabbenchError
from stabbench.executors._base import Executor as Executor
from stabbench.executors._base import InProcess as InProcess
from stabbench.executors._base import Lost as Lost
from stabbench.executors._base import Tick as Tick
from stabbench.executors._pool import ProcessPool as ProcessPool

if TYPE_CHECKING:
    from stabbench.executors._connection import ask as ask
    from stabbench.executors._connection import connected as connected
    from stabbench.executors._connection import has_gpus as has_gpus
    from stabbench.executors._connection import stay_connected as stay_connected
    from stabbench.executors._ray import RayCluster as RayCluster

_OF_RAY = ("RayCluster", "ask", "connected", "has_gpus", "stay_connected")

__all__ = ["Executor", "InProcess", "Lost", "ProcessPool", "Tick", *_OF_RAY]


def __getattr__(name: str) -> Any:
    """What needs Ray, which is an optional extra and takes a second to import."""
    if name not in _OF_RAY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # It would print half a page about every worker that dies, to the standard output; read as it is imported.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    try:
        from stabbench.executors import _connection, _ray
    except ImportError as error:
        raise StabbenchError(f"Ray cannot be loaded: {error}", 'pip install "stabbench[ray]"') from error
    return getattr(_ray if name == "RayCluster" else _connection, name)
