"""Where jobs run: in this process, in a pool of processes, or on the machines of a Ray cluster. One interface."""

from stabbench.executors._base import Executor as Executor
from stabbench.executors._base import InProcess as InProcess
from stabbench.executors._base import Lost as Lost
from stabbench.executors._base import Tick as Tick
from stabbench.executors._pool import ProcessPool as ProcessPool

__all__ = ["Executor", "InProcess", "Lost", "ProcessPool", "Tick"]
