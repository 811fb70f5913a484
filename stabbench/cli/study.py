"""`stabbench study`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from stabbench.cli.arguments import report_files
from stabbench.cli.options import keeping_options, study_options
from stabbench.cli.output_files import command_line, interruptible, write_json
from stabbench.cli.output_streams import say
from stabbench.cli.overwriting import check_outputs
from stabbench.runner.resources import Resources


@click.command()
@click.argument("name", metavar="NAME|FILE")
@click.option("--published", is_flag=True, help="The paper's numbers beside the measured ones.")
@click.option("--format", "style", type=click.Choice(["simple", "github"]), default="simple", help="Of the table.")
@study_options
@keeping_options
def study(
    name: str,
    published: bool,
    style: Literal["simple", "github"],
    tasks: Sequence[str],
    models: Sequence[str],
    seeds: Sequence[int] | None,
    revision: str | None,
    texts: str | None,
    max_steps: int | None,
    data_dir: Path | None,
    json_file: Path | None,
    plot_file: Path | None,
    report_file: Path | None,
    resources: Resources,
) -> None:
    """Run a study, a grid with one table and picture.

    A study declares recipes, parameters, tasks, models and seeds.

    NAME is one of `stabbench list studies`, each a figure or table of a paper; FILE is a study of your own, in TOML or
    Python. What the store has of it is not trained again.

    \b
    Example:
      stabbench study mosbach2021-table1 --plot table1.png --published
      stabbench study zhang2021-fig5 --task glue/rte --data-dir GLUE --model path/to/encoder --seeds 20
      stabbench study my_study.toml
    """
    from stabbench.recipes import load_plugin
    from stabbench.report.progress import shown_progress
    from stabbench.studies.loading import load_study
    from stabbench.studies.published import compare_published
    from stabbench.studies.running import run_study

    for plugin in resources.plugins:
        load_plugin(plugin)
    declared = load_study(name)
    check_outputs(
        {"--json": json_file, "--plot": plot_file, **report_files(report_file)},
        store=resources.store, study=name, texts=texts or declared.texts, plugins=resources.plugins, data_dir=data_dir,
        tasks=tasks or declared.tasks, models=models or declared.models,
    )  # fmt: skip
    with interruptible(resources.store), shown_progress() as progress:
        result = run_study(
            declared,
            resources,
            tasks=tasks or None,
            models=models or None,
            seeds=seeds,
            texts=texts,
            revision=revision,
            data_dir=data_dir,
            max_steps=max_steps,
            progress=progress,
        )
    say(result.text(style))
    if published:
        say(f"\n{compare_published(result).text(style)}")
    if json_file is not None:
        write_json(result.to_json(), json_file)
    if report_file is not None:
        from stabbench.report.page.make import write_report
        from stabbench.studies.page import study_subject

        write_report(study_subject(result, published=published, command=command_line()), report_file)
    if plot_file is not None:
        from stabbench.report.pictures import picture

        with picture(plot_file) as figure:
            result.view.draw(result, figure)
