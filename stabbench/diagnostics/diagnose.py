"""Names the cause of each failed run of a cell, with its evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stabbench.diagnostics import detectors
from stabbench.diagnostics.causes import EXPLANATIONS, Cause
from stabbench.diagnostics.keeping import of_own_code
from stabbench.diagnostics.signs import FEWEST_STEPS, Signs
from stabbench.records.history import History
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Outcome, RunRecord

# As many successful runs are enough to compare a failed one with.
REFERENCES = 50
# Histories that are in memory at once: some 100 KB each.
AT_ONCE = 200
# A run takes a millisecond or two: a comparison of ten thousand must not wait for all of them.
MOST_SUMMARISED = 1000


@dataclass(frozen=True)
class Diagnosis:
    """Why a run failed, as far as its record shows it.

    Attributes:
        record: The run.
        cause: The cause; None where the record shows none.
        evidence: In one sentence what shows it, or why nothing is shown.
        lacking: What was not kept and would have been looked at; empty where all was.
    """

    record: RunRecord
    cause: Cause | None
    evidence: str
    lacking: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        explanation = None if self.cause is None else EXPLANATIONS[self.cause]
        return {
            "id": self.record.id,
            "recipe": self.record.recipe,
            "task": self.record.task,
            "model": self.record.model,
            "seed": self.record.seeds.seed,
            "outcome": self.record.outcome.value,
            "score": self.record.score,
            "cause": None if self.cause is None else self.cause.value,
            "evidence": self.evidence,
            "advice": explanation and explanation.advice,
            "wrong_when": explanation and explanation.wrong_when,
            "lacking": self.lacking or None,
        }


#: In the order in which they are tried: the first that is found is named.
_DETECTORS: Sequence[tuple[Cause, Callable[[Signs, Sequence[Signs]], str]]] = (
    (Cause.NON_FINITE, detectors.non_finite),
    (Cause.NEVER_MOVED, detectors.never_moved),
    (Cause.SPIKE, detectors.spike),
    (Cause.LATE_COLLAPSE, detectors.late_collapse),
    (Cause.NO_GENERALISATION, detectors.no_generalisation),
    (Cause.VANISHING_GRADIENTS, detectors.vanishing_gradients),
    (Cause.PLATEAU, detectors.plateau),
    (Cause.CONSTANT_PREDICTIONS, detectors.constant_predictions),
)
# What was computed shows them; no curve is looked at.
_AT_ANY_LENGTH = frozenset({Cause.NON_FINITE, Cause.NEVER_MOVED})


def diagnose(runs: RecipeRuns, of: Sequence[RunRecord] | None = None) -> list[Diagnosis]:
    """The cause of each of some runs of a recipe.

    Args:
        runs: All runs of the recipe, the successful ones to compare with.
        of: The runs in question; None takes all.

    Raises:
        StoreError: The store cannot be read.
    """
    asked = list(runs.records if of is None else of)
    good = [record for record in runs.records if record.outcome is Outcome.OK][:REFERENCES]
    histories = runs.histories(good)
    compared = [Signs(record, histories[record.id]) for record in good if record.id in histories]
    succeeded = [signs for signs in compared if signs.succeeded]
    found: list[Diagnosis] = []
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        histories = runs.histories(part)
        found += [_of_run(record, histories.get(record.id), succeeded) for record in part]
    return found


def diagnose_failed(runs: RecipeRuns) -> list[Diagnosis]:
    """The cause of each failed run of a recipe; of very many, of the first :data:`MOST_SUMMARISED`.

    Raises:
        StoreError: The store cannot be read.
    """
    failed = [record for record in runs.records if record.outcome is Outcome.FAILED][:MOST_SUMMARISED]
    return diagnose(runs, failed) if failed else []


def failures_json(runs: RecipeRuns) -> list[dict[str, Any]]:
    """The causes of a recipe's failed runs as plain JSON types."""
    return [found.to_json() for found in diagnose_failed(runs)]


def count_causes(found: Sequence[Diagnosis]) -> list[tuple[Cause | None, int]]:
    """How often each cause was found, the most frequent first."""
    return Counter(each.cause for each in found).most_common()


def _of_run(record: RunRecord, history: History | None, succeeded: Sequence[Signs]) -> Diagnosis:
    if record.outcome is Outcome.MISSING:
        return Diagnosis(record, None, f"it gave no score: {record.reason}")
    if history is None:
        return Diagnosis(record, None, "nothing but its score is kept", "its history")
    signs = Signs(record, history)
    lacking = _lacking(history, of_own_code(record))
    for cause, detect in _DETECTORS:
        if signs.too_short and cause not in _AT_ANY_LENGTH:
            continue
        if evidence := detect(signs, [other for other in succeeded if other.record.id != record.id]):
            return Diagnosis(record, cause, evidence, lacking)
    if record.outcome is Outcome.FAILED and signs.too_short:
        steps = f"{signs.steps:,} steps are" if signs.steps > 1 else "1 step is"
        why = (
            f"too little is recorded to tell: {steps} fewer than the {FEWEST_STEPS} from which on a cause is looked for"
        )
        return Diagnosis(record, None, why, lacking)
    if record.outcome is Outcome.FAILED:
        return Diagnosis(record, None, "its record shows none of the known causes", lacking)
    return Diagnosis(record, None, "", lacking)


def _lacking(history: History, own_code: bool) -> str:
    """What was not kept, of all that the detectors look at."""
    missing = {
        "the loss curve": not history.losses,
        **(
            {}
            if own_code  # there are no parts of a model that stabbench knows
            else {
                "gradient norms of the blocks": not any(part.startswith("block ") for part in history.gradient_norms),
                "distances to the start": history.components is None,
            }
        ),
        "predictions": history.predictions is None and not history.given_predictions,
    }
    return ", ".join(what for what, is_missing in missing.items() if is_missing)
