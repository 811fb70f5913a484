"""What this machine has: cores, memory, the name of its processor, GPUs."""

from __future__ import annotations

import contextlib
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


def cores() -> int:
    """The cores that this process may use; in a container that is given a share of their time, so many whole ones."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([own, *_quotas()]))


def _quotas() -> Iterator[int]:
    """The whole cores whose time each control group that this process is in may take."""
    for group in _control_groups():
        with contextlib.suppress(OSError, ValueError):  # no limit: "max"
            quota, period = map(int, (group / "cpu.max").read_text().split())
            yield quota // period


def available_memory() -> int | None:
    """Bytes that can be had without swapping, inside a container at most what it is allowed; None if nothing tells."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        try:
            free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (AttributeError, ValueError, OSError):
            return None
    return min([free, *_left_in_container()])


def _left_in_container() -> Iterator[int]:
    """What each control group that this process is in may still take; its files' caches can be dropped."""
    for group in _control_groups():
        with contextlib.suppress(OSError, ValueError):  # no limit: "max"
            limit, used = (int((group / f"memory.{name}").read_text()) for name in ("max", "current"))
            caches = re.search(r"^inactive_file (\d+)", (group / "memory.stat").read_text(), re.MULTILINE)
            yield limit - used + (int(caches[1]) if caches else 0)


def _control_groups() -> list[Path]:
    """The control groups (version 2) that this process is in, from the innermost outwards."""
    try:
        lines = OWN_CGROUP.read_text(encoding="utf-8").splitlines()
        own = CGROUP / next(line[4:] for line in lines if line.startswith("0::/"))
    except (OSError, StopIteration):
        return []
    return [folder for folder in (own, *own.parents) if folder.is_relative_to(CGROUP)]


def cpu_name() -> str:
    """As the system calls the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def gpus() -> list[int]:
    """The GPUs that runs can be spread over: those of the same name as the first, as a run's record has one name."""
    import torch

    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return [i for i, name in enumerate(names) if name == names[0]]


def use_gpu(number: int) -> None:
    """Let this process see only that one of the GPUs that it could see; before torch is loaded."""
    seen = os.environ.get("CUDA_VISIBLE_DEVICES")
    os.environ["CUDA_VISIBLE_DEVICES"] = seen.split(",")[number] if seen else str(number)
