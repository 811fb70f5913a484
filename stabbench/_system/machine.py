"""What this machine has: cores, memory, the name of its processor, GPUs."""

from __future__ import annotations

import contextlib
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

# What the allocator of the CPU, CUDA's libraries and the system say in exceptions that are not MemoryError.
SIGNS = (
    "not enough memory", "can't allocate memory", "cannot allocate memory", "out of memory", "alloc_failed",
    "status_not_initialized",
)  # fmt: skip

# Vector instructions that PyTorch has kernels for, the best first, each with the flag that tells of it.
VECTORS = {"avx512": "avx512f", "avx2": "avx2", "sve": "sve", "neon": "asimd"}

CPUINFO = Path("/proc/cpuinfo")
CGROUP = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


def cores() -> int:
    """The cores that this process may use; in a container with a share of their time, that share in whole cores."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([own, *_quotas()]))


def _quotas() -> Iterator[int]:
    """The whole cores whose time each control group that this process is in may take."""
    for group in _control_groups():
        with contextlib.suppress(OSError, ValueError):  # no limit: "max"
            quota, period = map(int, (group / "cpu.max").read_text().split())
            yield quota // period


def available_memory() -> int | None:
    """Bytes that are free without swapping, within the limits of a container; None if unknown."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        try:
            free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (AttributeError, ValueError, OSError):
            return None
    return min([free, *_left_in_container()])


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception of PyTorch, Python or the system says that there was no memory left."""
    if isinstance(error, MemoryError):
        return True
    # PyTorch's own is a RuntimeError; reading weights, safetensors raises one of its own.
    kinds = isinstance(error, RuntimeError | OSError) or type(error).__name__ == "SafetensorError"
    return kinds and any(sign in str(error).lower() for sign in SIGNS)


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
    """The processor's name, as the system gives it."""
    return _cpuinfo().get("model name") or platform.processor() or platform.machine()


def cpu_kind() -> str:
    """Which processor this is, and which vector instructions PyTorch uses on it: ``AuthenticAMD 25 1, avx2``.

    Virtual machines of a cloud have names such as "AMD EPYC" for several generations, whose kernels round otherwise.
    """
    found = _cpuinfo()
    keys = ("vendor_id", "cpu family", "model", "CPU implementer", "CPU part")
    which = " ".join(found[key] for key in keys if key in found) or platform.processor() or platform.machine()
    flags = found.get("flags", found.get("Features", "")).split()
    # PyTorch's own choice, which this variable replaces.
    vectors = os.environ.get("ATEN_CPU_CAPABILITY") or next((v for v in VECTORS if VECTORS[v] in flags), "")
    return ", ".join(filter(None, [which, vectors]))


def _cpuinfo() -> dict[str, str]:
    """What Linux says of the first processor."""
    try:
        first = CPUINFO.read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def gpus() -> list[int]:
    """The GPUs that runs can be spread over: those of the same name as the first, as a run's record has one name."""
    import torch

    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return [i for i, name in enumerate(names) if name == names[0]]


def seeing_gpu(number: int) -> dict[str, str]:
    """The environment of a process that is to see only that one of the GPUs that this one sees."""
    seen = os.environ.get("CUDA_VISIBLE_DEVICES")
    return {"CUDA_VISIBLE_DEVICES": seen.split(",")[number] if seen else str(number)}
