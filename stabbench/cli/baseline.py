"""`stabbench baseline`: the only thing that writes the baselines file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from stabbench.cli.arguments import PlanOptions
from stabbench.cli.elsewhere import Elsewhere, elsewhere_options, task_given
from stabbench.cli.groups import Group
from stabbench.cli.options import (
    baseline_resources_options,
    baselines_option,
    cell_options,
    data_dir_option,
    resources_options,
    rule_options,
    seeds_option,
    written_baselines_option,
)
from stabbench.cli.output_files import interruptible
from stabbench.cli.output_streams import say
from stabbench.cli.overwriting import check_outputs
from stabbench.errors import StabbenchError
from stabbench.gate.rules import Rules
from stabbench.runner.resources import Resources

# A gate against fewer is seldom decided.
FEW_RUNS = 20


@click.group("baseline", cls=Group)
def baseline_group() -> None:
    """Record, update, show or verify baselines.

    `stabbench gate` judges new runs against them.

    \b
    Example:
      stabbench baseline record mosbach cwgnc --seeds 50
      stabbench baseline verify
    """


@baseline_group.command()
@click.argument("recipes", nargs=-1, metavar="[RECIPE ...]")
@elsewhere_options
@written_baselines_option
@cell_options
@resources_options
def record(
    recipes: Sequence[str], elsewhere: Elsewhere, baselines_file: Path, options: PlanOptions, resources: Resources
) -> None:
    """Run recipes over seeds and add them to the baselines file; with --from, scores of other programs.

    \b
    Example:
      stabbench baseline record mosbach cwgnc --task lab/entailment --seeds 50
      stabbench baseline record rte.toml --seeds 50 --workers 4
      stabbench baseline record --from bert=runs/before --metric eval_accuracy --constant-score 0.527
    """
    from stabbench.gate import update
    from stabbench.gate.elsewhere import record_elsewhere
    from stabbench.report.baselines import cells_table
    from stabbench.report.progress import shown_progress

    elsewhere.check(recipes, ["baselines_file", "task"])
    if elsewhere.sources:
        check_outputs({"--baselines": baselines_file}, store=resources.store, results=elsewhere.paths)
        made = record_elsewhere(elsewhere.read(task_given(options.task)), baselines_file)
    elif recipes:
        plan = options.plan(recipes, resources.plugins)
        check_outputs(
            {"--baselines": baselines_file},
            store=resources.store, plugins=resources.plugins, data_dir=plan.data_dir,
            tasks=[plan.task], models=[plan.model], trainings=plan.trainings,
        )  # fmt: skip
        with interruptible(resources.store), shown_progress() as progress:
            made = update.record(plan, resources, baselines_file, progress)
    else:
        raise click.UsageError("name a RECIPE or more to train, or results to read --from a path")
    say(cells_table(made).text())
    say(f"recorded in {baselines_file}")
    _warn_of_few({cell.name: cell.sample.planned for cell in made})


@baseline_group.command()
@click.argument("recipes", nargs=-1, metavar="[RECIPE ...]")
@written_baselines_option
@click.option("--task", help="Only the cells of this task; training code has none.")
@seeds_option(None, "Train at least the seeds 0 to N-1 [default: the baseline's own seeds].")
@click.option("--loosen", "reason", default="", metavar="REASON", help="Accept a looser baseline, for this reason.")
@data_dir_option
@baseline_resources_options
def update(
    recipes: Sequence[str],
    baselines_file: Path,
    task: str | None,
    seeds: Sequence[int] | None,
    reason: str,
    data_dir: Path | None,
    resources: Resources,
) -> None:
    """Train the cells of the file with the current recipes, and replace the old scores by the new ones.

    A baseline that becomes harder to pass, or gets more seeds, is replaced freely. One that becomes easier to pass
    (more failed runs, a larger spread, a lower mean, fewer runs) needs --loosen with a reason, which stays in the file.

    \b
    Example:
      stabbench baseline update mosbach --seeds 50
      stabbench baseline update devlin --loosen "torch 2.13 changed its kernels"
    """
    from stabbench.gate import update
    from stabbench.gate.baselines_file import load
    from stabbench.gate.plans import chosen
    from stabbench.recipes import load_plugin
    from stabbench.report.baselines import cells_table
    from stabbench.report.progress import shown_progress

    for plugin in resources.plugins:
        load_plugin(plugin)
    if seeds is not None and not isinstance(seeds, range):
        raise click.UsageError("--seeds takes a number here: a baseline keeps the seeds that it has")
    check_outputs({"--baselines": baselines_file}, store=resources.store, plugins=resources.plugins, data_dir=data_dir)
    first = 0 if seeds is None else len(seeds)
    refused = []
    for old in chosen(load(baselines_file), recipes, task):
        try:
            with interruptible(resources.store), shown_progress() as progress:
                new = update.rerun(old, resources, seeds=first, data_dir=data_dir, progress=progress)
                made = update.replace(old, new, reason, baselines_file, progress)
        except StabbenchError as error:
            refused.append(old.name)
            say(f"Error: {error}", err=True)
            continue
        say(f"{made.name}: {'unchanged' if made == old else 'updated'}")
        if made != old:
            say(cells_table([old, made]).text())
    if refused:
        raise StabbenchError(f"not updated: {', '.join(refused)}")


@baseline_group.command()
@click.argument("recipes", nargs=-1, metavar="[RECIPE ...]")
@baselines_option
@click.option("--task", help="Only the cells of this task; training code has none.")
@click.option("-v", "--verbose", is_flag=True, help="With the fingerprint of each, and why it was loosened.")
def show(recipes: Sequence[str], baselines_file: Path, task: str | None, verbose: bool) -> None:
    """Show the cells of the baselines file, their age and their machine.

    \b
    Example:
      stabbench baseline show --verbose
    """
    from stabbench.api.past import show_baselines
    from stabbench.report.baselines import loosening_text

    cells = show_baselines(recipes, baselines_file, task=task)
    say(str(cells))
    for cell in cells if verbose else ():
        say(f"\n{cell.name}, recorded {cell.recorded} by stabbench {cell.stabbench}")
        for name, part in (("experiment", cell.experiment), ("environment", cell.environment)):
            say(f"  {name}: {', '.join(f'{key} {value}' for key, value in part.items())}")
        for note in cell.loosened:
            say(f"  {loosening_text(note)}")


@baseline_group.command()
@click.argument("recipes", nargs=-1, metavar="[RECIPE ...]")
@baselines_option
@click.option("--task", help="Only the cells of this task; training code has none.")
@click.option("--trials", type=click.IntRange(20, 100_000), default=500, show_default=True, help="Random splits.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the splits.")
@rule_options
def verify(
    recipes: Sequence[str], baselines_file: Path, task: str | None, trials: int, seed: int, rules: Rules
) -> None:
    """Check that the file is whole, and how often the gate would alarm falsely (A/A check).

    Every cell's runs are split at random, and one half is judged against the other: both are the same recipe, so that
    every FAIL is a false alarm. Exit code 3 if they come more often than alpha by more than chance.

    \b
    Example:
      stabbench baseline verify --trials 1000
    """
    from stabbench.api.past import verify_baselines

    found = verify_baselines(recipes, baselines_file, task=task, trials=trials, seed=seed, rules=rules)
    say(str(found))
    _warn_of_few({name: bank.planned for name, bank in found.banks.items()})
    if found.too_often:
        raise StabbenchError("false alarms are more than alpha allows", "are the runs of a cell all of one kind?")


def _warn_of_few(runs: Mapping[str, int]) -> None:
    few = [name for name, number in runs.items() if number < FEW_RUNS]
    if few:
        say(f"note: with under {FEW_RUNS} runs most verdicts are INCONCLUSIVE: {', '.join(few)}", err=True)
