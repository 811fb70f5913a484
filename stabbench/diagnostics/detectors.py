"""One function a cause: the evidence for it in one sentence, or nothing.

Each takes a run's signs and those of the successful runs of its cell, which may be none. The levels were chosen on the
lab and are measured by ``scripts/planted_causes.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stabbench.diagnostics.signs import Signs, highest, middle

# A component whose update has a root mean square below this has not moved: weights of encoders are about .05.
STILL = 1e-6
# Shares of the constant predictor's loss: at it, clearly below it, and near 0.
AT_CONSTANT, LEARNT, MEMORISED = 0.93, 0.8, 0.65
# A jump: the mean loss of a few steps against the level before, and against the constant predictor's loss.
JUMP_STEPS, JUMP, ABOVE_CONSTANT = 5, 1.5, 1.2
# Not recovered from: the final loss is above the level before by this share of it, and of the constant predictor's.
LASTING = 0.15
# Mosbach et al. 2021, Fig. 4: an order of magnitude.
VANISHED = 10.0


def non_finite(signs: Signs, _: Sequence[Signs]) -> str:
    """A loss, a prediction or the score is not finite."""
    bad = np.flatnonzero(~np.isfinite(signs.losses))
    if len(bad):
        return f"the training loss is not finite from step {signs.step(int(bad[0])):,}"
    return signs.record.reason if signs.record.score is None else ""


def never_moved(signs: Signs, _: Sequence[Signs]) -> str:
    """No component has left its start."""
    largest, rates = signs.largest_update, signs.history.learning_rates
    if largest is not None and largest < STILL:
        moved = "no parameter moved" if largest == 0 else f"no component moved by more than {largest:.1g} (RMS)"
        rate = f"; the learning rate was at most {max(rates):.2g}" if rates else ""
        return f"in {signs.record.steps:,} steps {moved}{rate}"
    if largest is None and len(rates) > 1 and max(rates) == 0:
        return "the learning rate was 0 at every probe"
    return ""


def spike(signs: Signs, _: Sequence[Signs]) -> str:
    """The loss jumped above the constant predictor's, and did not come back to where it was."""
    losses, window = signs.losses, max(signs.window, JUMP_STEPS)
    if len(losses) < 3 * window or not math.isfinite(signs.constant_loss):
        return ""
    after = np.convolve(losses, np.full(JUMP_STEPS, 1 / JUMP_STEPS), "valid")
    high = np.flatnonzero(after > ABOVE_CONSTANT * signs.constant_loss)
    for place in high[high >= window]:
        before, level = float(np.median(losses[place - window : place])), float(after[place])
        rise = LASTING * max(before, signs.constant_loss)
        if before < AT_CONSTANT * signs.constant_loss and level > JUMP * before and signs.final_loss > before + rise:
            return (
                f"the loss jumped from {before:.2f} to {level:.2f} at step {signs.step(int(place)) + 1:,} (means of "
                f"{window} and {JUMP_STEPS} steps), and is {signs.final_loss:.2f} at the end"
            )
    return ""


def late_collapse(signs: Signs, _: Sequence[Signs]) -> str:
    """It had learnt, by its loss or a score on the way, and is at the constant predictor's level at the end."""
    if not signs.at_constant or not len(signs.smooth):
        return ""
    best = int(np.nanargmin(signs.smooth))
    lowest, final = float(signs.smooth[best]), signs.final_loss
    if lowest < LEARNT * signs.constant_loss and final > AT_CONSTANT * signs.constant_loss:
        return (
            f"the loss was down at {lowest:.2f} at step {signs.step(best + signs.window - 1):,}, and is back at "
            f"{final:.2f}, {signs.constant_level}"
        )
    return _lost_score(signs)


def _lost_score(signs: Signs) -> str:
    r, history = signs.record, signs.history
    if r.constant_score is None or r.score is None or history.predictions is None:
        return ""
    scored = [(score, step) for score, step in zip(history.scores, history.evaluation_steps, strict=True) if score]
    chance = 1 / math.sqrt(len(history.predictions.values))
    if not scored or max(scored)[0] - r.constant_score <= 2 * chance:
        return ""
    score, step = max(scored)
    return f"it scored {score:.3f} at step {step:,}, and {r.score:.3f} at the end"


def no_generalisation(signs: Signs, _: Sequence[Signs]) -> str:
    """The training loss is near 0, and the score that of the constant predictor."""
    if not signs.at_constant or not signs.final_loss < MEMORISED * signs.constant_loss:
        return ""
    return f"the training loss ends at {signs.final_loss:.2f}, {signs.constant_level}, and the score at {_score(signs)}"


def vanishing_gradients(signs: Signs, succeeded: Sequence[Signs]) -> str:
    """The lowest block's gradient is far below that of successful runs, or its own of before; the head's is not."""
    if not signs.at_constant or not signs.blocks or not len(signs.norm("head")) or _learns(signs):
        return ""
    parts = (signs.blocks[0], "head")
    low, head = (middle(signs.norm(part)[signs.late]) for part in parts)
    others = [middle(middle(other.norm(part)[other.late]) for other in succeeded) for part in parts]
    own = [highest(signs.norm(part)[: signs.late.start]) for part in parts]
    compared = (
        (others, f"that of the {len(succeeded)} successful runs"),
        (own, "its highest in the first half"),
    )
    for (level, level_of_head), where in compared:
        if low * VANISHED <= level and head * VANISHED > level_of_head:
            times = "infinitely" if low == 0 else f"{level / low:,.0f} times"
            return (
                f"in the second half the gradient of {signs.blocks[0]} has a norm of {low:.1g}, {times} below "
                f"{where} ({level:.2g}), while the head's is {head:.2g}"
            )
    return ""


def plateau(signs: Signs, _: Sequence[Signs]) -> str:
    """The training loss never left that of the constant predictor."""
    if not signs.at_constant or not len(signs.smooth) or _learns(signs):
        return ""
    lowest = float(np.nanmin(signs.smooth))
    window = f" as the mean of {signs.window} losses" if signs.window > 1 else ""
    return f"the training loss is {lowest:.2f} at its lowest{window}, {signs.constant_level}"


def constant_predictions(signs: Signs, _: Sequence[Signs]) -> str:
    """All examples get the same prediction."""
    predictions, given = signs.history.predictions, signs.history.given_predictions
    same = predictions.one_class if predictions is not None else all(each == given[0] for each in given)
    count = len(given if predictions is None else predictions.values)
    if not signs.at_constant or not same or count < 2:
        return ""
    return f"all {count:,} examples of the evaluation set get the same prediction"


def _learns(signs: Signs) -> bool:
    """Whether the training loss ever left that of the constant predictor, for a window."""
    if not len(signs.smooth) or not np.isfinite(signs.smooth).any():
        return False
    return float(np.nanmin(signs.smooth)) < LEARNT * signs.constant_loss


def _score(signs: Signs) -> str:
    r = signs.record
    constant = "" if r.constant_score is None else f", the best constant predictor's being {r.constant_score:.3f}"
    return f"{r.score:.3f}{constant}" if r.score is not None else "none"
