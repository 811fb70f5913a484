"""Device memory: what a training takes, what there is, and how to get there."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable

import torch
from torch import Tensor

from stabbench._system.machine import available_memory


def release(device: torch.device) -> None:
    """Free memory that is no longer used, and PyTorch's cache of it, so that others can have it."""
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
    """The memory that a training could have, after :func:`release`; None where that is unknown."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return available_memory()


def to_device_async(values: Tensor, device: torch.device) -> Tensor:
    """A copy on the device, made without waiting for the device's queue."""
    if device.type != "cuda":
        return values
    # Pinned, or else the copy would block.
    return values.contiguous().pin_memory().to(device, non_blocking=True)
