"""`stabbench list` and `stabbench show`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stabbench.cli.options import plugin_option, store_option

if TYPE_CHECKING:
    from stabbench.records import RunRecord


@click.group("list")
def list_group() -> None:
    """List recipes, tasks, models, studies, or the runs of a store.

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

    for plugin in plugins:
        load_plugin(plugin)
    for name in recipe_names():
        cls = recipe_class(name)
        first_line, *_ = (cls.__doc__ or "").strip().splitlines() or [""]
        click.echo(f"{name:<16} {first_line}" + (f"  [{cls.paper}]" if cls.paper else ""))
        if verbose:
            for spec in dataclasses.fields(cls):
                click.echo(f"    {spec.name:<16} {spec.default!s:<8} {spec.metadata.get('doc', '')}")


@list_group.command()
def tasks() -> None:
    """Tasks and their metrics.

    A task may have options, as in glue/rte:examples=1000,split=zhang2021: so many training examples, sampled once;
    iterations=full for as many updates as on all of them; split=zhang2021 for a validation set of its own.

    \b
    Example:
      stabbench list tasks
    """
    from stabbench.tasks import GLUE_TASKS, LAB_TASKS

    for name, lab in LAB_TASKS.items():
        click.echo(f"{name:<18} {lab.metric:<9} {lab.description}")
    for name, glue in GLUE_TASKS.items():
        click.echo(f"{name:<18} {glue.metric:<9} {glue.folder} of GLUE, from the hub or from --data-dir")


@list_group.command()
def models() -> None:
    """Models that the papers use. Any other hub id or local folder works as well.

    \b
    Example:
      stabbench list models
    """
    from stabbench.models.source import MODELS

    for name, description in MODELS.items():
        click.echo(f"{name:<36} {description}")


@list_group.command()
def studies() -> None:
    """The papers' figures and tables that come as studies.

    \b
    Example:
      stabbench list studies
    """
    from stabbench.studies import load_study, study_names

    for name in study_names():
        found = load_study(name)
        click.echo(f"{name:<20} {found.title}  [{found.source}]")


@list_group.command()
@store_option
def runs(store: Path) -> None:
    """The runs of a store, one a line: id, task, model, recipe, seed, outcome, score.

    \b
    Example:
      stabbench list runs --store .stabbench
    """
    from stabbench.store import Store

    with Store(store, write=False) as opened:
        # Printed when all is read: nothing can be written to the store as long as a pager holds up the reading.
        lines = [_run_line(record) for record in opened.records()]
    if lines:
        click.echo("\n".join(lines))


def _run_line(r: RunRecord) -> str:
    score = "-" if r.score is None else f"{r.score:.4f}"
    return f"{r.id}  {r.task}  {r.model}  {r.recipe}  seed {r.seeds.seed}  {r.outcome}  {score}"


@click.command()
@click.argument("run_id")
@click.option("--history", is_flag=True, help="With the loss of every step and the gradient norms, as JSON.")
@store_option
def show(run_id: str, history: bool, store: Path) -> None:
    """Show one stored run as JSON. RUN_ID is an id of `stabbench list runs`, or its beginning.

    \b
    Example:
      stabbench show 3fa9
    """
    from stabbench.errors import StoreError
    from stabbench.store import Store

    with Store(store, write=False) as opened:
        found = list(opened.records(run_id))
        if len(found) != 1:
            raise StoreError(
                f"{len(found) or 'no'} runs in {store} have an id that starts with {run_id!r}",
                "see: stabbench list runs" if not found else f"give more of it: {', '.join(r.id for r in found[:3])}…",
            )
        data = found[0].to_json()
        if history:
            data["history"] = dataclasses.asdict(opened.history(found[0].id))
    click.echo(json.dumps(data, indent=2))
