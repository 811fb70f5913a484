"""The state of a group in the middle of its training, written now and then, from which it goes on to the same numbers.

All arrays have the seeds as their first axis. As a seed's numbers do not depend on its neighbours on a CPU, a part of
the group goes on from its part of them.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from stabbench.engine.curve import Curve
from stabbench.engine.job import Job
from stabbench.engine.stacking.models import OneSeedModel
from stabbench.engine.train import Training
from stabbench.records.checkpoints import Array, Checkpoint, Header

# Writing takes at most this share of a training's time.
SHARE = 0.01
# What a disk is believed to write in a second, before one has shown it.
WRITTEN_BYTES = 500e6
MOMENTS = ("exp_avg", "exp_avg_sq")


class GroupCheckpoint:
    """Where a group goes on, and what it leaves for another process to go on from.

    Args:
        job: Its job.
    """

    _training: Training
    _curve: Curve

    def __init__(self, job: Job) -> None:
        self._job = job
        self._cell = job.fingerprint.cell_id
        self._runs = [job.fingerprint.run_id(seeds) for seeds in job.seeds]
        self._started = self._last = time.perf_counter()
        self._before = 0.0
        self._cost: float | None = None

    @property
    def seconds(self) -> float:
        """What each seed has taken until now, with what it took before the checkpoint that it went on from."""
        return self._before + (time.perf_counter() - self._started) / len(self._runs)

    def begin(self, training: Training, curve: Curve) -> None:
        """Go on from the furthest checkpoint of this group, if there is one; on a GPU, of exactly this group."""
        self._training, self._curve = training, curve
        if self._job.checkpoints is not None:
            exact = self._job.device != "cpu"
            found = self._job.checkpoints.find(self._cell, self._runs, stacked=self._job.stacked, exact=exact)
            if found is not None:
                self._before = found.header.seconds
                _restore(training, curve, found, self._runs)
        self._last = time.perf_counter()

    def step_made(self) -> None:
        """Write a checkpoint, if it is time for one."""
        checkpoints, now = self._job.checkpoints, time.perf_counter()
        if checkpoints is None or now - self._last < checkpoints.interval:
            return
        size = _bytes(self._training)
        cost = size / WRITTEN_BYTES if self._cost is None else self._cost
        if checkpoints.interval and SHARE * (now - self._last) < cost:
            return
        if checkpoints.has_room(size):
            with contextlib.suppress(OSError):  # the training itself needs none
                numbers = _numbers(self._training, self._curve)
                header = Header(self._runs, self._job.stacked, self._training.made, self.seconds, numbers)
                arrays = ((name, values.cpu().numpy()) for name, values in _tensors(self._training, self._curve))
                checkpoints.write(self._cell, header, arrays)
            self._cost = time.perf_counter() - now
        self._last = time.perf_counter()


def _restore(training: Training, curve: Curve, found: Checkpoint, runs: Sequence[str]) -> None:
    """Put a training that has not begun where its runs were when the checkpoint was written."""
    numbers, rows = found.header.numbers, [found.header.runs.index(run) for run in runs]
    curve.steps, training.probes.steps = numbers["evaluation_steps"], numbers["probe_steps"]
    curve.scores, curve.validation_scores = (
        [[scores[row] for row in rows] for scores in numbers[name]] for name in ("scores", "validation_scores")
    )
    training.made = found.header.made
    for number in range(training.stage + 1):
        training.stages.enter(number)
    device = training.stages.dropout.device
    with found.arrays(runs) as array:
        training.permutations = torch.from_numpy(array("permutations"))
        for observer in training.observers:
            observer.restore(lambda name: torch.from_numpy(array(name)).to(device))
        curve.restore(lambda name: torch.from_numpy(array(name)))
        for generators, name in _generators(training):
            for generator, state in zip(generators, torch.from_numpy(array(name)), strict=True):
                generator.set_state(state.clone())  # of a memory that is not PyTorch's own, it would crash
        _restore_weights(training, array, numbers)
        if "averages" in numbers:
            training.gradients.memory = torch.from_numpy(array("clipping")).to(device).clone()
            training.averages.values = {
                name: torch.from_numpy(array(f"averages/{name}")).to(device).clone() for name in numbers["averages"]
            }
        if isinstance(training.model, OneSeedModel):
            torch.set_rng_state(torch.from_numpy(array("global"))[0].clone())
            if device.type == "cuda":
                torch.cuda.set_rng_state(torch.from_numpy(array("global_cuda"))[0].clone(), device)


@torch.no_grad()
def _restore_weights(training: Training, array: Callable[[str], Array], numbers: dict[str, Any]) -> None:
    for name, parameter in training.model.parameters.items():
        parameter.copy_(torch.from_numpy(array(f"parameters/{name}")))
        if name in numbers["updates"]:
            kept = numbers.get("states", {}).get(name, {"tensors": MOMENTS})
            # Cloned, as above.
            state = {
                key: torch.from_numpy(array(f"{key}/{name}")).to(parameter.device).clone() for key in kept["tensors"]
            }
            state |= {key: torch.tensor(value) for key, value in kept.get("scalars", {}).items()}
            training.stages.optimizer.state[parameter].update(step=numbers["updates"][name])
            training.stages.optimizer.state[parameter].update({**state, **kept.get("numbers", {})})
    for name, buffer in training.model.buffers.items():
        buffer.copy_(torch.from_numpy(array(f"buffers/{name}")))


def _tensors(training: Training, curve: Curve) -> Iterator[tuple[str, Tensor]]:
    """One after the other, ``[seeds, ...]`` each."""
    for observer in training.observers:
        yield from observer.state().items()
    yield from curve.state().items()
    yield "permutations", training.permutations
    for generators, name in _generators(training):
        yield name, torch.stack([generator.get_state() for generator in generators])
    for name, parameter in training.model.parameters.items():
        yield f"parameters/{name}", parameter.detach()
        for key, values in training.stages.optimizer.state.get(parameter, {}).items():
            if _is_array(values):
                yield f"{key}/{name}", values
    yield "clipping", training.gradients.memory
    for name, values in training.averages.values.items():
        yield f"averages/{name}", values
    for name, buffer in training.model.buffers.items():
        yield f"buffers/{name}", buffer
    if isinstance(training.model, OneSeedModel):
        # It may draw from PyTorch's own generator; a stack does not.
        yield "global", torch.get_rng_state().unsqueeze(0)
        device = training.stages.dropout.device
        if device.type == "cuda":
            yield "global_cuda", torch.cuda.get_rng_state(device).unsqueeze(0)


def _is_array(value: object) -> bool:
    return isinstance(value, Tensor) and value.dim() > 0


def _kinds(state: dict[str, Any]) -> dict[str, Any]:
    """What an optimizer keeps of a parameter: the names of tensors of all seeds, and numbers, as JSON values.

    PyTorch's own optimizers keep some of the numbers as tensors.
    """
    others = {key: value for key, value in state.items() if not _is_array(value)}
    return {
        "tensors": [key for key in state if key not in others],
        "scalars": {key: value.item() for key, value in others.items() if isinstance(value, Tensor)},
        "numbers": {key: value for key, value in others.items() if not isinstance(value, Tensor)},
    }


def _bytes(training: Training) -> int:
    """What a checkpoint takes: the weights, and all that the optimizer keeps."""
    states = [value for state in training.stages.optimizer.state.values() for value in state.values()]
    weights = list(training.model.parameters.values())
    return sum(value.nbytes for value in (*weights, *states) if isinstance(value, Tensor))


def _generators(training: Training) -> list[tuple[list[torch.Generator], str]]:
    return [(training.stages.dropout.generators, "dropout"), (training.stages.order.generators, "order")]


def _numbers(training: Training, curve: Curve) -> dict[str, object]:
    parameters, state = training.model.parameters, training.stages.optimizer.state
    return {
        "probe_steps": training.probes.steps,
        "updates": {name: int(state[p].get("step", 0)) for name, p in parameters.items() if p in state},
        "states": {name: _kinds(state[p]) for name, p in parameters.items() if p in state},
        "averages": list(training.averages.values),
        "evaluation_steps": curve.steps,
        "scores": curve.scores,
        "validation_scores": curve.validation_scores,
    }
