"""`stabbench run` and `stabbench compare`."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stabbench.cli.options import run_options

if TYPE_CHECKING:
    from stabbench.comparison import Comparison


@click.command()
@click.argument("recipes", nargs=-1, required=True, metavar="RECIPE [RECIPE ...]")
@run_options
def compare(recipes: Sequence[str], **options: Any) -> None:
    """Train recipes over seeds and put them side by side; each is tested against the first.

    A RECIPE is a name, with parameters if you like: devlin:lr=3e-5,epochs=10

    \b
    Example:
      stabbench compare devlin mosbach --seeds 25 --plot stability.png
      stabbench compare devlin mosbach cwgnc --task glue/rte --data-dir GLUE --model path/to/encoder
    """
    if len(recipes) < 2:
        raise click.UsageError("a comparison needs two recipes or more; for one, use: stabbench run")
    _run(recipes, **options)


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
    _run([recipe], **options)


def _run(
    recipes: Sequence[str],
    *,
    seeds: list[int],
    initialisation_seed: int | None,
    order_seed: int | None,
    dropout_seed: int | None,
    store: Path,
    json_file: Path | None,
    plot_file: Path | None,
    plugins: Sequence[str],
    **options: Any,
) -> None:
    from stabbench.api import run_plan
    from stabbench.cli.progress import watcher
    from stabbench.plan import Plan
    from stabbench.recipes import load_plugin, parse_recipe
    from stabbench.seeds import Seeds

    for plugin in plugins:
        load_plugin(plugin)
    plan = Plan(
        recipes=[parse_recipe(text) for text in recipes],
        seeds=[Seeds.of(n, initialisation=initialisation_seed, order=order_seed, dropout=dropout_seed) for n in seeds],
        plugins=plugins,
        **options,
    )
    try:
        with watcher() as watching:
            comparison = run_plan(plan, store, watching)
    except KeyboardInterrupt:
        click.echo(f"\nstopped; the runs done so far are kept in {store}: the same command goes on there", err=True)
        sys.exit(130)
    click.echo(str(comparison))
    if json_file is not None:
        _write_json(comparison, json_file)
    if plot_file is not None:
        from stabbench.plot import plot_comparison

        plot_comparison(comparison, plot_file)


def _write_json(comparison: Comparison, path: Path) -> None:
    """All of it or nothing: a half-written file would be read as a result."""
    from stabbench.errors import StabbenchError

    text = json.dumps(comparison.to_json(), indent=2, allow_nan=False) + "\n"
    target = path.resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8")  # a pipe or a device
        else:
            part.write_text(text, encoding="utf-8")
            part.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise StabbenchError(f"--json {path}: {error.strerror}", "the runs are stored; name another file") from error
