"""The causes that a failed run may have, each with what to try and when it is named wrongly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why a run failed, as far as its record shows it."""

    NON_FINITE = "non-finite"
    NEVER_MOVED = "never-moved"
    SPIKE = "spike"
    LATE_COLLAPSE = "late-collapse"
    NO_GENERALISATION = "no-generalisation"
    VANISHING_GRADIENTS = "vanishing-gradients"
    PLATEAU = "plateau"
    CONSTANT_PREDICTIONS = "constant-predictions"

    @property
    def words(self) -> str:
        """As it is read in a sentence: ``vanishing gradients``."""
        return self.value if self is Cause.NON_FINITE else self.value.replace("-", " ")


@dataclass(frozen=True)
class Explanation:
    """What a cause means.

    Attributes:
        meaning: In one sentence.
        advice: What to try.
        wrong_when: When the cause is named although another one is behind it.
    """

    meaning: str
    advice: str
    wrong_when: str


EXPLANATIONS: Mapping[Cause, Explanation] = {
    Cause.NON_FINITE: Explanation(
        "a loss or a prediction was infinite or not a number",
        "a lower learning rate, max_grad_norm=1, or precision=fp32; if it is the first step, look for such a value "
        "in the data or in the recipe's own hooks",
        "the number came from the evaluation set alone: then only the score is missing, and the curve is a good one",
    ),
    Cause.NEVER_MOVED: Explanation(
        "the parameters are where they started",
        "look at the learning rate and its schedule, and at what the recipe trains: it may be nothing",
        "the training is so short, or its rate so low on purpose, that so small a step was meant",
    ),
    Cause.SPIKE: Explanation(
        "the loss jumped within a few steps, and the run did not recover",
        "max_grad_norm=1, a higher beta2 or a lower learning rate; look at the batch of that step",
        "the training set changes its character there on purpose, as with examples in order of difficulty",
    ),
    Cause.LATE_COLLAPSE: Explanation(
        "the run had learnt, and fell back to the constant predictor",
        "a lower learning rate, a longer warmup, bias correction, or keep=best",
        "the loss fell because an early stretch of the data was easy, and nothing general was learnt",
    ),
    Cause.NO_GENERALISATION: Explanation(
        "it learnt its training examples, and nothing that helps on others",
        "look whether texts and labels belong together and both sets come from one source; more data or fewer epochs",
        "the evaluation set is so small that its score says little, or asks for something else",
    ),
    Cause.VANISHING_GRADIENTS: Explanation(
        "hardly any gradient reaches the lower blocks, so that nothing but the head can learn (Mosbach et al. 2021)",
        "bias correction with a warmup (the recipe bias-correction), a lower learning rate, or more steps (mosbach)",
        "the lower blocks are meant to have none: they are frozen, or their norms are scaled by the recipe",
    ),
    Cause.PLATEAU: Explanation(
        "the training loss never left that of the best constant predictor",
        "more steps, another learning rate in both directions, a new head and top blocks (reinit); if all runs do so, "
        "look whether texts and labels belong together",
        "the loss is one that also a good model leaves high, as with labels that are largely noise",
    ),
    Cause.CONSTANT_PREDICTIONS: Explanation(
        "all examples get the same prediction, though the training loss fell",
        "look at the shares of the classes in both sets and at the metric; score by a metric that weighs classes",
        "the evaluation set has one class almost alone",
    ),
}
