"""Where runs come from, and whether they were cut short, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stabbench.records.recipe_runs import RecipeRuns


def origin(days: Sequence[str]) -> str:
    """How many runs come from the store, and of what date: ``14 of 14 runs from the store, trained 2026-11-20``.

    Args:
        days: As :attr:`RecipeRuns.days`.
    """
    known = sorted(filter(None, days))
    when = "" if not known else f", trained {known[0]}" + (f" to {known[-1]}" if known[-1] != known[0] else "")
    return f"{len(known)} of {len(days)} runs from the store{when}"


def provenance(recipes: Sequence[RecipeRuns]) -> str:
    """Where all runs come from: :func:`origin`, or the files and folders of those that were measured elsewhere."""
    sources = dict.fromkeys(runs.source for runs in recipes if runs.source)
    if not sources:
        return origin(all_days(recipes))
    labels = {source: ", ".join(runs.label for runs in recipes if runs.source == source) for source in sources}
    return f"measured elsewhere: {'; '.join(f'{names} from {source}' for source, names in labels.items())}"


def all_days(recipes: Iterable[RecipeRuns]) -> list[str]:
    """The days of all runs, for :func:`origin`."""
    return [day for runs in recipes for day in runs.days]


def cut_short(recipes: Sequence[RecipeRuns]) -> str:
    """``cut to 20 steps of 1,260 by --max-steps``, by recipe where they differ; empty where nothing was cut off."""
    cuts = {
        runs.label: f"{runs.cut_to:,} steps" + ("" if runs.whole_steps is None else f" of {runs.whole_steps:,}")
        for runs in recipes
        if runs.cut_to is not None
    }
    if not cuts:
        return ""
    if len(cuts) == len(recipes) and len(set(cuts.values())) == 1:
        return f"cut to {next(iter(cuts.values()))} by --max-steps"
    return "cut by --max-steps: " + ", ".join(f"{label} to {cut}" for label, cut in cuts.items())
