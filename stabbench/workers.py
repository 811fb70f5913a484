"""Who does the work: how many processes, where, and what they share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from stabbench.cells import Prepared
from stabbench.executors import Executor, InProcess, ProcessPool
from stabbench.fingerprint import why_not_here
from stabbench.machine import available_memory, cores, gpus
from stabbench.plan import Plan
from stabbench.watcher import Watcher

# What a worker needs for its first job: seconds of imports.
ENGINE = "stabbench.engine.trial"
# What a process takes before it has loaded any model.
PROCESS_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Workers:
    """The workers of a plan.

    Attributes:
        executor: Hands them their jobs.
        number: How many there are at most.
        sharing: How many of them share the memory of one device.
    """

    executor: Executor
    number: int
    sharing: int


def find_workers(plan: Plan, ready: Prepared, runs: int, watcher: Watcher) -> Workers:
    """As many as were asked for or are usual, and not more than there are runs.

    Raises:
        StabbenchError: The cluster cannot be joined.
    """
    return _of_cluster(plan, ready, runs, watcher) if plan.executor == "ray" else _local(plan, ready, runs, watcher)


def _local(plan: Plan, ready: Prepared, runs: int, watcher: Watcher) -> Workers:
    devices = gpus() if ready.device == "cuda" else []
    usual = len(devices) or _usual(ready.model.weights_bytes())
    number = min(runs, plan.workers or usual)
    if number > 1:
        try:
            pool = ProcessPool(number, plan.plugins, [ENGINE], devices)
            return Workers(pool, number, sharing=-(-number // max(1, len(devices))))
        except OSError as error:
            watcher.note(f"no pool of processes can be made here ({error}): one process does it all")
    return Workers(InProcess(), 1, sharing=1)


def _of_cluster(plan: Plan, ready: Prepared, runs: int, watcher: Watcher) -> Workers:
    from stabbench.executors import RayCluster

    check = partial(why_not_here, ready.environment)
    cluster = RayCluster(plan.ray_address, plan.workers, ready.device, plan.plugins, check, watcher.note)
    # On a CPU a worker on every core, of machines that are like this one.
    return Workers(cluster, min(runs, cluster.workers), sharing=cores() if ready.device == "cpu" else 1)


def _usual(weights_bytes: int) -> int:
    """One a core, as far as memory allows: weights, a copy, gradients, two moments, and as much for activations."""
    free = available_memory()
    return cores() if free is None else max(1, min(cores(), free // (PROCESS_BYTES + 10 * weights_bytes)))
