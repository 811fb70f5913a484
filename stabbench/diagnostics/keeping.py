"""What to do for what a run did not keep: it depends on who trained it."""

from __future__ import annotations

from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import RunRecord


def of_own_code(record: RunRecord) -> bool:
    """Whether a run is one of training code, which alone decides what is kept of it."""
    return record.fingerprint.experiment.get("training") is not None


def how_to_keep(runs: RecipeRuns) -> str:
    """One sentence, without a full stop."""
    if runs.source:
        return f"{runs.source} has none of it"
    if runs.records and of_own_code(runs.records[0]):
        return (
            "training code itself says what is kept: losses and predictions that train(seed) gives, or what "
            "StabilityCallback records (docs/trainings.md)"
        )
    return "runs of earlier versions and of --detail brief have none: give the command that trained them with --fresh"
