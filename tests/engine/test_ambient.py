"""A run in a program of the user's own: its numbers do not depend on what is set there, which it leaves as it was."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stabbench
from stabbench import Store
from stabbench.engine.ambient import _switches, own_settings
from stabbench.records.history import History


@contextlib.contextmanager
def value(read: Callable[[], Any], write: Callable[[Any], Any], wanted: Any) -> Iterator[None]:
    before = read()
    write(wanted)
    try:
        yield
    finally:
        write(before)


def attribute(place: Any, name: str, wanted: Any) -> AbstractContextManager[None]:
    return value(lambda: getattr(place, name), lambda new: setattr(place, name, new), wanted)


def deterministic(on: bool) -> None:
    torch.use_deterministic_algorithms(on, warn_only=on)


STATES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "float64 as the default": lambda: value(torch.get_default_dtype, torch.set_default_dtype, torch.float64),
    "another device as the default": lambda: torch.device("meta"),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "deterministic algorithms": lambda: value(torch.are_deterministic_algorithms_enabled, deterministic, True),
    "two threads": lambda: value(torch.get_num_threads, torch.set_num_threads, 2),
    "medium precision": lambda: value(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "medium"),
    "bf16 products": lambda: attribute(torch.backends.mkldnn.matmul, "fp32_precision", "bf16"),
    "no oneDNN": lambda: attribute(torch.backends.mkldnn, "enabled", False),
    "one kernel of attention": lambda: torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH),
    "denormals flushed": lambda: value(lambda: False, torch.set_flush_denormal, True),
    "NumPy's errors raised": lambda: np.errstate(all="raise"),
}


def state() -> list[Any]:
    """Everything that a run must leave as it was."""
    settings = [read() for read, _, _ in _switches("highest", deterministic=False)]
    modes = [torch.is_autocast_enabled("cpu"), torch.is_grad_enabled(), torch.is_inference_mode_enabled()]
    modes += [torch.get_default_device().type, np.geterr()]
    numpy = np.random.get_state(legacy=True)
    return [settings, modes, random.getstate(), numpy[1].tolist(), torch.random.get_rng_state().tolist()]  # type: ignore[index,union-attr]


def trained(store: Path) -> list[History]:
    (runs,) = stabbench.compare(["devlin"], seeds=1, max_steps=2, store=store).recipes
    with Store(store, write=False) as opened:
        return [opened.history(record.id) for record in runs.records]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[History]:
    return trained(tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("name", STATES)
def test_a_run_has_the_same_numbers_in_every_state_and_leaves_it(
    name: str, plain: list[History], tmp_path: Path
) -> None:
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    with STATES[name]():
        before = state()
        assert trained(tmp_path) == plain
        assert state() == before


@pytest.mark.parametrize("name", STATES)
def test_the_state_is_put_back_after_an_error_too(name: str) -> None:
    with STATES[name]():
        before = state()
        with contextlib.suppress(KeyError), own_settings():
            torch.randn(3)
            random.random()
            np.random.random()
            raise KeyError
        assert state() == before


def test_every_switch_is_at_the_value_of_a_run_inside() -> None:
    with contextlib.ExitStack() as stack:
        for enter in STATES.values():
            stack.enter_context(enter())
        with own_settings():
            assert [read() for read, _, _ in _switches("highest", deterministic=False)] == [
                wanted for _, _, wanted in _switches("highest", deterministic=False)
            ]
            assert not torch.is_inference_mode_enabled()
            assert torch.is_grad_enabled()
            assert torch.zeros(1).device.type == "cpu"
