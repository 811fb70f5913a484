"""Recipes side by side: their runs, and the tests of each recipe against the first. Values only, no text."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from stabbench import statistics
from stabbench.diagnostics.diagnose import failures_json
from stabbench.gate.judge import Judgement, Pair, judge
from stabbench.gate.rules import Rules
from stabbench.records.recipe_runs import RecipeRuns, check_failures_known
from stabbench.records.rows import as_dataframe
from stabbench.statistics import DirectedTest, LeveneTest

if TYPE_CHECKING:
    import pandas

SCHEMA = "stabbench/comparison/1"
#: The note of a test on the spread where most runs of a recipe failed.
NO_STABILITY = "where most runs failed, a small spread is that of the constant predictor's score: no stability"

#: The note of the test on failed runs where nobody knows which runs failed.
FAILURES_UNKNOWN = "which runs failed is not known without --constant-score, the score of the best constant predictor"


@dataclass(frozen=True)
class PairTests:
    """One recipe, the candidate, tested against the reference.

    Attributes:
        candidate: The label of the tested recipe.
        reference: The label of the other one.
        levene_mean: Levene's two-sided test for equal spread, with deviations from the mean, as mosbach2021 report it.
        levene_median: The same with deviations from the median.
        spread: One-sided tests on the spread of scores.
        failures: One-sided tests on the rate of failed runs.
        mean: One-sided tests on the mean score.
    """

    candidate: str
    reference: str
    levene_mean: LeveneTest
    levene_median: LeveneTest
    spread: DirectedTest
    failures: DirectedTest
    mean: DirectedTest

    @classmethod
    def of(cls, candidate: RecipeRuns, reference: RecipeRuns) -> PairTests:
        """All tests of one recipe against another."""
        x, y = candidate.finite_scores, reference.finite_scores
        note = NO_STABILITY if candidate.mostly_failed or reference.mostly_failed else ""
        return cls(
            candidate.label,
            reference.label,
            _with_note(statistics.levene_test(x, y, "mean"), note),
            _with_note(statistics.levene_test(x, y, "median"), note),
            _with_note(statistics.spread_test(x, y), note),
            _failure_test(candidate, reference),
            statistics.mean_test(x, y),
        )

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        return dataclasses.asdict(self)


def _failure_test(candidate: RecipeRuns, reference: RecipeRuns) -> DirectedTest:
    test = statistics.failure_test(candidate.failed, len(candidate.records), reference.failed, len(reference.records))
    known = candidate.failures_known and reference.failures_known
    return test if known else DirectedTest(None, None, test.method, FAILURES_UNKNOWN)


_Test = TypeVar("_Test", LeveneTest, DirectedTest)


def _with_note(test: _Test, note: str) -> _Test:
    return dataclasses.replace(test, note="; ".join(filter(None, [test.note, note])))


@dataclass(frozen=True)
class Comparison:
    """Recipes on one task and model, each tested against the first.

    Attributes:
        task: The task's name.
        model: The model as the user named it.
        metric: The name of the score.
        constant_score: The score of the best constant predictor: at or below it, a run has failed; None where it is not
            known, which only results measured elsewhere may be.
        recipes: The runs of each recipe; the first recipe is the reference.
    """

    task: str
    model: str
    metric: str
    constant_score: float | None
    recipes: Sequence[RecipeRuns]

    @classmethod
    def of_runs(cls, recipes: Sequence[RecipeRuns]) -> Self:
        """The comparison of runs of one task, model and metric."""
        first = recipes[0].records[0]
        return cls(first.task, first.model, first.metric, first.constant_score, recipes)

    @cached_property
    def tests(self) -> list[PairTests]:
        """Every other recipe against the first."""
        return [PairTests.of(candidate, self.recipes[0]) for candidate in self.recipes[1:]]

    def kept_in(self, store: Path) -> Self:
        """This, with the store that keeps the runs' histories now."""
        return dataclasses.replace(self, recipes=[runs.kept_in(store) for runs in self.recipes])

    def judge(self, rules: Rules) -> dict[str, Judgement]:
        """The verdict of every other recipe against the first; all their tests are one family.

        Raises:
            StabbenchError: Nobody knows which runs failed.
        """
        check_failures_known(self.recipes)
        reference = self.recipes[0].sample
        return judge({r.label: Pair(r.sample, reference, same_seeds=True) for r in self.recipes[1:]}, rules)

    def to_dataframe(self) -> pandas.DataFrame:
        """One row a run, with the columns of ``--csv``.

        Raises:
            StabbenchError: pandas is not installed.
        """
        return as_dataframe(self.recipes)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types; a number that is not defined is None."""
        return {
            "schema": SCHEMA,
            "task": self.task,
            "model": self.model,
            "metric": self.metric,
            "constant_score": self.constant_score,
            "recipes": {runs.label: {**runs.to_json(), "failures": failures_json(runs)} for runs in self.recipes},
            "tests": {f"{t.candidate} vs {t.reference}": t.to_json() for t in self.tests},
        }
