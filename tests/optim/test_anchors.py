"""Decay towards anchors, such as the pretrained weights, in place of 0."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from stabbench.optim import AdamW

numbers = st.floats(-100, 100)


def double(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def stepped(
    start: Tensor, anchor: Tensor | None, gradient: Tensor, *, steps: int = 1, **settings: float | bool
) -> Tensor:
    """The parameter after some steps with the same gradient."""
    parameter = nn.Parameter(start.clone())
    anchors = None if anchor is None else [anchor]
    optimizer = AdamW([{"params": [parameter], "anchors": anchors}], **settings)  # type: ignore[arg-type]
    for _ in range(steps):
        parameter.grad = gradient.clone()
        optimizer.step()
    return parameter.detach()


def test_one_step_by_hand() -> None:
    """The update first, then a share lr * decay of what is left between the weight and its anchor."""
    after = stepped(double(2.0, -1.0), double(1.0, 3.0), double(0.5, -4.0), lr=0.1, weight_decay=0.3)
    alpha = 0.1 * math.sqrt(1 - 0.999) / (1 - 0.9)
    for got, weight, anchor, gradient in zip(after.tolist(), (2.0, -1.0), (1.0, 3.0), (0.5, -4.0), strict=True):
        moved = weight - alpha * (0.1 * gradient) / (math.sqrt(0.001 * gradient**2) + 1e-6)
        assert got == pytest.approx(moved - 0.1 * 0.3 * (moved - anchor), rel=1e-12)


def test_without_a_gradient_the_distance_to_the_anchor_shrinks_by_the_same_factor_at_every_step() -> None:
    after = stepped(double(5.0, -3.0), double(1.0, 1.0), double(0.0, 0.0), steps=7, lr=0.1, weight_decay=0.5)
    torch.testing.assert_close(after, 1.0 + double(4.0, -4.0) * 0.95**7, rtol=1e-12, atol=0)


def test_a_weight_at_its_anchor_stays_there_to_the_bit() -> None:
    at = torch.randn(50)
    assert torch.equal(stepped(at, at.clone(), torch.zeros(50), steps=5, lr=0.1, weight_decay=0.7), at)


@pytest.mark.parametrize("settings", [{"lr": 0.0, "weight_decay": 0.5}, {"lr": 0.1, "weight_decay": 0.0}])
def test_without_a_rate_or_a_decay_the_anchors_change_nothing(settings: dict[str, float]) -> None:
    start, gradient = torch.randn(20), torch.randn(20)
    plain = stepped(start, None, gradient, steps=3, **settings)
    assert torch.equal(stepped(start, torch.randn(20), gradient, steps=3, **settings), plain)
    assert torch.equal(plain, start) == (settings["lr"] == 0)


@given(
    st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5),
    st.floats(0, 1),
    st.floats(0, 1),
    st.booleans(),
)
def test_with_anchors_at_zero_it_is_plain_decay(
    pairs: list[tuple[float, float]], lr: float, decay: float, correction: bool
) -> None:
    start, gradient = (double(*values) for values in zip(*pairs, strict=True))
    settings = {"lr": lr, "weight_decay": decay, "bias_correction": correction}
    anchored = stepped(start, torch.zeros_like(start), gradient, steps=2, **settings)
    torch.testing.assert_close(anchored, stepped(start, None, gradient, steps=2, **settings), rtol=1e-9, atol=1e-9)


def test_each_group_has_its_own_and_a_parameter_without_a_gradient_is_left_alone() -> None:
    pulled, late, plain = (nn.Parameter(double(4.0)) for _ in range(3))
    groups = [{"params": [late, pulled], "anchors": [double(0.0), double(2.0)]}, {"params": [plain]}]
    optimizer = AdamW(groups, lr=0.1, weight_decay=0.5)
    pulled.grad, plain.grad = double(0.0), double(0.0)
    optimizer.step()
    assert (late.item(), pulled.item(), plain.item()) == (4.0, pytest.approx(3.9), pytest.approx(3.8))
    # It joins later, and finds its own anchor.
    late.grad = double(0.0)
    optimizer.step()
    assert (late.item(), pulled.item()) == (pytest.approx(3.8), pytest.approx(2 + 1.9 * 0.95))


@pytest.mark.parametrize(
    "anchors", [[], [torch.zeros(3)], [torch.zeros(3), torch.zeros(2, 1)], [torch.zeros(3)] * 3, [torch.zeros(1)] * 2]
)
def test_anchors_of_other_shapes_or_another_number_are_refused(anchors: list[Tensor]) -> None:
    parameters = [nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(2))]
    with pytest.raises(ValueError, match="one tensor for each parameter of the group, of its shape"):
        AdamW([{"params": parameters, "anchors": anchors}], lr=0.1)


def test_a_refused_group_is_not_added() -> None:
    optimizer = AdamW([nn.Parameter(torch.ones(3))], lr=0.1)
    with pytest.raises(ValueError, match="anchors"):
        optimizer.add_param_group({"params": [nn.Parameter(torch.ones(2))], "anchors": [torch.zeros(3)]})
    assert len(optimizer.param_groups) == 1


def test_the_state_of_an_optimizer_with_anchors_can_be_restored() -> None:
    start, anchor, gradient = torch.randn(4), torch.randn(4), torch.randn(4)
    straight = stepped(start, anchor, gradient, steps=4, lr=0.1, weight_decay=0.3)
    parameter = nn.Parameter(start.clone())
    optimizer = AdamW([{"params": [parameter], "anchors": [anchor]}], lr=0.1, weight_decay=0.3)
    for step in range(4):
        if step == 2:
            state = optimizer.state_dict()
            optimizer = AdamW([{"params": [parameter], "anchors": [torch.zeros(4)]}], lr=0.5)
            optimizer.load_state_dict(state)
        parameter.grad = gradient.clone()
        optimizer.step()
    assert torch.equal(parameter.detach(), straight)
