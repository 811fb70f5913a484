"""Who does the work: how many processes, where, and what they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from stabbench._system.machine import available_memory, cores, gpus
from stabbench.runner.cells import RecipeCell, ResolvedRecipes, count_runs
from stabbench.runner.executors import Executor, InProcess, ProcessPool
from stabbench.runner.fingerprint import why_not_here
from stabbench.runner.progress import Progress
from stabbench.runner.resources import Resources

# What a worker needs for its first job: seconds of imports.
ENGINE = "stabbench.engine.trial"
# What a process takes before it has loaded any model.
PROCESS_BYTES = 512 * 2**20
# A worker spends seconds of a core on imports: for less than a second of work it does not pay.
PAYS_SECONDS = 1.0
# Of one seed on a core, about: overheads, and arithmetic for every byte of the weights.
STEP_SECONDS, STEP_SECONDS_A_BYTE = 0.007, 4e-9


@dataclass(frozen=True)
class Workers:
    """The workers that train a plan.

    Attributes:
        executor: Hands them their jobs.
        number: How many there are at most.
        sharing: How many of them share the memory of one device.
    """

    executor: Executor
    number: int
    sharing: int


def find_workers(
    resolved: ResolvedRecipes, resources: Resources, missing: Sequence[RecipeCell], progress: Progress
) -> Workers:
    """As many as the user chose or as pay, and not more than there are runs.

    Raises:
        StabbenchError: The cluster cannot be joined.
    """
    find = _of_cluster if resources.executor == "ray" else _local
    return find(resolved, resources, missing, progress)


def _local(
    resolved: ResolvedRecipes, resources: Resources, missing: Sequence[RecipeCell], progress: Progress
) -> Workers:
    devices = gpus() if resolved.device == "cuda" else []
    usual = len(devices) or _usual(resolved.model.weights_bytes(), sum(cell.all_steps for cell in missing))
    number = min(count_runs(missing), resources.workers or usual)
    if number > 1:
        try:
            pool = ProcessPool(number, resources.plugins, [ENGINE], devices)
            return Workers(pool, number, sharing=-(-number // max(1, len(devices))))
        except OSError as error:
            progress.note(f"no pool of processes can be made here ({error}): one process does it all")
    return Workers(InProcess(), 1, sharing=1)


def _of_cluster(
    resolved: ResolvedRecipes, resources: Resources, missing: Sequence[RecipeCell], progress: Progress
) -> Workers:
    from stabbench.runner.executors import RayCluster

    check = partial(why_not_here, resolved.environment)
    cluster = RayCluster(
        resources.ray_address, resources.workers, resolved.device, resources.plugins, check, progress.note
    )
    # On a CPU a worker on every core, of machines that are like this one.
    return Workers(
        cluster, min(count_runs(missing), cluster.workers), sharing=cores() if resolved.device == "cpu" else 1
    )


def _usual(weights_bytes: int, steps: int) -> int:
    """One a core, as far as the work pays for their start and memory allows.

    A worker needs memory for weights, a copy, gradients, two moments, and as much for activations.
    """
    free = available_memory()
    paying = int(steps * (STEP_SECONDS + STEP_SECONDS_A_BYTE * weights_bytes) / PAYS_SECONDS)
    fitting = cores() if free is None else free // (PROCESS_BYTES + 10 * weights_bytes)
    return max(1, min(cores(), paying, fitting))
