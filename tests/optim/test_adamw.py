"""The optimizer against the papers' formulas, written out again here in float64."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from stabbench.optim import AdamW, adam_bias_correction
from stabbench.optim._adamw import _foreach, _fused


@pytest.mark.parametrize(("step", "factor"), [(1, 0.3162278), (10, 0.1531891), (100, 0.3085659), (1000, 0.7951758)])
def test_bias_correction_has_the_known_values(step: int, factor: float) -> None:
    assert adam_bias_correction(step) == pytest.approx(factor, abs=5e-8)


@given(st.integers(1, 10**6), st.floats(0, 0.9999), st.floats(0, 0.99999))
def test_bias_correction_is_positive_and_finite(step: int, beta1: float, beta2: float) -> None:
    factor = adam_bias_correction(step, beta1, beta2)
    assert 0 < factor < math.inf


@given(st.floats(0, 0.999), st.floats(0, 0.999))
def test_bias_correction_vanishes_in_the_long_run(beta1: float, beta2: float) -> None:
    assert adam_bias_correction(10**6, beta1, beta2) == pytest.approx(1.0)


@pytest.mark.parametrize(("step", "betas"), [(0, (0.9, 0.999)), (1, (1.0, 0.999)), (1, (0.9, 1.0)), (1, (-0.1, 0.9))])
def test_bias_correction_refuses_what_has_no_meaning(step: int, betas: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"step|beta"):
        adam_bias_correction(step, *betas)


def reference(
    w: np.ndarray, gradients: list[np.ndarray], lrs: list[float], decay: float, correction: bool, eps: float
) -> np.ndarray:
    """mosbach2021 eq. 1-2 with decoupled decay, one number at a time."""
    beta1, beta2 = 0.9, 0.999
    w = w.astype(np.float64).copy()
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        alpha = lr * (math.sqrt(1 - beta2**t) / (1 - beta1**t) if correction else 1.0)
        w = w - alpha * m / (np.sqrt(v) + eps)
        w = w - lr * decay * w
    return w


@pytest.mark.parametrize("correction", [True, False])
@pytest.mark.parametrize("decay", [0.0, 0.01, 0.3])
def test_the_whole_update_equals_the_reference_over_a_schedule(correction: bool, decay: float) -> None:
    rng = np.random.default_rng(0)
    start = rng.normal(size=(4, 3))
    gradients = [rng.normal(size=(4, 3)) * 10.0 ** rng.integers(-6, 2) for _ in range(60)]
    lrs = [0.0, *np.linspace(1e-2, 1e-4, 59)]
    parameter = nn.Parameter(torch.tensor(start))
    optimizer = AdamW([parameter], lr=1.0, weight_decay=decay, bias_correction=correction)
    for gradient, lr in zip(gradients, lrs, strict=True):
        optimizer.param_groups[0]["lr"] = lr
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
    expected = reference(start, gradients, lrs, decay, correction, 1e-6)
    np.testing.assert_allclose(parameter.detach().numpy(), expected, rtol=1e-12, atol=1e-14)


def test_eps_stands_outside_the_corrected_root_unlike_in_torch() -> None:
    """At the first step m/sqrt(v) is known, so the two forms differ by where eps is."""
    gradient, lr, eps = 1e-7, 1.0, 1e-6
    ours, theirs = (nn.Parameter(torch.zeros(1, dtype=torch.float64)) for _ in range(2))
    for parameter in (ours, theirs):
        parameter.grad = torch.full((1,), gradient, dtype=torch.float64)
    AdamW([ours], lr=lr, eps=eps, weight_decay=0.0).step()
    torch.optim.AdamW([theirs], lr=lr, eps=eps, weight_decay=0.0).step()
    papers = -lr * adam_bias_correction(1) * (0.1 * gradient) / (math.sqrt(0.001) * gradient + eps)
    assert ours.item() == pytest.approx(papers, rel=1e-12)
    assert abs(ours.item() - theirs.item()) > 0.01


def test_with_a_negligible_eps_it_is_torchs_adamw_but_for_the_order_of_decay() -> None:
    torch.manual_seed(0)
    start = torch.randn(5, dtype=torch.float64)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    optimizers = [
        AdamW([ours], lr=1e-3, eps=1e-30, weight_decay=0.0),
        torch.optim.AdamW([theirs], lr=1e-3, eps=1e-30, weight_decay=0.0),
    ]
    for _ in range(20):
        gradient = torch.randn(5, dtype=torch.float64)
        for parameter, optimizer in zip((ours, theirs), optimizers, strict=True):
            parameter.grad = gradient.clone()
            optimizer.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=0)


def test_decay_is_scaled_by_the_rate_but_not_by_the_correction() -> None:
    parameter = nn.Parameter(torch.ones(1, dtype=torch.float64))
    parameter.grad = torch.zeros(1, dtype=torch.float64)
    AdamW([parameter], lr=0.1, weight_decay=0.5).step()
    assert parameter.item() == pytest.approx(1 - 0.1 * 0.5)


def test_groups_a_scheduler_and_a_state_dict_work_as_in_torch() -> None:
    torch.manual_seed(0)

    def made() -> tuple[nn.Linear, AdamW, torch.optim.lr_scheduler.LambdaLR]:
        torch.manual_seed(1)
        model = nn.Linear(3, 2)
        groups = [{"params": [model.weight], "weight_decay": 0.1}, {"params": [model.bias], "weight_decay": 0.0}]
        optimizer = AdamW(groups, lr=1e-2)
        return model, optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))

    def train(model: nn.Linear, optimizer: AdamW, schedule: torch.optim.lr_scheduler.LambdaLR, steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            model(torch.ones(4, 3)).square().sum().backward()
            optimizer.step()
            schedule.step()

    straight, resumed = made(), made()
    train(*straight, steps=6)
    train(*resumed, steps=3)
    model, optimizer, schedule = made()
    model.load_state_dict(resumed[0].state_dict())
    optimizer.load_state_dict(resumed[1].state_dict())
    schedule.load_state_dict(resumed[2].state_dict())
    train(model, optimizer, schedule, steps=3)
    assert torch.equal(model.weight, straight[0].weight)
    assert torch.equal(model.bias, straight[0].bias)


def test_a_parameter_without_a_gradient_is_left_alone_and_counts_its_own_steps() -> None:
    late, always = nn.Parameter(torch.ones(1, dtype=torch.float64)), nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = AdamW([late, always], lr=0.1, weight_decay=0.1)
    always.grad = torch.ones(1, dtype=torch.float64)
    optimizer.step()
    assert late.item() == 1.0
    late.grad = torch.ones(1, dtype=torch.float64)
    optimizer.step()
    alone = nn.Parameter(torch.ones(1, dtype=torch.float64))
    alone.grad = torch.ones(1, dtype=torch.float64)
    AdamW([alone], lr=0.1, weight_decay=0.1).step()
    assert late.item() == alone.item()


@pytest.mark.parametrize(
    "wrong", [{"lr": -1.0}, {"eps": -1e-9}, {"weight_decay": -0.1}, {"betas": (1.0, 0.9)}, {"lr": float("nan")}]
)
def test_hyperparameters_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        AdamW([nn.Parameter(torch.ones(1))], **{"lr": 0.1, **wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize("lr", [1e-3, 2e-5])
def test_the_fused_kernel_makes_the_same_update_in_one_pass(lr: float) -> None:
    generator = torch.Generator().manual_seed(0)
    ways = {}
    for update in (_foreach, _fused):
        generator.manual_seed(0)
        w, m, v = ([torch.randn(3, 5, generator=generator)] for _ in range(3))
        v = [x.square() * 1e-4 for x in v]
        for _ in range(10):
            update(w, [torch.randn(3, 5, generator=generator) * 1e-2], m, v, lr, (0.9, 0.999), 1e-6)
        ways[update] = [*w, *m, *v]
    torch.testing.assert_close(ways[_foreach], ways[_fused], rtol=2e-5, atol=1e-9)


@pytest.mark.parametrize("shape", [(), (2,), (16,), (33,), (7, 16), (5, 7), (106, 32)])
def test_a_seeds_update_has_the_same_bits_in_any_stack(shape: tuple[int, ...]) -> None:
    """Whether the fused kernel fits or not."""

    def trained(seeds: slice) -> list[Tensor]:
        generator = torch.Generator().manual_seed(1)
        parameter = nn.Parameter(torch.randn(7, *shape, generator=generator)[seeds])
        optimizer = AdamW([parameter], lr=1e-2)
        for _ in range(4):
            parameter.grad = torch.randn(7, *shape, generator=generator)[seeds]
            optimizer.step()
        return [parameter.detach(), *(optimizer.state[parameter][name] for name in ("exp_avg", "exp_avg_sq"))]

    for seeds in (slice(2, 3), slice(4, 7)):
        for alone, together in zip(trained(seeds), trained(slice(7)), strict=True):
            assert torch.equal(alone, together[seeds])


@pytest.mark.parametrize("layout", ["gradient", "expanded", "parameter", "empty", "complex"])
def test_what_the_fused_kernel_cannot_walk_through_is_updated_all_the_same(layout: str) -> None:
    around = torch.randn(16, 32, generator=torch.Generator().manual_seed(2))
    before = around.clone()
    parameter = nn.Parameter(
        {
            "parameter": around[:, ::2],
            "empty": torch.empty(0, 16),
            "complex": torch.ones(16, 16, dtype=torch.complex64),
        }.get(layout, torch.randn(16, 16))
    )
    gradient = torch.arange(1.0, parameter.numel() + 1).view(parameter.shape).to(parameter.dtype)
    parameter.grad = {"gradient": gradient.T, "expanded": gradient[:1].expand_as(gradient)}.get(layout, gradient)
    expected = parameter.detach().clone()
    moments = [torch.zeros_like(expected), torch.zeros_like(expected)]
    correction = adam_bias_correction(1)
    _foreach([expected], [parameter.grad.clone()], *([m] for m in moments), 0.1 * correction, (0.9, 0.999), 1e-6)
    AdamW([parameter], lr=0.1, weight_decay=0.0).step()
    torch.testing.assert_close(parameter.detach(), expected)
    assert torch.equal(around[:, 1::2], before[:, 1::2])
