"""`stabbench baseline`: the only thing that writes the baselines file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from tabulate import tabulate

from stabbench.cli.files import interruptible
from stabbench.cli.options import (
    baselines_option,
    cell_options,
    device_option,
    rule_options,
    seeds_option,
    taken_rules,
    training_options,
    written_baselines_option,
)

# A gate against fewer is seldom decided.
FEW_RUNS = 20


@click.group("baseline")
def baseline_group() -> None:
    """Record, update, show or verify the baselines that `stabbench gate` judges against.

    \b
    Example:
      stabbench baseline record mosbach cwgnc --seeds 50
      stabbench baseline verify
    """


@baseline_group.command()
@click.argument("recipes", nargs=-1, required=True, metavar="RECIPE [RECIPE ...]")
@written_baselines_option
@cell_options
@seeds_option("50", "How many (0 to N-1), or which: 3,7,11.")
@device_option("auto")
@training_options
def record(recipes: Sequence[str], baselines_file: Path, store: Path, plugins: Sequence[str], **options: Any) -> None:
    """Run recipes over seeds and add them to the baselines file.

    \b
    Example:
      stabbench baseline record mosbach cwgnc --task lab/entailment --seeds 50
    """
    from stabbench import recording
    from stabbench.plan import Plan
    from stabbench.progress import watcher
    from stabbench.recipes import load_plugin, parse_recipe
    from stabbench.seeds import Seeds

    for plugin in plugins:
        load_plugin(plugin)
    options["seeds"] = [Seeds.of(n) for n in options["seeds"]]
    plan = Plan(recipes=[parse_recipe(text) for text in recipes], plugins=plugins, **options)
    with interruptible(store), watcher() as watching:
        made = recording.record(plan, baselines_file, store, watching)
    click.echo(_table(made))
    click.echo(f"recorded in {baselines_file}")
    _warn_of_few(made)


@baseline_group.command()
@click.argument("recipes", nargs=-1, metavar="[RECIPE ...]")
@written_baselines_option
@click.option("--task", help="Only the cells of this task.")
@seeds_option(None, "So many at least (0 to N-1); by default the seeds that the baseline has.")
@click.option("--loosen", "reason", default="", metavar="REASON", help="A looser baseline is meant, and why.")
@device_option(None)
@training_options
def update(
    recipes: Sequence[str],
    baselines_file: Path,
    task: str | None,
    seeds: Sequence[int] | None,
    reason: str,
    device: str | None,
    store: Path,
    plugins: Sequence[str],
    **options: Any,
) -> None:
    """Run the cells of the file as their recipes are today, and put the new scores in the place of the old.

    A baseline that becomes harder to pass, or gets more seeds, is replaced freely. One that becomes easier to pass
    (more failed runs, a larger spread, a lower mean, fewer runs) needs --loosen with a reason, which stays in the file.

    \b
    Example:
      stabbench baseline update mosbach --seeds 50
      stabbench baseline update devlin --loosen "torch 2.13 changed its kernels"
    """
    from stabbench import recording
    from stabbench.baselines import load, select
    from stabbench.errors import StabbenchError
    from stabbench.progress import watcher
    from stabbench.recipes import load_plugin

    for plugin in plugins:
        load_plugin(plugin)
    if seeds is not None and not isinstance(seeds, range):
        raise click.UsageError("--seeds takes a number here: a baseline keeps the seeds that it has")
    how = {**options, "device": device, "plugins": plugins}
    refused = []
    for old in select(load(baselines_file), recipes, task):
        try:
            with interruptible(store), watcher() as watching:
                new = recording.rerun(old, None if seeds is None else len(seeds), store, how, watching)
            made = recording.replace(old, new, reason, baselines_file)
        except StabbenchError as error:
            refused.append(old.name)
            click.echo(f"Error: {error}", err=True)
            continue
        click.echo(f"{made.name}: {'unchanged' if made == old else 'updated'}")
        if made != old:
            click.echo(_table([old, made]))
    if refused:
        raise StabbenchError(f"not updated: {', '.join(refused)}")


@baseline_group.command()
@click.argument("recipes", nargs=-1, metavar="[RECIPE ...]")
@baselines_option
@click.option("--task", help="Only the cells of this task.")
@click.option("-v", "--verbose", is_flag=True, help="With what each was made of, and why it was loosened.")
def show(recipes: Sequence[str], baselines_file: Path, task: str | None, verbose: bool) -> None:
    """Show the cells of the baselines file, their age and their machine.

    \b
    Example:
      stabbench baseline show --verbose
    """
    from stabbench.baselines import load, select

    cells = select(load(baselines_file), recipes, task)
    click.echo(_table(cells))
    for cell in cells if verbose else ():
        click.echo(f"\n{cell.name}, recorded {cell.recorded} by stabbench {cell.stabbench}")
        for name, part in (("experiment", cell.experiment), ("environment", cell.environment)):
            click.echo(f"  {name}: {', '.join(f'{key} {value}' for key, value in part.items())}")
        for note in cell.loosened:
            click.echo(f"  loosened {note.date}: {note.reason} (before: {dict(note.before)})")


@baseline_group.command()
@click.argument("recipes", nargs=-1, metavar="[RECIPE ...]")
@baselines_option
@click.option("--task", help="Only the cells of this task.")
@click.option("--trials", type=click.IntRange(min=20), default=500, show_default=True, help="Random splits.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the splits.")
@rule_options
def verify(
    recipes: Sequence[str], baselines_file: Path, task: str | None, trials: int, seed: int, **options: Any
) -> None:
    """Check that the file is whole, and how often the gate would alarm falsely (A/A check).

    Every cell's runs are split at random, and one half is judged against the other: both are the same recipe, so that
    every FAIL is a false alarm. Exit code 1 if they come more often than alpha by more than chance.

    \b
    Example:
      stabbench baseline verify --trials 1000
    """
    from stabbench.baselines import load, select
    from stabbench.resampling import same_against_same
    from stabbench.verdict import Verdict

    rules = taken_rules(options)
    cells = select(load(baselines_file), recipes, task)
    banks = {cell.name: cell.sample for cell in cells}
    rates = same_against_same(banks, rules, trials=trials, seed=seed)
    shown = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)
    rows = [
        [name, banks[name].planned, *(f"{counts[verdict] / trials:.3f}" for verdict in shown)]
        for name, counts in rates.cells.items()
    ]
    click.echo(tabulate(rows, ["half against half", "runs", *shown], disable_numparse=True))
    alarms = f"{rates.rate(Verdict.FAIL):.3f} of {trials} splits (alpha {rules.alpha:g})"
    click.echo(f"\n{baselines_file} is whole. False alarms of the whole gate: {alarms}.")
    _warn_of_few(cells)
    if rates.alarms_too_often(rules.alpha):
        click.echo("That is more than alpha allows: are the runs of a cell all of one kind?", err=True)
        sys.exit(1)


def _warn_of_few(cells: Sequence[Any]) -> None:
    few = [cell.name for cell in cells if cell.sample.planned < FEW_RUNS]
    if few:
        click.echo(f"note: with under {FEW_RUNS} runs most verdicts are INCONCLUSIVE: {', '.join(few)}", err=True)


def _table(cells: Sequence[Any]) -> str:
    from stabbench.statistics import summarise

    rows = []
    for cell in cells:
        s = summarise(cell.sample)
        where = cell.environment.get("device_name", "-")
        rows.append([cell.recipe, cell.task, cell.model, s.planned, s.failed, s.mean_and_std, cell.recorded, where])
    columns = ["recipe", "task", "model", "runs", "failed", "mean ± std", "recorded", "on"]
    return tabulate(rows, columns, disable_numparse=True)
