"""How the seeds of one recipe are put into groups that are trained together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stabbench.records.seeds import Seeds

# On a CPU, stacking pays while a step is bound by overheads: docs/speed.md has the measurements.
MOST_STACKED = 16
# A larger model keeps a core busy by itself, and K copies of it only cost memory.
STACK_WEIGHTS_BYTES = 256 * 2**20
# Some of what is free stays free: other programs, and what lies between PyTorch's tensors.
USABLE = 0.9


def most_stacked(device: str, weights_bytes: int, needed: int | None = None, free: int | None = None) -> int | None:
    """How many seeds are worth training together, and fit.

    Args:
        device: ``"cpu"`` or ``"cuda"``.
        weights_bytes: The size of the model's weights.
        needed: Bytes that one seed takes, if that was measured.
        free: Bytes that there are for one group, if that is known.

    Returns:
        At least 1; None for no limit, on a GPU.
    """
    most = max(1, min(MOST_STACKED, STACK_WEIGHTS_BYTES // max(1, weights_bytes))) if device == "cpu" else None
    if needed is None or free is None:
        return most
    fitting = max(1, int(USABLE * free) // max(1, needed))
    return fitting if most is None else min(most, fitting)


def group_seeds(seeds: Sequence[Seeds], stack: int | None, workers: int, most: int | None) -> list[list[Seeds]]:
    """Split the seeds of one recipe into groups that are trained together.

    Args:
        seeds: What there is to train.
        stack: The size of a group; None chooses: as many groups as keep all workers busy.
        workers: Processes.
        most: The largest group that is chosen; None for no limit.
    """
    if not seeds:
        return []
    if stack is not None:
        return [list(seeds[i : i + stack]) for i in range(0, len(seeds), stack)]
    groups = -(-len(seeds) // (most or len(seeds)))
    groups = min(len(seeds), -(-groups // workers) * workers)
    # Even groups: the first ones take one more where it does not divide.
    size, extra = divmod(len(seeds), groups)
    ends = [size * (i + 1) + min(i + 1, extra) for i in range(groups)]
    return [list(seeds[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


def resumed_groups(
    runs: Sequence[str], seeds: Mapping[str, Seeds], stack: int | None, most: int | None, *, may_be_split: bool
) -> list[list[Seeds]]:
    """The groups in which the group of a checkpoint goes on; none where it cannot.

    Args:
        runs: The identities of its runs, which are all at the same step.
        seeds: What there is to train, by identity.
        stack: The size of a group, at most; None chooses.
        most: The largest group that is chosen; None for no limit.
        may_be_split: Whether a part of the group ends with the same numbers.
    """
    found = [seeds[run] for run in runs if run in seeds]
    parts = group_seeds(found, stack, 1, most)
    return parts if may_be_split or (len(parts) == 1 and len(found) == len(runs)) else []
