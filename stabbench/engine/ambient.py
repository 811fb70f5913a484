"""PyTorch in the state that a run needs, whatever the program around it has set.

In a program of the user's own, a run may start under ``torch.autocast``, with another default type or in inference
mode. That would change its numbers, and its identity says nothing of it. So everything of the kind is set for as long
as the run takes and put back afterwards, as is the state of every random generator that the program may go on to use.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

_Switch = tuple[Callable[[], Any], Callable[[Any], Any], Any]


@contextlib.contextmanager
def own_settings(matmul_precision: str = "highest", *, deterministic: bool = False) -> Iterator[None]:
    """While active, PyTorch's settings and modes are those of a run, and one thread computes.

    With more threads, PyTorch splits sums in ways that depend on how many seeds are stacked.

    Args:
        matmul_precision: As for ``torch.set_float32_matmul_precision``.
        deterministic: As for ``torch.use_deterministic_algorithms``.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_random_states_kept())
        for device in ("cpu", *(["cuda"] if torch.cuda.is_available() else [])):
            stack.enter_context(torch.autocast(device, enabled=False))
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(np.errstate(all="warn", under="ignore"))
        if torch.get_default_device().type != "cpu":
            # Only then: with a default device set, PyTorch asks at every call of any function.
            stack.enter_context(torch.device("cpu"))
        switches = _switches(matmul_precision, deterministic)
        before = [read() for read, _, _ in switches]
        # All are read before one is written, and put back in the same order: the first of the precisions sets others.
        stack.callback(_set, [(read, write, value) for (read, write, _), value in zip(switches, before, strict=True)])
        _set(switches)
        yield


def _set(switches: Sequence[_Switch]) -> None:
    for read, write, value in switches:
        if read() != value:
            write(value)


def _switches(matmul_precision: str, deterministic: bool) -> list[_Switch]:
    """What to set, in order: how to read it, how to write it, and the value that a run needs."""
    backends = torch.backends
    switches: list[_Switch] = [
        (torch.get_num_threads, torch.set_num_threads, 1),
        (torch.get_default_dtype, torch.set_default_dtype, torch.float32),
        (_deterministic, _set_deterministic, (deterministic, False)),
        (_flushes_denormal, torch.set_flush_denormal, False),
        *_attribute(backends.cudnn, "enabled", True),
        *_attribute(backends.cudnn, "benchmark", False),
        *_attribute(backends.cudnn, "deterministic", False),
        *_attribute(backends.mkldnn, "enabled", True),
        *_attribute(backends.cuda.matmul, "allow_fp16_reduced_precision_reduction", True),
        *_attribute(backends.cuda.matmul, "allow_bf16_reduced_precision_reduction", True),
        (backends.cuda.flash_sdp_enabled, backends.cuda.enable_flash_sdp, True),
        (backends.cuda.mem_efficient_sdp_enabled, backends.cuda.enable_mem_efficient_sdp, True),
        (backends.cuda.math_sdp_enabled, backends.cuda.enable_math_sdp, True),
        (backends.cuda.cudnn_sdp_enabled, backends.cuda.enable_cudnn_sdp, True),
    ]
    return [*switches, *_precisions(matmul_precision)]


def _precisions(matmul_precision: str) -> list[_Switch]:
    """Of float32 products: one setting up to PyTorch 2.8, and one of every kind of operation from 2.9 on."""
    product = "tf32" if matmul_precision == "high" else "ieee"
    switches: list[_Switch] = [(_matmul_precision, _set_matmul_precision, matmul_precision)]
    for backend, operation, wanted in (
        ("mkldnn", "matmul", product),
        ("mkldnn", "conv", "ieee"),
        ("mkldnn", "rnn", "ieee"),
        ("cuda", "matmul", product),
        ("cudnn", "conv", "tf32"),
        ("cudnn", "rnn", "tf32"),
    ):
        place = getattr(getattr(torch.backends, backend), operation, None)
        switches += _attribute(place, "fp32_precision", wanted)
    return switches


def _attribute(place: Any, name: str, wanted: Any) -> list[_Switch]:
    """Nothing, where this version of PyTorch has no such attribute."""
    if not hasattr(place, name):
        return []
    return [(lambda: getattr(place, name), lambda value: setattr(place, name, value), wanted)]


def _matmul_precision() -> str | None:
    """None where the operations differ in it: they are read one by one."""
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:
        return None


def _set_matmul_precision(precision: str | None) -> None:
    if precision is not None:
        torch.set_float32_matmul_precision(precision)


def _deterministic() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def _set_deterministic(value: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(value[0], warn_only=value[1])


def _flushes_denormal() -> bool:
    """PyTorch can be told to, but not asked whether it does."""
    return bool((torch.full((1,), 1e-310, dtype=torch.float64, device="cpu") * 0.5).item() == 0)


@contextlib.contextmanager
def _random_states_kept() -> Iterator[None]:
    python, numpy = random.getstate(), np.random.get_state()
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
