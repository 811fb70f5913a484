"""`stabbench gate`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from stabbench.cli.files import append_markdown, interruptible, write_json
from stabbench.cli.options import (
    OutputFile,
    baselines_option,
    device_option,
    json_option,
    rule_options,
    seeds_option,
    taken_rules,
    training_options,
)
from stabbench.compatibility import DEFAULT_POLICY, POLICIES


@click.command()
@click.argument("recipes", nargs=-1, metavar="[RECIPE ...]")
@baselines_option
@click.option("--task", "task", help="Only the cells of this task.")
@seeds_option(None, "How many for each cell, none of them its baseline's, or which: 103,107  [default: 20]")
@click.option("--sequential", is_flag=True, help="Look after each quarter of the seeds; stop where a cell is decided.")
@click.option(
    "--environment",
    "policy",
    type=click.Choice(POLICIES),
    default=DEFAULT_POLICY,
    show_default=True,
    help="What must be as the baseline had it: nothing, the kind of device, or all (the recipe's code, too).",
)
@click.option("--model", help="In place of the baselines' model: the same weights in another folder.")
@device_option(None)
@json_option
@click.option("--markdown", "markdown_file", type=OutputFile(), help='Append a report, as to "$GITHUB_STEP_SUMMARY".')
@training_options
@rule_options
def gate(
    recipes: Sequence[str],
    baselines_file: Path,
    task: str | None,
    seeds: Sequence[int] | None,
    sequential: bool,
    policy: Any,
    model: str | None,
    device: str | None,
    json_file: Path | None,
    markdown_file: Path | None,
    store: Path,
    plugins: Sequence[str],
    **options: Any,
) -> None:
    """Run every cell of a baselines file, or those of RECIPE, and judge whether it became less stable.

    Exit codes: 0 PASS, 1 FAIL, 2 INCONCLUSIVE, 3 ERROR or INCOMPARABLE.

    \b
    Example:
      stabbench gate
      stabbench gate mosbach --task lab/entailment --seeds 15 --sequential
      stabbench gate --json verdict.json --markdown "$GITHUB_STEP_SUMMARY"
    """
    from stabbench.baselines import load, select
    from stabbench.gate import DEFAULT_GATE_SEEDS, GateOptions
    from stabbench.gate import gate as run_gate
    from stabbench.progress import watcher
    from stabbench.recipes import load_plugin
    from stabbench.report import as_json, as_markdown, as_text

    for plugin in plugins:
        load_plugin(plugin)
    rules = taken_rules(options)
    how = GateOptions(
        # `--seeds 15` is a number of seeds here, not the seeds 0 to 14: those may be the baseline's.
        seeds=DEFAULT_GATE_SEEDS if seeds is None else len(seeds) if isinstance(seeds, range) else seeds,
        rules=rules,
        policy=policy,
        sequential=sequential,
        plan={**options, "model": model, "device": device, "plugins": plugins},
    )
    chosen = select(load(baselines_file), recipes, task)
    with interruptible(store), watcher() as watching:
        result = run_gate(chosen, how, store, watching)
    click.echo(as_text(result))
    if json_file is not None:
        write_json(as_json(result), json_file)
    if markdown_file is not None:
        append_markdown(as_markdown(result), markdown_file)
    sys.exit(result.verdict.exit_code)
