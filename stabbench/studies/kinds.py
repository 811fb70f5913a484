"""The kinds of table and picture that a study can have, and their requirements.

They are made in :mod:`stabbench.studies.views`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of view.

    Attributes:
        shows: A description in one line.
        needs_x: Whether the study must name the parameter of its grid for the horizontal axis.
        needs_crossed: Whether the study must cross initialisation seeds with data-order seeds.
        needs_runs: Whether runs must be trained.
        needs_weights: Whether their weights must be kept, for what is measured with them.
        needs_texts: Whether words of texts are masked.
    """

    shows: str
    needs_x: bool = False
    needs_crossed: bool = False
    needs_runs: bool = True
    needs_weights: bool = False
    needs_texts: bool = False


KINDS: Mapping[str, Kind] = {
    "boxes": Kind("a box and every run's score, one column a recipe"),
    "lines": Kind("mean and range of the scores against a parameter, one line a recipe", needs_x=True),
    "losses": Kind("mean and range of the training loss, step by step"),
    "tries": Kind("the expected score of the best of n tries, chosen on the validation set"),
    "scatter": Kind("the score of every run against its final training loss"),
    "evaluations": Kind("mean and spread of the scores at every evaluation during training"),
    "crossed": Kind("the score of every initialisation seed with every data-order seed", needs_crossed=True),
    "components": Kind("the spread that is left when one source of randomness is held", needs_crossed=True),
    "bias": Kind("Adam's bias by iteration, and where each task's training ends", needs_runs=False),
    "correction": Kind("the factor of Adam's bias correction by iteration", needs_runs=False),
    "outcomes": Kind("training loss and score during the training, of failed and of successful runs"),
    "norms": Kind("gradient norms by component and step, of a failed and of a successful run"),
    "distances": Kind("how far blocks are from their start, by step"),
    "updates": Kind("root mean square of the change of each part, by step"),
    "perplexity": Kind(
        "perplexity of masked words with the top blocks put back to pretrained, of failed and of successful runs",
        needs_weights=True,
        needs_texts=True,
    ),
    "surface": Kind("training loss in the plane of a failed and a successful model", needs_weights=True),
    "gradient-surface": Kind("gradient norm in the plane of a failed and a successful model", needs_weights=True),
    "turns": Kind("1 - cosine of each part to its start, by step"),
}
