"""Recipes side by side: what `stabbench compare` prints, and what `stabbench.compare` returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tabulate import tabulate

from stabbench import statistics
from stabbench.records import Outcome, RunRecord
from stabbench.statistics import DirectedTest, LeveneTest, Sample, Summary
from stabbench.verdict import Judgement, Pair, Rules, judge

SCHEMA = "stabbench/comparison/1"


@dataclass(frozen=True)
class RecipeRuns:
    """All runs of one recipe, in the order of their seeds."""

    label: str
    records: Sequence[RunRecord]

    @cached_property
    def summary(self) -> Summary:
        """Planned, failed, mean, std, min and max."""
        return statistics.summarise(self.sample)

    @cached_property
    def sample(self) -> Sample:
        """The scores and outcomes alone."""
        return Sample(tuple(r.score for r in self.records), tuple(r.outcome is Outcome.FAILED for r in self.records))

    @property
    def failed(self) -> int:
        """The number of failed runs."""
        return self.sample.failures

    @property
    def finite_scores(self) -> list[float]:
        """Scores, without those of runs that have none (their loss or predictions are not finite)."""
        return self.sample.finite

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {
            "planned": self.summary.planned,
            "failed": self.summary.failed,
            "scores": [r.score for r in self.records],
            "seeds": [r.seeds.seed for r in self.records],
            "outcomes": [r.outcome.value for r in self.records],
            "final_losses": [r.final_loss for r in self.records],
            "mean": self.summary.mean,
            "std": self.summary.std,
            "min": self.summary.min,
            "max": self.summary.max,
            "seconds": sum(r.seconds for r in self.records),
        }


@dataclass(frozen=True)
class PairTests:
    """One recipe, the candidate, tested against the reference.

    Attributes:
        levene_mean: Two-sided, deviations from the mean, as mosbach2021 report it.
        levene_median: Two-sided, deviations from the median.
        spread: One-sided, on the spread of scores.
        failures: One-sided, on the rate of failed runs.
        mean: One-sided, on the mean score.
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
        """Run every test."""
        x, y = candidate.finite_scores, reference.finite_scores
        return cls(
            candidate.label,
            reference.label,
            statistics.levene_test(x, y, "mean"),
            statistics.levene_test(x, y, "median"),
            statistics.spread_test(x, y),
            statistics.failure_test(candidate.failed, len(candidate.records), reference.failed, len(reference.records)),
            statistics.mean_test(x, y),
        )

    def notes(self) -> list[str]:
        """What is special about a test, once each."""
        named = (
            ("spread", self.levene_mean),
            ("spread", self.levene_median),
            ("spread", self.spread),
            ("failed runs", self.failures),
            ("mean", self.mean),
        )
        return list(dict.fromkeys(f"{what}: {test.note}" for what, test in named if test.note))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Comparison:
    """Recipes on one task and model, each tested against the first.

    ``print(comparison)`` gives the tables.

    Attributes:
        task: The task's name.
        model: The model as the user named it.
        metric: The name of the score.
        constant_score: Of the best constant predictor: at or below it, a run has failed.
        recipes: The first is the reference.
    """

    task: str
    model: str
    metric: str
    constant_score: float
    recipes: Sequence[RecipeRuns]

    @cached_property
    def tests(self) -> list[PairTests]:
        """Every other recipe against the first."""
        return [PairTests.of(candidate, self.recipes[0]) for candidate in self.recipes[1:]]

    def judge(self, rules: Rules) -> dict[str, Judgement]:
        """The verdict of every other recipe against the first; all their tests are one family."""
        reference = self.recipes[0].sample
        return judge({r.label: Pair(r.sample, reference, same_seeds=True) for r in self.recipes[1:]}, rules)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types; a number that is not defined is None."""
        return {
            "schema": SCHEMA,
            "task": self.task,
            "model": self.model,
            "metric": self.metric,
            "constant_score": self.constant_score,
            "recipes": {runs.label: runs.to_json() for runs in self.recipes},
            "tests": {f"{t.candidate} vs {t.reference}": t.to_json() for t in self.tests},
        }

    def __str__(self) -> str:
        head = f"{self.task}, model {self.model}: {self.metric}, best constant predictor {self.constant_score:.3f}"
        return "\n\n".join([head, self._runs_table(), *([self._tests_table()] if self.tests else [])])

    def _runs_table(self) -> str:
        rows = [
            [
                runs.label,
                runs.summary.planned,
                runs.summary.failed,
                runs.summary.mean_and_std,
                _score(runs.summary.min),
                _score(runs.summary.max),
            ]
            for runs in self.recipes
        ]
        return tabulate(rows, ["recipe", "planned", "failed", "mean ± std", "min", "max"], disable_numparse=True)

    def _tests_table(self) -> str:
        rows = [
            [
                t.candidate,
                p_value(t.levene_mean.p),
                p_value(t.levene_median.p),
                *(f"{p_value(test.p_worse)} / {p_value(test.p_better)}" for test in (t.spread, t.failures, t.mean)),
            ]
            for t in self.tests
        ]
        columns = ["Levene, mean", "Levene, median", "spread", "failed runs", "mean"]
        table = tabulate(rows, [f"against {self.recipes[0].label}", *columns], disable_numparse=True)
        lines = [
            "p-values. Levene: equal spread, two-sided, deviations from the mean and from the median.",
            "Spread, failed runs, mean: one-sided, worse / better than the reference "
            f"({', '.join(dict.fromkeys(x.method for t in self.tests for x in (t.spread, t.failures, t.mean)))}).",
            *(f"{t.candidate}: {note}" for t in self.tests for note in t.notes()),
        ]
        return "\n".join([table, "", *lines])


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def p_value(value: float | None) -> str:
    """``.0123``, or ``<.0001``; a dash where it is not defined."""
    if value is None:
        return "-"
    return "<.0001" if value < 1e-4 else f"{value:.4f}".replace("0.", ".", 1)
