"""Where the runs come from: parameters, data, environment, and the command that makes the page again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stabbench.records.provenance import cut_short, provenance
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.report import numbers
from stabbench.report.page.document import Block, Section
from stabbench.report.page.subject import Setting, Subject
from stabbench.report.table import Table

LEAD = "What decided the numbers on this page. A dash: that recipe has no such value, or nobody knows it."
# More recipes than that make tables too wide to read.
MOST_COLUMNS = 12


def origin_section(subject: Subject) -> Section:
    """Of every setting: parameters by recipe, data, model and environment; then the command."""
    blocks = [
        Block(
            setting.name,
            [provenance(setting.recipes), *filter(None, [cut_short(setting.recipes)])],
            tables=_tables(setting),
        )
        for setting in subject.settings
        if setting.recipes
    ]
    if subject.command:
        blocks.append(Block("The command that makes this page again", [f"$ {subject.command}"]))
    return Section("origin", "Where it comes from", LEAD, blocks)


def _tables(setting: Setting) -> list[Table]:
    shown = setting.recipes[:MOST_COLUMNS]
    parameters = {runs.label: _parameters(runs) for runs in shown}
    rest = {runs.label: _rest(runs) for runs in shown}
    return [*_differing_and_same("parameters", parameters), *_differing_and_same("data, model and environment", rest)]


def _parameters(runs: RecipeRuns) -> Mapping[str, Any]:
    found = runs.records[0].fingerprint.experiment.get("parameters", {})
    return found if isinstance(found, Mapping) else {}


def _rest(runs: RecipeRuns) -> dict[str, Any]:
    """Everything but the parameters."""
    first = runs.records[0]
    experiment = {k: v for k, v in first.fingerprint.experiment.items() if k not in ("parameters", "recipe")}
    days = sorted({record.finished[:10] for record in runs.records})
    trained = " to ".join(dict.fromkeys([days[0], days[-1]]))
    return {**experiment, "revision": first.revision, **first.fingerprint.environment, "trained": trained}


def _differing_and_same(title: str, by_recipe: Mapping[str, Mapping[str, Any]]) -> list[Table]:
    """A table of what differs between recipes, with a column for each, and one of what they share."""
    keys = dict.fromkeys(key for own in by_recipe.values() for key in own)
    values = {key: [_shown(own.get(key)) for own in by_recipe.values()] for key in keys}
    different = [key for key in keys if len(set(values[key])) > 1]
    same = [key for key in keys if key not in different and values[key][0] != numbers.UNDEFINED]
    of_all = title if len(by_recipe) == 1 else f"{title}, the same for all recipes"
    both = [
        Table(["", *by_recipe], [[key, *values[key]] for key in different], title=f"{title} that differ"),
        Table(["", "value"], [[key, values[key][0]] for key in same], title=of_all),
    ]
    return [table for table in both if table.rows]


def _shown(value: Any) -> str:
    return numbers.UNDEFINED if value is None else f"{value:g}" if isinstance(value, float) else str(value)
