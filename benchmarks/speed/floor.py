"""The physical floor: what the arithmetic and the memory traffic of a training would take at the device's best.

It counts what no implementation can leave out, and nothing else:

- the matrix products of forward and backward, of one seed's model on batches without any padding (every example as
  long as the average one, which takes a little less than the real lengths do: attention grows with their square);
- Adam's state in float32, whose every step reads weight, gradient and two moments and writes all but the gradient. A
  model that fits into a processor's caches may do better than that.

Not counted are the evaluation, activations, dropout, and everything else. Peak and bandwidth are measured in the same
run, on all cores of a CPU: by a large matrix product in the same precision, and by copying a large tensor.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForSequenceClassification

from stabbench._system.machine import cores

from .contender import cpu_threads, synchronize
from .workload import OUTPUTS, Workload, device

ADAM_BYTES = 28
REPEATS = 5


@dataclass(frozen=True)
class Floor:
    """The floor of one step of one seed.

    Attributes:
        flops: Of its matrix products.
        traffic: Bytes of the optimizer's state, read and written.
        peak: Floating-point operations that the device makes in a second.
        bandwidth: Bytes that it reads and writes in a second.
    """

    flops: float
    traffic: float
    peak: float
    bandwidth: float

    @property
    def step_seconds(self) -> float:
        return self.flops / self.peak + self.traffic / self.bandwidth

    def __str__(self) -> str:
        return (
            f"{self.step_seconds * 1e3:.3g} ms a seed-step: {self.flops / 1e9:,.3g} GFLOP of matrix products "
            f"at {self.peak / 1e9:,.0f} GFLOP/s, and {self.traffic / 1e6:,.3g} MB of Adam's state "
            f"at {self.bandwidth / 1e9:,.1f} GB/s"
        )


def floor(workload: Workload) -> Floor:
    flops, parameters = counted(workload)
    with cpu_threads(cores()):
        return Floor(flops, ADAM_BYTES * parameters, peak(workload), bandwidth())


def counted(workload: Workload) -> tuple[int, int]:
    """FLOPs of one step of one seed, and parameters of its model."""
    config = AutoConfig.from_pretrained(workload.source.folder, num_labels=OUTPUTS)
    # Without data: shapes are all that counts. Attention of the eager kind, as every counter knows its products.
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        model = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager")
        ids = torch.zeros(workload.recipe.batch_size, round(workload.mean_length), dtype=torch.int64)
        model(input_ids=ids, labels=ids[:, 0]).loss.backward()
    return counter.get_total_flops(), sum(parameter.numel() for parameter in model.parameters())


def peak(workload: Workload) -> float:
    side = 8192 if device().type == "cuda" else 2048
    dtype = torch.bfloat16 if workload.recipe.precision == "bf16" else torch.float32
    a, b = (torch.randn(side, side, device=device(), dtype=dtype) for _ in range(2))
    return 2 * side**3 / best_seconds(lambda: torch.mm(a, b))


def bandwidth() -> float:
    numbers = 2**28 if device().type == "cuda" else 2**26
    source = torch.ones(numbers, device=device())
    target = torch.empty_like(source)
    return 2 * source.nbytes / best_seconds(lambda: target.copy_(source))


def best_seconds(work: Callable[[], object]) -> float:
    def seconds() -> float:
        synchronize()
        started = time.perf_counter()
        work()
        synchronize()
        return time.perf_counter() - started

    return min(seconds() for _ in range(1 + REPEATS))
