"""What the spread of a recipe's runs is made of, from the predictions that its runs kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stabbench import statistics
from stabbench.diagnostics.keeping import how_to_keep, of_own_code
from stabbench.errors import StabbenchError
from stabbench.records.history import Predictions
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Outcome, RunRecord
from stabbench.statistics import PairedTest, SpreadParts


@dataclass(frozen=True)
class Flip:
    """An example on which runs disagree.

    Attributes:
        example: Its place in the evaluation set, from 0.
        right: The share of runs that are right; None where nothing says what is right.
        answers: How many runs gave each answer, the most frequent first.
    """

    example: int
    right: float | None
    answers: tuple[int, ...]


@dataclass(frozen=True)
class Spread:
    """What the spread of some runs is made of.

    Attributes:
        label: The recipe's.
        runs: How many runs have predictions.
        examples: The number of examples.
        parts: The variance of accuracy in its two parts; None where nothing says what is right.
        disagreement: The share of examples on which two runs differ.
        kappa: Fleiss'; None for one answer.
        divergence: Jensen and Shannon's, in bits; None where there are other than two classes.
        flips: The examples on which runs disagree, those most evenly split first.
        left_out: Which figures are missing, and why.
    """

    label: str
    runs: int
    examples: int
    parts: SpreadParts | None = None
    disagreement: float | None = None
    kappa: float | None = None
    divergence: float | None = None
    flips: Sequence[Flip] = ()
    left_out: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        parts = self.parts
        return {
            "runs": self.runs,
            "examples": self.examples,
            "accuracy_variance": parts and parts.total,
            "models_variance": parts and vars(parts.models),
            "examples_variance": parts and vars(parts.examples),
            "disagreement": self.disagreement,
            "fleiss_kappa": self.kappa,
            "jensen_shannon_bits": self.divergence,
            "flipped_examples": [
                {"example": flip.example, "right": flip.right, "answers": list(flip.answers)} for flip in self.flips
            ],
            "left_out": self.left_out or None,
        }


def kept_predictions(runs: RecipeRuns) -> tuple[list[RunRecord], list[Predictions]]:
    """The runs that kept their predictions, and these predictions, in the same order.

    Raises:
        StabbenchError: They are not of the same examples; or the store cannot be read.
    """
    histories = runs.histories(runs.records)
    found = [(r, h.predictions) for r in runs.records if (h := histories.get(r.id)) and h.predictions is not None]
    kept = [(record, predictions) for record, predictions in found if predictions is not None]
    _check_same_data(runs.label, [record for record, _ in kept], [predictions for _, predictions in kept])
    return [record for record, _ in kept], [predictions for _, predictions in kept]


def _how(runs: RecipeRuns) -> str:
    if not runs.source and runs.records and of_own_code(runs.records[0]):
        return "which predictions of training code are right, it does not say"
    return how_to_keep(runs)


def spread_of(runs: RecipeRuns, *, successful: bool = False) -> Spread:
    """What the spread of a recipe's runs is made of.

    Args:
        runs: The runs; those without predictions are left out.
        successful: Only runs that did not fail.

    Raises:
        StabbenchError: Their predictions are not of the same examples; or the store cannot be read.
    """
    records, predictions = kept_predictions(runs)
    chosen = [p for r, p in zip(records, predictions, strict=True) if not successful or r.outcome is not Outcome.FAILED]
    examples = len(chosen[0].values) if chosen else 0
    asked = sum(not successful or record.outcome is not Outcome.FAILED for record in runs.records)
    if len(chosen) < 2 or not examples:
        why = f"{len(chosen)} of {asked} runs have predictions, and it takes two: {_how(runs)}"
        return Spread(runs.label, len(chosen), examples, left_out=why)
    missing = "" if len(chosen) == asked else f"{asked - len(chosen)} of {asked} runs have no predictions"
    values = np.stack([each.values for each in chosen])
    if not len(chosen[0].right):
        why = "the labels are numbers: nothing is right or wrong, and runs agree by degree only"
        return Spread(runs.label, len(chosen), examples, left_out="; ".join(filter(None, [why, missing])))
    codes, right = statistics.coded(values), np.stack([each.right for each in chosen])
    return Spread(
        runs.label,
        len(chosen),
        examples,
        parts=statistics.spread_parts(right) if examples > 1 else None,
        disagreement=statistics.disagreement(codes),
        kappa=statistics.fleiss_kappa(codes),
        divergence=_divergence(values, chosen),
        flips=_flips(codes, right),
        left_out=missing,
    )


def paired(candidate: RecipeRuns, reference: RecipeRuns) -> PairedTest:
    """Two recipes compared example by example.

    Raises:
        StabbenchError: Their runs have no predictions, none that are right or wrong, or of other examples.
    """
    right = []
    first: tuple[RunRecord, Predictions] | None = None
    for runs in (candidate, reference):
        records, predictions = kept_predictions(runs)
        if len(records) < 2:
            raise StabbenchError(
                f"{len(records)} of {len(runs.records)} runs of {runs.label} have predictions, and a paired test takes "
                "two of each recipe",
                _how(runs),
            )
        if not len(predictions[0].right):
            raise StabbenchError("a paired test needs answers that are right or wrong, and the labels are numbers")
        first = first or (records[0], predictions[0])
        _check_same_data(f"{candidate.label} and {reference.label}", [first[0], records[0]], [first[1], predictions[0]])
        right.append(np.stack([each.right for each in predictions]))
    return statistics.paired_test(*right)


def paired_tests(recipes: Sequence[RecipeRuns]) -> dict[str, PairedTest]:
    """Every other recipe against the first, by label.

    Raises:
        StabbenchError: As :func:`paired`.
    """
    return {runs.label: paired(runs, recipes[0]) for runs in recipes[1:]}


def _check_same_data(label: str, records: Sequence[RunRecord], predictions: Sequence[Predictions]) -> None:
    data = {record.fingerprint.experiment.get("data") for record in records}
    if len(data) > 1 or len({each.values.shape for each in predictions}) > 1:
        raise StabbenchError(
            f"runs of {label} were scored on different evaluation sets: their predictions cannot be put side by side",
            "train them again on the same data, in a store of their own",
        )


def _divergence(values: NDArray[Any], chosen: Sequence[Predictions]) -> float | None:
    if values.ndim > 2 or int(values.max()) > 1:
        return None
    own = np.stack([each.probabilities for each in chosen]).astype(np.float64)
    return statistics.jensen_shannon(np.where(values == 1, own, 1 - own)) if np.isfinite(own).all() else None


def _flips(codes: NDArray[np.int64], right: NDArray[np.bool_]) -> list[Flip]:
    counts, shares = statistics.answer_counts(codes), right.mean(0)
    split = [place for place in range(len(counts)) if np.count_nonzero(counts[place]) > 1]
    order = sorted(split, key=lambda place: (int(counts[place].max()), place))
    return [
        Flip(place, float(shares[place]), tuple(sorted((int(c) for c in counts[place] if c), reverse=True)))
        for place in order
    ]
