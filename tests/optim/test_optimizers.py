"""The other optimizers against PyTorch's own, or against their papers' formulas written out here; and seed by seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from stabbench import optim

STEPS = 30
# The first rate is that of a warmup; later ones fall.
RATES = [0.0, *np.linspace(2e-2, 1e-3, STEPS - 1).tolist()]
SHAPES: list[tuple[int, ...]] = [(5,), (4, 3), (3, 4, 5)]
ALL = ["TorchAdamW", "SGD", "RAdam", "NAdam", "Adafactor", "Lion", "StableAdamW", "ScheduleFreeAdamW"]
Array = NDArray[np.float64]


@pytest.fixture
def _double() -> Iterator[None]:
    """PyTorch keeps the numbers of its optimizers' states in this type: NAdam's product of momenta."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def gradients(shape: Sequence[int], number: int = STEPS) -> list[Tensor]:
    """Of sizes that differ by powers of ten."""
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(*shape, generator=generator, dtype=torch.float64) * 10.0 ** (i % 4 - 2) for i in range(number)]


def start(shape: Sequence[int]) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def walked(make: Callable[[list[nn.Parameter]], torch.optim.Optimizer], shape: Sequence[int], seeds: int = 0) -> Tensor:
    """Where an optimizer ends; with ``seeds`` the parameter has their axis."""
    parameter = nn.Parameter(start(shape).expand(seeds, *shape).clone() if seeds else start(shape))
    optimizer = make([parameter])
    for rate, gradient in zip(RATES, gradients(shape), strict=True):
        optimizer.param_groups[0]["lr"] = rate
        parameter.grad = gradient.expand_as(parameter).clone()
        optimizer.step()
    scored = optimizer.scored if isinstance(optimizer, optim.SeedOptimizer) else ""
    return optimizer.state[parameter][scored] if scored else parameter.detach()


@pytest.mark.usefixtures("_double")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize(
    ("ours", "theirs", "settings"),
    [
        (optim.TorchAdamW, torch.optim.AdamW, {}),
        (optim.RAdam, torch.optim.RAdam, {"decoupled_weight_decay": True}),
        (optim.NAdam, torch.optim.NAdam, {"decoupled_weight_decay": True}),
        (optim.Adafactor, torch.optim.Adafactor, {}),
    ],
)
def test_what_pytorch_has_too_is_the_same(
    ours: Any, theirs: Any, settings: dict[str, Any], decay: float, shape: tuple[int, ...]
) -> None:
    expected = walked(lambda p: theirs(p, lr=1.0, weight_decay=decay, **settings), shape)
    got = walked(lambda p: ours(p, lr=1.0, weight_decay=decay), shape, seeds=2)
    torch.testing.assert_close(got, expected.expand(2, *shape), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_is_pytorchs_with_a_decay_of_its_own(momentum: float) -> None:
    expected = walked(lambda p: torch.optim.SGD(p, lr=1.0, momentum=momentum), (4, 3))
    got = walked(lambda p: optim.SGD(p, lr=1.0, momentum=momentum), (4, 3), seeds=1)
    torch.testing.assert_close(got[0], expected, rtol=1e-12, atol=1e-13)
    still = nn.Parameter(torch.ones(1, 2))
    still.grad = torch.zeros(1, 2)
    optim.SGD([still], lr=0.1, weight_decay=0.5).step()
    torch.testing.assert_close(still.detach(), torch.full((1, 2), 0.95))


def lion(w: Array, gs: list[Array], decay: float) -> Array:
    """Chen et al. 2023, Program 1."""
    m = np.zeros_like(w)
    for g, lr in zip(gs, RATES, strict=True):
        update = np.sign(0.9 * m + 0.1 * g)
        m = 0.99 * m + 0.01 * g
        w = w - lr * (update + decay * w)
    return w


def stable_adamw(w: Array, gs: list[Array], decay: float) -> Array:
    """Wortsman et al. 2023, Algorithm 2, with betas 0.9 and 0.999 and eps 1e-8."""
    v, u = np.zeros_like(w), np.zeros_like(w)
    for t, (g, lr) in enumerate(zip(gs, RATES, strict=True), start=1):
        beta1, beta2 = (b * (1 - b ** (t - 1)) / (1 - b**t) for b in (0.9, 0.999))
        v = beta1 * v + (1 - beta1) * g
        u = beta2 * u + (1 - beta2) * g**2
        rms = math.sqrt(np.mean(g**2 / np.maximum(u, 1e-16)))
        eta = lr / max(1, rms)
        w = w - eta * decay * w - eta * v / (np.sqrt(u) + 1e-8)
    return w


def schedule_free(w: Array, gs: list[Array], decay: float) -> Array:
    """Defazio et al. 2024, Algorithm 1 with beta 0.9: the weights of the average are the squares of the rates."""
    x, z, v, total = w.copy(), w.copy(), np.zeros_like(w), 0.0
    for t, (g, lr) in enumerate(zip(gs, RATES, strict=True), start=1):
        y = 0.1 * z + 0.9 * x
        v = 0.999 * v + 0.001 * g**2
        z = z - lr * g / (np.sqrt(v / (1 - 0.999**t)) + 1e-8) - lr * decay * y
        weight = max(RATES[:t]) ** 2
        total += weight
        c = weight / total if total else 0.0
        x = (1 - c) * x + c * z
    return x


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize(
    ("ours", "reference"),
    [(optim.Lion, lion), (optim.StableAdamW, stable_adamw), (optim.ScheduleFreeAdamW, schedule_free)],
)
def test_the_papers_formulas(ours: Any, reference: Any, decay: float, shape: tuple[int, ...]) -> None:
    expected = reference(start(shape).numpy(), [g.numpy() for g in gradients(shape)], decay)
    got = walked(lambda p: ours(p, lr=1.0, weight_decay=decay), shape, seeds=1)
    np.testing.assert_allclose(got[0].numpy(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shape", [(), (2,), (16,), (33,), (7, 16), (5, 7), (9, 1), (106, 32), (3, 4, 5)])
@pytest.mark.parametrize("name", ALL)
def test_a_seeds_update_has_the_same_bits_in_any_stack(name: str, shape: tuple[int, ...]) -> None:
    def trained(seeds: slice) -> list[Tensor]:
        generator = torch.Generator().manual_seed(1)
        parameter = nn.Parameter(torch.randn(7, *shape, generator=generator)[seeds])
        optimizer = getattr(optim, name)([parameter], lr=1e-2, weight_decay=0.1)
        for _ in range(7):
            parameter.grad = torch.randn(7, *shape, generator=generator)[seeds]
            optimizer.step()
        return [parameter.detach(), *(v for v in optimizer.state[parameter].values() if isinstance(v, Tensor))]

    together = trained(slice(7))
    for seeds in (slice(2, 3), slice(4, 7)):
        for alone, all_of_them in zip(trained(seeds), together, strict=True):
            assert torch.equal(alone, all_of_them[seeds])


@pytest.mark.parametrize("name", ALL)
def test_a_decay_pulls_towards_the_anchors(name: str) -> None:
    """Without a gradient, a share of the whole way is the anchor itself."""
    parameter, anchor = nn.Parameter(torch.randn(2, 3, 4)), torch.randn(2, 3, 4)
    made = getattr(optim, name)([{"params": [parameter], "anchors": [anchor]}], lr=0.5, weight_decay=2.0)
    parameter.grad = torch.zeros(2, 3, 4)
    made.step()
    scored = made.state[parameter][made.scored] if made.scored else parameter.detach()
    torch.testing.assert_close(scored, anchor)


@pytest.mark.parametrize(
    "wrong",
    [{"lr": -1.0}, {"lr": math.inf}, {"weight_decay": -0.1}, {"beta1": 1.0}, {"beta2": -0.1}, {"eps": math.nan}],
)
def test_hyperparameters_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        optim.TorchAdamW([nn.Parameter(torch.ones(1))], **wrong)


def test_a_parameter_without_a_gradient_is_left_alone_and_has_no_state() -> None:
    for name in ALL:
        parameter = nn.Parameter(torch.ones(1, 2))
        made = getattr(optim, name)([parameter], lr=0.1, weight_decay=0.1)
        made.step()
        assert torch.equal(parameter.detach(), torch.ones(1, 2))
        assert not made.state
