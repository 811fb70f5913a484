"""`stabbench doctor`."""

from __future__ import annotations

from collections.abc import Sequence

import click
from click.core import ParameterSource

from stabbench.cli.arguments import PlanOptions
from stabbench.cli.options import plan_options, trial_options
from stabbench.cli.output_streams import say
from stabbench.cli.types import WholeNumber
from stabbench.runner.resources import Resources


@click.command()
@click.argument("recipes", nargs=-1, metavar="[RECIPE ...]")
@plan_options
@click.option(
    "--replicates",
    type=WholeNumber(min=2),
    metavar="R",
    help="Also train the first seed R times: what differs is arithmetic that is not deterministic.",
)
@trial_options
def doctor(recipes: Sequence[str], options: PlanOptions, replicates: int | None, resources: Resources) -> None:
    """Show this machine, and how recipes would be trained on it.

    Prints versions and devices; with recipes also whether seeds can be stacked, how many are trained together, the
    memory of a seed, which of head, order and dropout change a run, and about how long the runs take that the store
    lacks. For this a few steps of each recipe are trained; nothing is stored. A training file is run three times.
    With --replicates whole trainings are made, of one seed; --max-steps cuts them short.

    \b
    Example:
      stabbench doctor
      stabbench doctor rte.toml:steps=10
      stabbench doctor devlin mosbach --task glue/rte --data-dir GLUE --model path/to/encoder --seeds 25
    """
    from stabbench.report.estimate import estimate_text, machine_text, replicates_text
    from stabbench.runner.estimate import estimate, machine

    context = click.get_current_context()
    if not recipes and any(context.get_parameter_source(p) is ParameterSource.COMMANDLINE for p in context.params):
        raise click.UsageError("the options say how recipes would be trained: name some")
    say(machine_text(machine()))
    if not recipes:
        return
    from stabbench.report.progress import shown_progress
    from stabbench.runner.replicates import replicate

    plan = options.plan(recipes, resources.plugins)
    with shown_progress() as progress:
        found = estimate(plan, resources, progress)
        again = replicate(plan, resources, replicates, progress) if replicates else []
    say(f"\n{estimate_text(found)}")
    if again:
        say(f"\n{replicates_text(again)}")
