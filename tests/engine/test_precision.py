"""bfloat16 arithmetic on float32 weights."""

import torch
from lab_training import fit, resolved

from stabbench.engine.inputs import Inputs
from stabbench.records.seeds import Seeds

SEEDS = [Seeds.of(0), Seeds.of(1)]


def test_bf16_is_another_training_near_the_one_in_fp32_and_learns_as_well(data: Inputs) -> None:
    losses = {}
    for precision in ("fp32", "bf16"):
        model, trained, _ = fit(resolved(f"bias-correction:lr=2e-4,epochs=10,precision={precision}"), data, SEEDS)
        assert {p.dtype for p in model.parameters.values()} == {torch.float32}
        losses[precision] = trained.losses
    assert losses["bf16"].dtype == torch.float32
    assert not torch.equal(losses["bf16"][0], losses["fp32"][0])
    torch.testing.assert_close(losses["bf16"][0], losses["fp32"][0], rtol=0.02, atol=0)
    for found in losses.values():
        assert found.isfinite().all()
        # From a coin's 0.693.
        assert (found[:3].mean(0) > 0.65).all()
        assert (found[-3:].mean(0) < 0.55).all()


def test_the_logits_are_float32_and_evaluations_are_in_the_same_precision(data: Inputs) -> None:
    model, _, _ = fit(resolved("bias-correction:epochs=1,precision=bf16"), data, SEEDS)
    model.train(False)
    batch = data.rows(torch.arange(10).expand(2, -1))
    with torch.no_grad():
        logits = model.logits(batch.tokens, {}, batch.real)
        model.precision = "fp32"
        full = model.logits(batch.tokens, {}, batch.real)
    assert logits.dtype == full.dtype == torch.float32
    assert torch.equal(logits, logits.bfloat16().float())
    assert not torch.equal(full, full.bfloat16().float())


def test_one_seed_at_a_time_is_the_same_up_to_rounding_in_bf16_too(data: Inputs) -> None:
    recipe = resolved("mixout:epochs=1,precision=bf16")
    stacked, unstacked = (fit(recipe, data, [Seeds.of(1)], one_seed=single)[1].losses for single in (False, True))
    torch.testing.assert_close(stacked, unstacked, rtol=0.05, atol=0.02)
