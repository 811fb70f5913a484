"""All runs of one recipe, and what their numbers come to."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from stabbench import statistics
from stabbench.errors import StabbenchError
from stabbench.records.history import History
from stabbench.records.run import Outcome, RunRecord
from stabbench.records.seeds import STREAMS
from stabbench.records.store import FILE, Store
from stabbench.statistics import Sample, Summary


@dataclass(frozen=True)
class RecipeRuns:
    """All runs of one recipe, in the order of their seeds.

    Attributes:
        label: The recipe's label.
        records: One a seed.
        trained: The ids of the runs that this command trained; the others come from the store.
        whole_steps: The updates of a run that is not cut short; None where that is not known.
        source: The file or folder of runs that were measured elsewhere; empty for stabbench's own.
        store: The folder of the store that has their histories.
        given: Histories by run id, of runs that are in no store.
    """

    label: str
    records: Sequence[RunRecord]
    trained: frozenset[str] = frozenset()
    whole_steps: int | None = None
    source: str = ""
    store: Path | None = None
    given: Mapping[str, History] = field(default_factory=dict)

    def kept_in(self, store: Path) -> Self:
        """The same, with their histories in another store."""
        return dataclasses.replace(self, store=store)

    def histories(self, records: Iterable[RunRecord]) -> dict[str, History]:
        """What happened during some of the runs, by id; without those of which nothing is kept any more.

        Raises:
            StoreError: The store cannot be read.
        """
        ids = [record.id for record in records]
        found = {run_id: self.given[run_id] for run_id in ids if run_id in self.given}
        if self.store is not None and (self.store / FILE).is_file():
            with Store(self.store, write=False) as store:
                found |= store.histories(ids)
        return found

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
    def failures_known(self) -> bool:
        """Whether it is known of each run if it failed: results from elsewhere need not say."""
        return all(r.outcome is not Outcome.UNKNOWN for r in self.records)

    @property
    def mostly_failed(self) -> bool:
        """Whether more than half of the runs failed: then their spread says nothing of stability."""
        return 2 * self.failed > len(self.records)

    @property
    def finite_scores(self) -> list[float]:
        """Scores, without those of runs that have none (their loss or predictions are not finite)."""
        return self.sample.finite

    @property
    def cut_to(self) -> int | None:
        """The steps to which ``--max-steps`` cut every run; None where it cut nothing off."""
        return cut_to(self.records[0].fingerprint.experiment) if self.records else None

    @property
    def days(self) -> list[str]:
        """For each run the day on which it was trained, ``2026-11-20``; empty where this command trained it."""
        return ["" if r.id in self.trained else r.finished[:10] for r in self.records]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {
            "planned": self.summary.planned,
            "failed": self.summary.failed if self.failures_known else None,
            "scores": [r.score for r in self.records],
            "seeds": [r.seeds.seed for r in self.records],
            "streams": {stream: [getattr(r.seeds, stream) for r in self.records] for stream in STREAMS},
            "outcomes": [r.outcome.value for r in self.records],
            "reasons": [r.reason for r in self.records],
            "final_losses": [r.final_loss for r in self.records],
            "mean": self.summary.mean,
            "std": self.summary.std,
            "min": self.summary.min,
            "max": self.summary.max,
            "seconds": sum(r.seconds for r in self.records),
            "steps": self.records[0].steps if self.records else None,
            "whole_steps": self.whole_steps,
            "max_steps": self.cut_to,
            "ids": [r.id for r in self.records],
            "source": self.source or None,
            "from_store": [not self.source and r.id not in self.trained for r in self.records],
            "finished": [r.finished for r in self.records],
            **fingerprint_json(self.records),
        }


def by_recipe(records: Iterable[RunRecord], store: Path) -> list[RecipeRuns]:
    """Stored runs, recipe by recipe: those of one fingerprint belong together, in the order of their seeds.

    Args:
        records: Their records.
        store: The folder of their store.
    """
    found: dict[tuple[str, str, str, str], list[RunRecord]] = {}
    for record in records:
        key = (record.task, record.model, record.recipe, record.fingerprint.cell_id)
        found.setdefault(key, []).append(record)
    names = Counter(key[:3] for key in found)
    made = []
    for (task, model, recipe, cell), own in found.items():
        # Trained in another environment, say.
        label = recipe if names[task, model, recipe] == 1 else f"{recipe} ({cell[:6]})"
        made.append(RecipeRuns(label, sorted(own, key=lambda r: r.seeds.seed), store=store))
    return made


def cut_to(experiment: Mapping[str, Any]) -> int | None:
    """The steps to which ``--max-steps`` cut the runs of an experiment; None where it cut nothing off."""
    return experiment.get("max_steps")


def fingerprint_json(records: Sequence[RunRecord]) -> dict[str, Any]:
    """Of what the runs of one recipe are made: parameters as resolved, hashes of data and weights, versions, device."""
    if not records:
        return {"revision": None, "experiment": None, "environment": None}
    first = records[0]
    return {
        "revision": first.revision,
        "experiment": dict(first.fingerprint.experiment),
        "environment": dict(first.fingerprint.environment),
    }


def check_complete(recipes: Iterable[RecipeRuns]) -> None:
    """Refuse runs that gave no score: a verdict on the others would be one on a selection.

    Raises:
        StabbenchError: Runs are missing.
    """
    recipes = list(recipes)
    records = [record for runs in recipes for record in runs.records]
    elsewhere = any(runs.source for runs in recipes)
    missing = [record for record in records if record.outcome is Outcome.MISSING]
    if missing:
        first = f"{missing[0].recipe}, seed {missing[0].seeds.seed}: {missing[0].reason}"
        raise StabbenchError(
            f"{len(missing)} of {len(records)} runs are missing ({first})",
            "train those seeds again"
            + (", or say what they are: --crashed failed, or --crashed left-out" if elsewhere else ""),
        )


def check_failures_known(recipes: Iterable[RecipeRuns]) -> None:
    """Refuse runs of which nobody knows whether they failed: a verdict asks for that first.

    Raises:
        StabbenchError: Neither a constant score nor a mark says it.
    """
    for runs in recipes:
        if not runs.failures_known:
            raise StabbenchError(
                f"nobody knows which runs of {runs.label} failed",
                "give --constant-score, the score of the best constant predictor (constant_score of a training), or a "
                "column failed",
            )
