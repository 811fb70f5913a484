"""The layers over shares of several sizes against a loop of PyTorch's own."""

import pytest
import torch

from stabbench.engine.stacking import segments
from stabbench.engine.stacking.packing import EqualShares

SIZES = [3, 3, 5, 1]
RUNS = [
    EqualShares(slice(0, 2), slice(0, 6), 3),
    EqualShares(slice(2, 3), slice(6, 11), 5),
    EqualShares(slice(3, 4), slice(11, 12), 1),
]


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("with_bias", [True, False])
def test_a_linear_multiplies_each_share_by_its_own(with_bias: bool) -> None:
    values, matrix = drawn(12, 4).requires_grad_(), drawn(4, 4, 2).requires_grad_()
    bias = drawn(4, 2).requires_grad_() if with_bias else None
    output = segments.linear(values, matrix, bias, RUNS)
    for seed, (share, result) in enumerate(zip(values.split(SIZES), output.split(SIZES), strict=True)):
        expected = share @ matrix[seed] + (0 if bias is None else bias[seed])
        torch.testing.assert_close(result, expected)
    torch.autograd.gradcheck(lambda *tensors: segments.linear(*tensors, RUNS), (values, matrix, bias))


@pytest.mark.parametrize("frozen", range(3))
def test_a_frozen_part_of_a_linear_gets_no_gradient_and_the_others_theirs(frozen: int) -> None:
    tensors = [drawn(12, 4), drawn(4, 4, 2), drawn(4, 2)]
    for number, tensor in enumerate(tensors):
        tensor.requires_grad_(number != frozen)
    segments.linear(*tensors, RUNS).square().sum().backward()
    assert [tensor.grad is None for tensor in tensors] == [number == frozen for number in range(3)]


def test_a_layer_norm_scales_each_share_by_its_own() -> None:
    values = drawn(12, 4).requires_grad_()
    weight, bias = drawn(4, 4).requires_grad_(), (drawn(4, 4) + 1).requires_grad_()
    output = segments.layer_norm(values, weight, bias, 1e-5, RUNS)
    for seed, (share, result) in enumerate(zip(values.split(SIZES), output.split(SIZES), strict=True)):
        torch.testing.assert_close(result, torch.nn.functional.layer_norm(share, (4,), weight[seed], bias[seed], 1e-5))
    torch.autograd.gradcheck(lambda *t: segments.layer_norm(*t, 1e-5, RUNS), (values, weight, bias))
