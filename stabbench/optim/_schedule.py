"""The learning-rate schedule that all the papers share."""

from __future__ import annotations


def linear_warmup_linear_decay(step: int, total_steps: int, warmup: float) -> float:
    """The factor on the peak learning rate: 0 to 1 over the warmup, then to 0.

    Args:
        step: The number of updates already made, from 0, as ``torch.optim.lr_scheduler`` counts. The first update is
            therefore made at rate 0 where there is any warmup, as in the papers' code.
        total_steps: T, the number of updates of the whole training.
        warmup: The share of T that warms up, in [0, 1); rounded to whole steps, where the papers' code
            truncates.

    Returns:
        A factor in [0, 1].

    Source: Mosbach et al. 2021, section 3.2 (10% warmup, then linear to 0).
    """
    warmup_steps = round(warmup * total_steps)
    if step < warmup_steps:
        return step / warmup_steps
    return max(0.0, (total_steps - step) / max(1, total_steps - warmup_steps))


def linear_warmup_constant(step: int, total_steps: int, warmup: float) -> float:
    """The factor on the peak learning rate: 0 to 1 over the warmup, as above, and 1 from then on.

    Source: Defazio et al. 2024, section 4, for an optimizer without a schedule.
    """
    warmup_steps = round(warmup * total_steps)
    return step / warmup_steps if step < warmup_steps else 1.0
