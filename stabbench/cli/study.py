"""`stabbench study`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from stabbench.cli.files import interruptible, write_json
from stabbench.cli.options import study_options


@click.command()
@click.argument("name", metavar="NAME|FILE")
@click.option("--published", is_flag=True, help="The paper's numbers beside the measured ones.")
@click.option("--format", "style", type=click.Choice(["simple", "github"]), default="simple", help="Of the table.")
@study_options
def study(
    name: str,
    published: bool,
    style: str,
    tasks: Sequence[str],
    models: Sequence[str],
    seeds: Sequence[int] | None,
    store: Path,
    json_file: Path | None,
    plot_file: Path | None,
    plugins: Sequence[str],
    **options: Any,
) -> None:
    """Run a study: a declared grid of recipes, parameters, tasks, models and seeds, with one table and one picture.

    NAME is one of `stabbench list studies`, each a figure or table of a paper; FILE is a study of your own, in TOML or
    Python. What the store has of it is not trained again.

    \b
    Example:
      stabbench study mosbach2021-table1 --plot table1.png --published
      stabbench study zhang2021-fig5 --task glue/rte --data-dir GLUE --model path/to/encoder --seeds 20
      stabbench study my_study.toml
    """
    from stabbench.progress import watcher
    from stabbench.recipes import load_plugin
    from stabbench.studies import compare_published, load_study, require_published, run_study

    for plugin in plugins:
        load_plugin(plugin)
    declared = load_study(name)
    if published:
        require_published(declared)
    with interruptible(store), watcher() as watching:
        result = run_study(
            declared,
            tasks=tasks or None,
            models=models or None,
            seeds=seeds,
            store=store,
            watcher=watching,
            plugins=plugins,
            **options,
        )
    click.echo(result.text(style))
    if published:
        click.echo(f"\n{compare_published(result).text(style)}")
    if json_file is not None:
        write_json(result.to_json(), json_file)
    if plot_file is not None:
        from stabbench.plot import picture

        with picture(plot_file) as figure:
            result.view.draw(result, figure)
