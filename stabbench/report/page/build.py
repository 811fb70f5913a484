"""Subjects of pages about runs: which of them can be compared with one another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stabbench.errors import listed
from stabbench.gate.comparison import Comparison
from stabbench.gate.rules import Rules
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.report.page.subject import Setting, Subject, judged_comparison, setting_of

# More names than that are counted in a title.
MOST_NAMED = 4


def runs_subject(recipes: Sequence[RecipeRuns], rules: Rules, facts: Sequence[str], command: str) -> Subject:
    """A page about runs, wherever they come from: recipes on one task and model are judged against the first there.

    Args:
        recipes: The runs of each recipe.
        rules: Of the verdicts.
        facts: Lines below the title.
        command: What makes the page again.
    """
    settings = settings_of(recipes)
    judged = [verdict for s in settings if s.comparison for verdict in judged_comparison(s.comparison, rules)]
    return Subject(title_of(settings), settings, judged, rules, facts, command)


def settings_of(recipes: Iterable[RecipeRuns]) -> list[Setting]:
    """The settings of runs: a task and a model each, and the metric of their scores."""
    places: dict[tuple[str, str, str], list[RecipeRuns]] = {}
    for runs in recipes:
        first = runs.records[0]
        places.setdefault((first.task, first.model, first.metric), []).append(runs)
    return [setting_of(Comparison.of_runs(own)) for own in places.values()]


def title_of(settings: Sequence[Setting]) -> str:
    """``devlin, mosbach on lab/entailment, model lab``."""
    labels = dict.fromkeys(runs.label for setting in settings for runs in setting.recipes)
    return f"{listed(list(labels), MOST_NAMED)} on {listed([setting.name for setting in settings], MOST_NAMED)}"
