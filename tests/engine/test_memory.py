"""What is measured of memory holds for the whole training, whatever the recipe, and want of it is recognised."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from lab_training import tensors

from stabbench._system.machine import is_out_of_memory
from stabbench.engine.engine import Engine
from stabbench.engine.inputs import Inputs
from stabbench.engine.job import Job
from stabbench.engine.memory import peak_bytes, to_device_async
from stabbench.engine.stacking.models import StackedModel
from stabbench.recipes import parse_recipe
from stabbench.records.seeds import Seeds
from stabbench.runner.plan import Plan
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources
from stabbench.tasks.registry import load_task

pytestmark = pytest.mark.long

CPU = torch.device("cpu")


def quiet(steps: int) -> None:
    """Nobody is told of the progress."""


def job(text: str, seeds: int) -> Job:
    chosen = [Seeds.of(n) for n in range(seeds)]
    resolved = resolve(Plan([parse_recipe(text)], "lab/entailment", "lab", chosen), Resources(device="cpu"))
    (cell,) = resolved.cells
    return Job(
        recipe=cell.recipe, label=cell.label, task=cell.source, model=resolved.model,
        seeds=tuple(chosen), stacked=True, device="cpu", max_steps=None, fingerprint=cell.fingerprint,
    )  # fmt: skip


def test_the_peak_is_that_of_what_lives_at_the_same_time() -> None:
    def three_of_which_two_at_a_time() -> None:
        first = torch.empty(10**6)
        second = torch.empty(10**6)
        del first
        torch.empty(10**6)
        del second

    assert peak_bytes(three_of_which_two_at_a_time, CPU) == pytest.approx(8 * 10**6, rel=0.01)


@pytest.mark.parametrize(
    "text",
    ["devlin:steps=13", "mixout:steps=13", "gradual-unfreezing:steps=13", "gradual-unfreezing-restart:steps=13",
     "pretrained-weight-decay:steps=13", "bias-correction:steps=3,batch_size=4"],
)  # fmt: skip
def test_a_stack_takes_no_more_than_its_seeds_one_by_one(text: str) -> None:
    needed = Engine().memory(job(text, 1), quiet).needed
    assert needed is not None
    assert 0.5 * 3 * needed < peak_bytes(lambda: Engine().train(job(text, 3), quiet), CPU) < 1.1 * 3 * needed


def test_the_longest_examples_are_found(data: Inputs) -> None:
    longest = data.longest(3)
    lengths = data.real.sum(1)
    assert longest.real.sum(1).tolist() == sorted(lengths)[:-4:-1]
    assert len(longest) == 3
    assert torch.equal(longest.tokens["attention_mask"].sum(1), torch.from_numpy(longest.real.sum(1)))
    assert len(data.longest(10**6)) == len(data)


@pytest.mark.parametrize("text", ["devlin", "gradual-unfreezing:stages=2"])
def test_it_is_measured_on_the_longest_examples(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    logits = StackedModel.logits

    def noting(self: StackedModel, tokens: Any, weights: Any, real: Any, *streams: Any) -> torch.Tensor:
        seen.append(int(real.sum()))
        return logits(self, tokens, weights, real, *streams)

    planned = job(text, 1)  # before the method is replaced, which a plan refuses
    monkeypatch.setattr(StackedModel, "logits", noting)
    Engine().memory(planned, quiet)
    task = load_task("lab/entailment")
    batch, scored = (sorted(tensors(examples).real.sum(1))[-number:] for examples, number in
                     ((task.train, 16), (task.evaluation, 100)))  # fmt: skip
    assert len(seen) in (3, 5)  # two steps of every stage
    assert seen == [sum(batch)] * (len(seen) - 1) + [sum(scored)]


def test_a_pace_has_every_stage_and_every_evaluation() -> None:
    pace = Engine().pace(job("gradual-unfreezing:steps=26,evaluations=2", 2), quiet)
    assert pace.evaluations > 2
    assert pace.of(4, 100) - pace.setup == pytest.approx(2 * (pace.of(2, 100) - pace.setup))
    assert min(pace.setup, pace.step, pace.evaluation) > 0


@pytest.mark.parametrize("values", [torch.arange(4).expand(2, -1), torch.arange(12).view(2, 6)[:, 2:4]])
def test_what_goes_to_a_gpu_is_pinned_in_memory_of_its_own(
    values: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a GPU only the host's half can be seen: rows that share memory cannot be pinned as they are."""
    pinned: list[torch.Tensor] = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: pinned.append(self) or self)
    monkeypatch.setattr(torch.Tensor, "to", lambda self, device, non_blocking: self if non_blocking else device)
    assert torch.equal(to_device_async(values, torch.device("cuda")), values)
    assert pinned[0].is_contiguous()
    assert pinned[0].untyped_storage().nbytes() == values.numel() * values.element_size()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
        (ValueError("out of memory"), False),
        (OSError(12, "Cannot allocate memory"), True),
        (OSError(28, "No space left on device"), False),
    ],
)
def test_want_of_memory_is_told_from_other_errors(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


def test_a_model_that_changed_since_it_was_planned_is_not_trained(tmp_path: Path) -> None:
    made = job("devlin:steps=1", 1)
    other = dataclasses.replace(made.fingerprint, experiment={**made.fingerprint.experiment, "model": "another"})
    with pytest.raises(Exception, match="not those that were planned with"):
        Engine().train(dataclasses.replace(made, fingerprint=other), quiet)
