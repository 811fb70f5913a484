"""The GPUs of this machine, as NVIDIA's own tool lists them: torch, which could tell as well, takes seconds to load."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass

_SECONDS = 30


@dataclass(frozen=True)
class Gpu:
    """A GPU that this process may use.

    Attributes:
        number: Its place among those that this process sees.
        name: Its model.
    """

    number: int
    name: str


def visible_gpus() -> list[Gpu]:
    """The GPUs that ``CUDA_VISIBLE_DEVICES`` leaves, of the first one's model; none without nvidia-smi."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    try:
        told = subprocess.run(
            [tool, "--query-gpu=index,uuid,name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return []
    rows = [[part.strip() for part in line.split(",", 2)] for line in told.splitlines() if line.count(",") >= 2]
    names = {key: name for index, uuid, name in rows for key in (index, uuid)}
    seen = os.environ.get("CUDA_VISIBLE_DEVICES")
    chosen = [index for index, _, _ in rows] if seen is None else [part.strip() for part in seen.split(",")]
    # CUDA reads the list up to the first that is none.
    found: list[Gpu] = []
    for key in chosen:
        if key not in names:
            break
        found.append(Gpu(len(found), names[key]))
    return [gpu for gpu in found if gpu.name == found[0].name]
