"""Mixout's formula: its expectation, its gradient and its limits."""

from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import stabbench
from stabbench.optim._mixout import mix

GRAINS: list[Literal["neuron", "parameter"]] = ["neuron", "parameter"]


def weights(rows: int = 6, columns: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    w, p = (torch.randn(rows, columns, generator=generator, dtype=torch.float64) for _ in range(2))
    return w.requires_grad_(), p


@pytest.mark.parametrize("per", GRAINS)
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_expectation_is_the_weight(per: Literal["neuron", "parameter"], p: float) -> None:
    weight, pretrained = weights()
    generator = torch.Generator().manual_seed(1)
    draws = torch.stack(
        [stabbench.mixout(weight, pretrained, p, generator=generator, per=per).detach() for _ in range(4000)]
    )
    error = draws.std(0) / len(draws) ** 0.5
    assert ((draws.mean(0) - weight).abs() <= 5 * error).all()


@pytest.mark.parametrize("per", GRAINS)
def test_it_is_the_papers_formula_and_its_gradient_is_the_true_one(per: Literal["neuron", "parameter"]) -> None:
    weight, pretrained = weights()
    p = 0.7
    mixed = stabbench.mixout(weight, pretrained, p, generator=torch.Generator().manual_seed(3), per=per)
    keep = torch.empty((6, 5) if per == "parameter" else (1, 5), dtype=torch.float64)
    keep.bernoulli_(1 - p, generator=torch.Generator().manual_seed(3))
    expected = ((1 - keep) * pretrained + keep * weight - p * pretrained) / (1 - p)
    torch.testing.assert_close(mixed, expected)
    (gradient,) = torch.autograd.grad(mixed.sum(), weight)
    torch.testing.assert_close(gradient, (keep / (1 - p)).expand(6, 5))


def test_per_neuron_a_column_falls_back_as_a_whole() -> None:
    weight, pretrained = weights(50, 40)
    mixed = stabbench.mixout(weight, pretrained, 0.5, generator=torch.Generator().manual_seed(0))
    back = mixed == pretrained
    assert (back.all(0) | ~back.any(0)).all()
    assert 0 < back.all(0).sum() < 40


@settings(deadline=None)
@given(st.floats(0, 0.999), st.integers(0, 2**31))
def test_a_weight_at_its_pretrained_value_stays_there(p: float, seed: int) -> None:
    _, pretrained = weights()
    mixed = stabbench.mixout(pretrained, pretrained, p, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(mixed, pretrained)


def test_p_0_is_the_identity() -> None:
    weight, pretrained = weights()
    torch.testing.assert_close(stabbench.mixout(weight, pretrained, 0.0), weight)


@given(st.floats(0, 0.99))
def test_nothing_kept_moves_away_from_the_weight_by_as_much_as_the_expectation_needs(p: float) -> None:
    weight, pretrained = (w.detach() for w in weights())
    kept, dropped = mix(weight, pretrained, torch.ones(1), p), mix(weight, pretrained, torch.zeros(1), p)
    torch.testing.assert_close((1 - p) * kept + p * dropped, weight)


@pytest.mark.parametrize("p", [1.0, 1.5, -0.1, float("nan")])
def test_p_out_of_range_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\)"):
        stabbench.mixout(*weights(), p)


def test_shapes_and_grain_are_checked() -> None:
    weight, pretrained = weights()
    with pytest.raises(ValueError, match="shape"):
        stabbench.mixout(weight, pretrained[:2], 0.5)
    with pytest.raises(ValueError, match="per"):
        stabbench.mixout(weight, pretrained, 0.5, per="row")  # type: ignore[arg-type]
