"""`stabbench run` and `stabbench compare`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stabbench.cli.files import interruptible, write_json
from stabbench.cli.options import rule_options, rules_given, run_options, taken_rules

if TYPE_CHECKING:
    from stabbench.plan import Plan
    from stabbench.verdict import Rules


@click.command()
@click.argument("recipes", nargs=-1, required=True, metavar="RECIPE [RECIPE ...]")
@click.option("--check", is_flag=True, help="A verdict for each recipe against the first, and its exit code.")
@run_options
@rule_options
def compare(recipes: Sequence[str], check: bool, **options: Any) -> None:
    """Train recipes over seeds and put them side by side; each is tested against the first.

    A RECIPE is a name, with parameters if you like: devlin:lr=3e-5,epochs=10

    With --check the exit code is 0 if every recipe is no less stable than the first, 1 if one is less stable, 2 if
    there are too few seeds to know.

    \b
    Example:
      stabbench compare devlin mosbach --seeds 25 --plot stability.png
      stabbench compare mosbach cwgnc --seeds 25 --check
      stabbench compare devlin mosbach cwgnc --task glue/rte --data-dir GLUE --model path/to/encoder
    """
    if len(recipes) < 2:
        raise click.UsageError("a comparison needs two recipes or more; for one, use: stabbench run")
    given = rules_given(options)
    if given and not check:
        raise click.UsageError(f"--{given[0].replace('_', '-')} is a rule of a verdict: it needs --check")
    rules = taken_rules(options)
    _run(recipes, rules=rules if check else None, **options)


@click.command()
@click.argument("recipe")
@run_options
def run(recipe: str, **options: Any) -> None:
    """Train one recipe over seeds and describe its runs.

    \b
    Example:
      stabbench run mosbach --seeds 25
      stabbench run devlin:lr=3e-5 --task lab/paraphrase --seeds 3,7,11
    """
    _run([recipe], rules=None, **options)


def made_plan(
    recipes: Sequence[str],
    *,
    seeds: Sequence[int],
    initialisation_seed: int | None,
    order_seed: int | None,
    dropout_seed: int | None,
    plugins: Sequence[str],
    **options: Any,
) -> Plan:
    """The plan that a command's arguments and options describe."""
    from stabbench.plan import Plan
    from stabbench.recipes import load_plugin, parse_recipe
    from stabbench.seeds import Seeds

    for plugin in plugins:
        load_plugin(plugin)
    return Plan(
        recipes=[parse_recipe(text) for text in recipes],
        seeds=[Seeds.of(n, initialisation=initialisation_seed, order=order_seed, dropout=dropout_seed) for n in seeds],
        plugins=plugins,
        **options,
    )


def _run(
    recipes: Sequence[str],
    *,
    rules: Rules | None,
    store: Path,
    json_file: Path | None,
    plot_file: Path | None,
    **options: Any,
) -> None:
    from stabbench.api import run_plan
    from stabbench.progress import watcher

    plan = made_plan(recipes, **options)
    with interruptible(store), watcher() as watching:
        comparison = run_plan(plan, store, watching)
    judged = comparison.judge(rules) if rules else {}
    click.echo(str(comparison))
    if judged:
        from stabbench.report import checked_text, judgement_json

        click.echo(f"\n{checked_text(judged, comparison.recipes[0].label)}")
    if json_file is not None:
        content = comparison.to_json()
        if judged:
            content["verdicts"] = {label: judgement_json(judgement) for label, judgement in judged.items()}
        write_json(content, json_file)
    if plot_file is not None:
        from stabbench.plot import plot_comparison

        plot_comparison(comparison, plot_file)
    if judged:
        from stabbench.verdict import worst

        sys.exit(worst(judgement.verdict for judgement in judged.values()).exit_code)
