"""The kinds of table and picture that a study can ask for: what each shows and what it needs.

How they are made is in :mod:`stabbench.studies.views`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of view.

    Attributes:
        shows: In a line.
        needs_x: The study must say which parameter of its grid lies on the horizontal axis.
        needs_crossed: The study must cross initialisation seeds with data-order seeds.
        needs_runs: False where nothing has to be trained.
    """

    shows: str
    needs_x: bool = False
    needs_crossed: bool = False
    needs_runs: bool = True


KINDS: Mapping[str, Kind] = {
    "boxes": Kind("a box and every run's score, one column a recipe"),
    "lines": Kind("mean and range of the scores against a parameter, one line a recipe", needs_x=True),
    "losses": Kind("mean and range of the training loss, step by step"),
    "tries": Kind("the expected score of the best of so many tries, chosen on the validation set"),
    "scatter": Kind("the score of every run against its final training loss"),
    "evaluations": Kind("mean and spread of the scores at every evaluation during training"),
    "crossed": Kind("the score of every initialisation seed with every data-order seed", needs_crossed=True),
    "components": Kind("the spread that is left when one source of randomness is held", needs_crossed=True),
    "bias": Kind("Adam's bias by iteration, and where each task's training ends", needs_runs=False),
}
