"""Device memory: what a training takes, what there is, what running out of it looks like, and how to get there."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable

import torch
from torch import Tensor

from stabbench.machine import available_memory

SIGNS = ("not enough memory", "can't allocate memory", "out of memory", "alloc_failed", "status_not_initialized")


def release(device: torch.device) -> None:
    """Give back what nobody uses any more; what PyTorch keeps for later is as good as taken for others."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def peak_bytes(action: Callable[[], object], device: torch.device) -> int:
    """The most that ``action`` has allocated at one time, by PyTorch's own account of its tensors."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        action()
        return torch.cuda.max_memory_allocated(device) - before
    # The profiler prints a line at its start and its end.
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        action()
    # Every allocation and, with a negative size, every release.
    events = [e for e in profile.profiler.kineto_results.events() if e.name() == "[memory]"]
    now = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    return most


def free_bytes(device: torch.device) -> int | None:
    """What a training could have, where nothing is kept that nobody uses; None where nothing tells."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return available_memory()


def sent(values: Tensor, device: torch.device) -> Tensor:
    """On the device, without waiting until it has nothing else to do."""
    if device.type != "cuda":
        return values
    # In pinned memory of its own: else the copy would go by way of memory that is not.
    return values.contiguous().pin_memory().to(device, non_blocking=True)


def is_out_of_memory(error: Exception) -> bool:
    """Whether an exception of PyTorch or Python says that there was no memory left."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    # The allocator of the CPU, and CUDA's libraries, raise a RuntimeError.
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in SIGNS)
