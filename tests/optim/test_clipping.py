"""Clipping, globally and by component."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from stabbench.optim import clip_component_norms_, component_scales, global_scales
from stabbench.recipes import get_recipe

norm_lists = st.lists(st.floats(0, 1e6), min_size=1, max_size=8)


def with_gradients(*norms: float) -> list[nn.Parameter]:
    parameters = []
    for number, norm in enumerate(norms):
        parameter = nn.Parameter(torch.zeros(number + 2, dtype=torch.float64))
        direction = torch.arange(1.0, number + 3, dtype=torch.float64)
        parameter.grad = norm * direction / direction.norm()
        parameters.append(parameter)
    return parameters


def test_each_component_is_clipped_by_itself() -> None:
    parameters = with_gradients(3.0, 0.01, 0.05)
    norms = clip_component_norms_(parameters, 0.05)
    torch.testing.assert_close(norms, torch.tensor([3.0, 0.01, 0.05], dtype=torch.float64))
    after = [p.grad.norm().item() for p in parameters if p.grad is not None]
    assert after[0] == pytest.approx(0.05 * 3 / (3 + 1e-6))
    assert after[1] == pytest.approx(0.01)
    assert after[2] == pytest.approx(0.05 * 0.05 / (0.05 + 1e-6))


def test_directions_stay_and_parameters_without_gradient_are_passed_over() -> None:
    clipped, absent = with_gradients(2.0)[0], nn.Parameter(torch.zeros(2))
    before = clipped.grad.clone() if clipped.grad is not None else None
    norms = clip_component_norms_([absent, clipped], 0.5)
    assert norms.shape == (1,)
    assert before is not None
    assert clipped.grad is not None
    torch.testing.assert_close(clipped.grad / clipped.grad.norm(), before / before.norm())


@pytest.mark.parametrize("threshold", [0.0, -1.0, float("nan")])
def test_a_threshold_that_is_not_positive_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        clip_component_norms_(with_gradients(1.0), threshold)


@given(norm_lists, st.floats(1e-3, 1e3))
def test_no_component_exceeds_the_threshold_and_none_grows(norms: list[float], threshold: float) -> None:
    values = torch.tensor(norms, dtype=torch.float64)
    after = values * component_scales(values, threshold)
    assert (after <= threshold).all()
    assert (after <= values).all()


@given(norm_lists, st.floats(1e-3, 1e3))
def test_global_clipping_equals_torchs(norms: list[float], threshold: float) -> None:
    parameters = with_gradients(*norms)
    values = torch.stack([p.grad.norm() for p in parameters if p.grad is not None])
    ours = values * global_scales(values, threshold)
    nn.utils.clip_grad_norm_(parameters, threshold)
    theirs = torch.stack([p.grad.norm() for p in parameters if p.grad is not None])
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


def test_global_clipping_keeps_seeds_apart() -> None:
    norms = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    scales = global_scales(norms, 1.0)
    torch.testing.assert_close(scales, torch.tensor([[0.2, 0.2], [1.0, 1.0]]), rtol=1e-5, atol=0)


def test_zero_switches_global_clipping_off() -> None:
    assert torch.equal(global_scales(torch.tensor([100.0, 1.0]), 0.0), torch.ones(2))


def test_cwgnc_clips_components_first_and_globally_after() -> None:
    norms = torch.full((1, 900), 7.0, dtype=torch.float64)
    scaled = norms * get_recipe("cwgnc", max_grad_norm=1.0).gradient_scales(norms)
    # 900 components of 0.05 have norm 1.5, over the global threshold of 1.
    torch.testing.assert_close(scaled.norm(), torch.tensor(1.0, dtype=torch.float64), rtol=1e-5, atol=0)
    few = torch.full((1, 4), 7.0, dtype=torch.float64)
    torch.testing.assert_close(
        few * get_recipe("cwgnc", max_grad_norm=1.0).gradient_scales(few), torch.full_like(few, 0.05), rtol=1e-6, atol=0
    )
