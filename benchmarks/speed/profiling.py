"""Where a step of the engine goes: speed work starts from here."""

from __future__ import annotations

from torch.profiler import ProfilerActivity, profile, schedule

from .by_stabbench import Engine
from .contender import WARM_UP_STEPS
from .workload import Workload, device

STEPS = 10
OPERATORS = 15


def profiled(workload: Workload, stack: int) -> str:
    """The operators that take most time by themselves, over a few steps: the device's time on a GPU."""
    on_gpu = device().type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    engine = Engine(workload, stack)
    steps = schedule(wait=0, warmup=WARM_UP_STEPS, active=STEPS, repeat=1)
    with profile(activities=activities, schedule=steps) as profiler:
        engine(range(stack), WARM_UP_STEPS + STEPS, on_step=lambda _: profiler.step())
    table: str = profiler.key_averages().table(
        sort_by="self_device_time_total" if on_gpu else "self_cpu_time_total", row_limit=OPERATORS
    )
    return f"{STEPS} steps of {stack} seeds; ProfilerStep is what happens between the operators\n\n{table}"
