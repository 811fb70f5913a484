"""`stabbench report`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stabbench.cli.arguments import PlanOptions, report_files
from stabbench.cli.elsewhere import Elsewhere, elsewhere_options, task_given
from stabbench.cli.options import plan_options, rule_options, stored_options
from stabbench.cli.output_files import command_line
from stabbench.cli.output_streams import say
from stabbench.cli.overwriting import check_outputs
from stabbench.cli.types import PageFile
from stabbench.gate.rules import Rules
from stabbench.runner.resources import Resources

if TYPE_CHECKING:
    from stabbench.records.recipe_runs import RecipeRuns

# What a run's id, or its beginning, looks like.
_RUN_ID = re.compile("[0-9a-f]{4,16}")


@click.command()
@click.argument("what", nargs=-1, metavar="[RECIPE|RUN_ID ...]")
@elsewhere_options
@click.option(
    "-o",
    "--output",
    type=PageFile(),
    default="report.html",
    show_default=True,
    help="The page: a file that ends in .html, or a folder, where the style is a file of its own.",
)
@plan_options
@stored_options
@rule_options
def report(
    what: Sequence[str],
    elsewhere: Elsewhere,
    output: Path,
    options: PlanOptions,
    resources: Resources,
    rules: Rules,
) -> None:
    """Write a page about stored runs: verdict, pictures, tables.

    Nothing is trained: the page names what is not stored. RECIPE and options are those of `stabbench compare`; RUN_ID
    is an id of `stabbench list runs`, or its beginning; --from reads results measured elsewhere.

    The page needs no network and no JavaScript, and can be sent as it is.

    \b
    Example:
      stabbench report devlin mosbach --seeds 25
      stabbench report devlin mosbach --output page
      stabbench report 3fa9 b01c
      stabbench report --from old=runs/a --from new=runs/b --metric eval_accuracy --constant-score 0.527
    """
    from stabbench.report.page.build import runs_subject
    from stabbench.report.page.make import write_report

    elsewhere.check(what, ["output", "task", "store", *vars(rules)])
    if not what and not elsewhere.sources:
        raise click.UsageError("name recipes, ids of runs, or results to read --from a path")
    files = dict(zip(("--output", "its style"), report_files(output).values(), strict=False))
    facts: Sequence[str] = ()
    if elsewhere.sources:
        check_outputs(files, store=resources.store, results=elsewhere.paths)
        recipes: Sequence[RecipeRuns] = elsewhere.read(task_given(options.task))
    elif _are_ids(what, resources.plugins):
        check_outputs(files, store=resources.store, plugins=resources.plugins)
        recipes = _of_ids(what, resources.store)
    else:
        recipes, facts = _of_plan(what, options, resources, files)
    write_report(runs_subject(recipes, rules, facts, command_line()), output)
    for fact in facts:
        say(f"note: {fact}", err=True)
    say(f"{files['--output']}: a page about {sum(len(runs.records) for runs in recipes)} runs")


def _are_ids(what: Sequence[str], plugins: Sequence[str]) -> bool:
    """Whether ids of runs are named: a recipe whose name looks like one is a recipe."""
    from stabbench.recipes import load_plugin, recipe_names

    for plugin in plugins:
        load_plugin(plugin)
    names = recipe_names()
    return all(_RUN_ID.fullmatch(text) and text not in names for text in what)


def _of_ids(prefixes: Sequence[str], folder: Path) -> list[RecipeRuns]:
    from stabbench.records.recipe_runs import by_recipe
    from stabbench.records.store import Store

    with Store(folder, write=False) as store:
        return by_recipe({record.id: record for record in map(store.find, prefixes)}.values(), folder)


def _of_plan(
    what: Sequence[str], options: PlanOptions, resources: Resources, files: Mapping[str, Path | None]
) -> tuple[Sequence[RecipeRuns], Sequence[str]]:
    from stabbench.runner.stored import find_stored

    plan = options.plan(what, resources.plugins)
    check_outputs(
        files,
        store=resources.store, plugins=resources.plugins, data_dir=plan.data_dir,
        tasks=[plan.task], models=[plan.model], trainings=plan.trainings,
    )  # fmt: skip
    stored = find_stored(plan, resources)
    return stored.recipes, stored.lacking
