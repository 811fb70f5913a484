"""`stabbench run` and `stabbench compare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from stabbench.cli.arguments import Outputs, PlanOptions
from stabbench.cli.elsewhere import Elsewhere, elsewhere_options, task_given
from stabbench.cli.options import (
    changed_rules,
    fresh_option,
    keeping_options,
    output_options,
    plan_options,
    rule_options,
)
from stabbench.cli.output_files import command_line, interruptible, raise_if_different, write_csv, write_json
from stabbench.cli.output_streams import say
from stabbench.cli.overwriting import check_outputs
from stabbench.gate.rules import Rules
from stabbench.runner.resources import Resources

if TYPE_CHECKING:
    from stabbench.gate.comparison import Comparison
    from stabbench.runner.fresh import Fresh


@click.command()
@click.argument("recipes", nargs=-1, metavar="[RECIPE RECIPE ...]")
@elsewhere_options
@click.option("--check", is_flag=True, help="A verdict for each recipe against the first, and its exit code.")
@click.option("--paired", is_flag=True, help="Also compare the recipes example by example (docs/diagnose.md).")
@plan_options
@fresh_option
@output_options
@keeping_options
@rule_options
def compare(
    recipes: Sequence[str],
    elsewhere: Elsewhere,
    check: bool,
    paired: bool,
    options: PlanOptions,
    resources: Resources,
    rules: Rules,
    fresh: bool,
    outputs: Outputs,
) -> None:
    """Train recipes over seeds and compare them.

    Each is tested against the first. A RECIPE is a name, with parameters if you like: devlin:lr=3e-5,epochs=10; or
    the training file of code of your own: rte.toml, rte.toml:lr=3e-5.
    With --from nothing is trained: scores of other programs are compared.

    With --check the exit code is 0 if every recipe is no less stable than the first, 1 if one is less stable, 2 if
    there are too few seeds to know.

    \b
    Example:
      stabbench compare devlin mosbach --seeds 25 --plot stability.png
      stabbench compare mosbach cwgnc --seeds 25 --check
      stabbench compare devlin mosbach cwgnc --task glue/rte --data-dir GLUE --model path/to/encoder
      stabbench compare --from old=runs/a --from new=runs/b --metric eval_accuracy --constant-score 0.527
    """
    elsewhere.check(recipes, ["check", "task", *vars(outputs), *vars(rules)])
    if len(recipes) < 2 and not elsewhere.sources:
        if recipes:
            options.plan(recipes, resources.plugins)  # what is wrong with the one is said first
        raise click.UsageError("a comparison needs two recipes or more; for one, use: stabbench run")
    changed = changed_rules(rules)
    if changed and not check:
        raise click.UsageError(f"--{changed[0].replace('_', '-')} is a rule of a verdict: it needs --check")
    if paired and resources.detail == "brief":
        raise click.UsageError("--paired needs predictions, which --detail brief does not keep")
    if elsewhere.sources:
        _compare_results(elsewhere, task_given(options.task), resources.store, rules if check else None, outputs)
    _run(recipes, options, resources, rules if check else None, fresh, outputs, paired=paired)


@click.command()
@click.argument("recipe")
@plan_options
@fresh_option
@output_options
@keeping_options
def run(recipe: str, options: PlanOptions, resources: Resources, fresh: bool, outputs: Outputs) -> None:
    """Train one recipe over seeds and describe its runs.

    A RECIPE is a name, with parameters if you like: devlin:lr=3e-5,epochs=10; or the training file of code of your
    own: rte.toml, rte.toml:lr=3e-5.

    \b
    Example:
      stabbench run mosbach --seeds 25
      stabbench run devlin:lr=3e-5 --task lab/paraphrase --seeds 3,7,11
    """
    _run([recipe], options, resources, None, fresh, outputs)


def _run(
    recipes: Sequence[str],
    options: PlanOptions,
    resources: Resources,
    rules: Rules | None,
    fresh: bool,
    outputs: Outputs,
    *,
    paired: bool = False,
) -> None:
    from stabbench.gate.comparison import Comparison
    from stabbench.report.progress import shown_progress
    from stabbench.runner.execute import execute
    from stabbench.runner.fresh import resources_to_use

    plan = options.plan(recipes, resources.plugins)
    check_outputs(
        outputs.named,
        store=resources.store, plugins=resources.plugins, data_dir=plan.data_dir,
        tasks=[plan.task], models=[plan.model], trainings=plan.trainings,
    )  # fmt: skip
    with (
        interruptible(resources.store),
        shown_progress() as progress,
        resources_to_use(resources, anew=fresh) as (used, anew),
    ):
        comparison = Comparison.of_runs(execute(plan, used, progress).check_complete().results())
    _finish(comparison.kept_in(resources.store), anew, rules, outputs, paired=paired)


def _compare_results(
    elsewhere: Elsewhere, task: str | None, store: Path, rules: Rules | None, outputs: Outputs
) -> NoReturn:
    from stabbench.gate.comparison import Comparison
    from stabbench.records.recipe_runs import check_complete

    check_outputs(outputs.named, store=store, results=elsewhere.paths)
    recipes = elsewhere.read(task)
    if len(recipes) < 2:
        raise click.UsageError(f"a comparison needs two recipes or more, and there is {recipes[0].label!r} only")
    check_complete(recipes)
    _finish(Comparison.of_runs(recipes), None, rules, outputs)


def _finish(
    comparison: Comparison, anew: Fresh | None, rules: Rules | None, outputs: Outputs, *, paired: bool = False
) -> NoReturn:
    """Say and write everything, and end with the verdict's exit code."""
    from stabbench.diagnostics.spread import paired_tests
    from stabbench.report.comparison import comparison_text

    judged = comparison.judge(rules) if rules else {}
    say(comparison_text(comparison))
    if judged:
        from stabbench.report.as_json import judgement_json
        from stabbench.report.judgement import verdicts_text

        say(f"\n{verdicts_text(judged, comparison.recipes[0].label)}")
    tests = paired_tests(comparison.recipes) if paired else {}
    if tests:
        from stabbench.report.spread import paired_table

        say(f"\n{paired_table(tests, comparison.recipes[0].label).text()}")
    if anew is not None:
        from stabbench.report.fresh import fresh_text

        say(f"\n{fresh_text(anew)}")
    if outputs.json_file is not None:
        content = comparison.to_json()
        if anew is not None:
            content["fresh"] = anew.to_json()
        if tests:
            content["paired"] = {label: vars(test) for label, test in tests.items()}
        if judged:
            content["verdicts"] = {label: judgement_json(judgement) for label, judgement in judged.items()}
        write_json(content, outputs.json_file)
    if outputs.csv_file is not None:
        write_csv(comparison.recipes, outputs.csv_file)
    if outputs.plot_file is not None:
        from stabbench.report.pictures import plot_comparison

        plot_comparison(comparison, outputs.plot_file)
    if outputs.report_file is not None:
        from stabbench.report.page.build import runs_subject
        from stabbench.report.page.make import write_report

        write_report(runs_subject(comparison.recipes, rules or Rules(), [], command_line()), outputs.report_file)
    exit_code = 0
    if judged:
        from stabbench.gate.rules import worst

        exit_code = worst(judgement.verdict for judgement in judged.values()).exit_code
    raise_if_different(anew, exit_code)
    click.get_current_context().exit(exit_code)
