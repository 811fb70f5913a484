"""`stabbench list` and `stabbench show`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stabbench.cli.groups import Group
from stabbench.cli.options import plot_option, plugin_option, store_option
from stabbench.cli.output_streams import say
from stabbench.cli.overwriting import check_outputs
from stabbench.escape import one_line

if TYPE_CHECKING:
    from stabbench.records.run import RunRecord


@click.group("list", cls=Group)
def list_group() -> None:
    """List recipes, optimizers, tasks, models, studies or runs.

    \b
    Example:
      stabbench list recipes --verbose
      stabbench list runs --store .stabbench
    """


@list_group.command()
@click.option("-v", "--verbose", is_flag=True, help="With every parameter, its default and meaning.")
@plugin_option
def recipes(verbose: bool, plugins: Sequence[str]) -> None:
    """Recipes, built in, installed and from plugins.

    \b
    Example:
      stabbench list recipes --plugin my_recipes.py
    """
    from stabbench.recipes import load_plugin, recipe_class, recipe_names
    from stabbench.report.table import Table

    for plugin in plugins:
        load_plugin(plugin)
    classes = {name: recipe_class(name) for name in recipe_names()}
    docs = {name: (cls.__doc__ or "").strip().splitlines() or [""] for name, cls in classes.items()}
    if not verbose:
        rows = [[name, docs[name][0], cls.paper] for name, cls in classes.items()]
        say(Table(["recipe", "method", "paper"], rows).text())
        return
    for name, cls in classes.items():
        rows = [[s.name, str(s.default), str(s.metadata.get("doc", ""))] for s in dataclasses.fields(cls)]
        title = f"{name}: {docs[name][0]}" + (f" [{cls.paper}]" if cls.paper else "")
        say(Table(["parameter", "default", "meaning"], rows, title=title).text() + "\n")


@list_group.command()
def optimizers() -> None:
    """Optimizers that every recipe can be trained with, and what each makes of a learning rate that is left open.

    \b
    Example:
      stabbench list optimizers
      stabbench compare cwgnc cwgnc:optimizer=lion
    """
    from stabbench.recipes import OPTIMIZERS
    from stabbench.report.table import Table

    rows = [[name, each.what, f"{each.rate:g} x the family's", each.paper] for name, each in OPTIMIZERS.items()]
    say(Table(["optimizer", "method", "open lr", "paper"], rows).text())


@list_group.command()
@plugin_option
def tasks(plugins: Sequence[str]) -> None:
    """Tasks and their metrics; a task file or a data file of your own stands in the place of a name (docs/tasks.md).

    A task may have options, as in glue/rte:examples=1000,split=zhang2021. examples=N trains on a sample of N examples,
    the same for all seeds; iterations=full makes as many updates as on all examples; split=zhang2021 takes a validation
    set from the evaluation set, and samples each class equally.

    \b
    Example:
      stabbench list tasks
    """
    from stabbench.recipes import load_plugin
    from stabbench.report.table import Table
    from stabbench.tasks.given import defined_names
    from stabbench.tasks.glue.specs import GLUE_TASKS
    from stabbench.tasks.lab.tasks import LAB_TASKS

    for plugin in plugins:
        load_plugin(plugin)
    rows = [[name, lab.metric, lab.description] for name, lab in LAB_TASKS.items()]
    rows += [
        [name, glue.metric, f"{glue.folder} of GLUE, from the hub or from --data-dir"]
        for name, glue in GLUE_TASKS.items()
    ]
    rows += [[name, "-", "of an installed package or a plugin"] for name in defined_names()]
    say(Table(["task", "metric", "data"], rows).text())


@list_group.command()
def models() -> None:
    """Models that the papers use. Any other hub id or local folder works as well.

    \b
    Example:
      stabbench list models
    """
    from stabbench.models.source import MODELS
    from stabbench.report.table import Table

    say(Table(["model", "description"], [[name, description] for name, description in MODELS.items()]).text())


@list_group.command()
def studies() -> None:
    """The papers' figures and tables that come as studies.

    \b
    Example:
      stabbench list studies
    """
    from stabbench.report.table import Table
    from stabbench.studies.loading import load_study, study_names

    found = {name: load_study(name) for name in study_names()}
    rows = [[name, study.title, study.source] for name, study in found.items()]
    say(Table(["study", "shows", "source"], rows).text())


@list_group.command()
@store_option
def runs(store: Path) -> None:
    """The runs of a store, one a line: id, task, model, recipe, seed, outcome, score.

    Recipe and model are named as in the command that trained the run; another command may use it under other names.

    \b
    Example:
      stabbench list runs --store .stabbench
    """
    from stabbench.records.store import Store

    with Store(store, write=False) as opened:
        # Printed when all is read: nothing can be written to the store as long as a pager holds up the reading.
        lines = [_run_line(record) for record in opened.records()]
    if lines:
        say("\n".join(lines))


def _run_line(r: RunRecord) -> str:
    from stabbench.records.recipe_runs import cut_to
    from stabbench.report.numbers import score

    cut = f"  cut to {r.steps} steps by --max-steps" if cut_to(r.fingerprint.experiment) is not None else ""
    return one_line(
        f"{r.id}  {r.task}  {r.model}  {r.recipe}  seed {r.seeds.seed}  {r.outcome}  {score(r.score, 4)}{cut}"
    )


@click.command()
@click.argument("run_id")
@click.option("--history", is_flag=True, help="With all that is kept of what happened in it (docs/diagnose.md).")
@plot_option
@store_option
def show(run_id: str, history: bool, plot_file: Path | None, store: Path) -> None:
    """Show one stored run as JSON. RUN_ID is an id of `stabbench list runs`, or its beginning.

    --plot draws its loss, the gradient norms of its parts, and how far they are from their start.

    \b
    Example:
      stabbench show 3fa9
      stabbench show 3fa9 --plot run.png
    """
    from stabbench.diagnostics.choice import chosen
    from stabbench.diagnostics.diagnose import diagnose
    from stabbench.records.store import Store
    from stabbench.records.weights import weights_file

    check_outputs({"--plot": plot_file}, store=store)
    with Store(store, write=False) as opened:
        found = opened.find(run_id)
        kept = opened.history(found.id)
    data = found.to_json()
    if (weights := weights_file(store, found.id)).is_file():
        data["weights"] = str(weights)
    if history:
        data["history"] = kept.to_json()
    if plot_file is not None:
        from stabbench.report.run_picture import plot_run

        (cell,) = chosen(store, [found.id])
        (cause,) = (named.cause for named in diagnose(cell.runs, [found]))
        plot_run(found, kept, plot_file, "" if cause is None else cause.words)
    say(json.dumps(data, indent=2))
