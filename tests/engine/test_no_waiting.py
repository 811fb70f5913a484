"""No step waits for the device: nothing in it reads a tensor's value on the host.

On a GPU every such read stops the queue of kernels. On the CPU it costs nothing, but it is the same operation, so it is
counted here; `torch.cuda.set_sync_debug_mode("error")` is the test on a GPU.
"""

from typing import Any

import pytest
import torch
from lab_training import fit, resolved
from torch.utils._python_dispatch import TorchDispatchMode

from stabbench.engine.inputs import Inputs
from stabbench.seeds import Seeds

# What gives the host a value, or a shape that depends on values.
READS = ("_local_scalar_dense", "equal", "is_nonzero", "nonzero", "masked_select", "_unique2", "allclose")


class Reads(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.overloadpacket.__name__ in READS:
            self.found.append(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("text", ["devlin", "mixout", "cwgnc", "reinit", "llrd", "gradual-unfreezing"])
def test_a_step_reads_no_value_on_the_host(text: str, data: Inputs) -> None:
    with Reads() as reads:
        fit(resolved(f"{text}:epochs=1"), data, [Seeds.of(0), Seeds.of(1)], max_steps=3)
        before = list(reads.found)
        torch.ones(1).item()
    assert before == []
    assert reads.found  # it would have been seen
