"""No step waits for the device: nothing in it reads a tensor's value on the host.

On a GPU every such read stops the queue of kernels. On the CPU it costs nothing, but it is the same operation, so it is
counted here, with the packed batches of a GPU. A copy to the host cannot be seen without one: there is a test for that
on a GPU.
"""

from typing import Any

import pytest
import torch
from lab_training import LAB, resolved
from torch.utils._python_dispatch import TorchDispatchMode

from stabbench.engine.ambient import own_settings
from stabbench.engine.inputs import Inputs
from stabbench.engine.stacking.models import StackedModel
from stabbench.engine.train import Training
from stabbench.models.loading import load_model
from stabbench.recipes import OPTIMIZERS
from stabbench.records.seeds import Seeds

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


def training(text: str, data: Inputs, device: str, steps: int) -> Training:
    recipe = resolved(text)
    pretrained, layout = load_model(LAB, 2, recipe.dropout)
    model = StackedModel(pretrained.to(torch.device(device)), 2)  # type: ignore[arg-type]
    seeds = [Seeds.of(0), Seeds.of(1)]
    return Training(recipe, model, layout, data.to(torch.device(device)), seeds, total_steps=12, steps=steps)


@pytest.mark.usefixtures("packed_as_on_a_gpu")
@pytest.mark.parametrize(
    "text",
    [
        "devlin", "mixout", "cwgnc", "reinit", "llrd", "gradual-unfreezing", "adagc", "r3f", "ema",
        *(f"child-tuning:mode=F,optimizer={name}" for name in OPTIMIZERS),
    ],
)  # fmt: skip
def test_a_step_reads_no_value_on_the_host(text: str, data: Inputs) -> None:
    with own_settings():
        made = training(f"{text}{',' if ':' in text else ':'}epochs=1", data, "cpu", 3)
        with Reads() as reads:
            made.run(lambda step: None)
            before = list(reads.found)
            torch.ones(1).item()
    assert before == []
    assert reads.found  # it would have been seen


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
@pytest.mark.parametrize("text", ["devlin", "mixout"])
def test_no_step_waits_for_a_gpu(text: str, data: Inputs) -> None:
    """The last step is followed by the copying of what was measured, which has to wait."""
    steps = 4
    made = training(text, data, "cuda", steps)

    def watch(step: int) -> None:
        torch.cuda.set_sync_debug_mode("error" if step < steps - 1 else "default")

    try:
        made.run(watch)
    finally:
        torch.cuda.set_sync_debug_mode("default")
