"""`stabbench gate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stabbench.cli.arguments import report_files
from stabbench.cli.elsewhere import Elsewhere, elsewhere_options
from stabbench.cli.options import (
    baseline_resources_options,
    baselines_option,
    csv_option,
    data_dir_option,
    fresh_option,
    json_option,
    report_option,
    rule_options,
    seeds_option,
)
from stabbench.cli.output_files import (
    append_markdown,
    command_line,
    interruptible,
    raise_if_different,
    write_badge,
    write_csv,
    write_json,
)
from stabbench.cli.output_streams import annotate, say
from stabbench.cli.overwriting import check_outputs
from stabbench.cli.types import OutputFile
from stabbench.escape import markdown_block
from stabbench.gate.compatibility import DEFAULT_POLICY, POLICIES, Policy
from stabbench.gate.rules import Rules
from stabbench.runner.resources import Resources

if TYPE_CHECKING:
    from stabbench.gate.gate import GateResult

_OUTPUTS = ("json_file", "csv_file", "markdown_file", "badge_file", "report_file", "annotations")


@click.command()
@click.argument("recipes", nargs=-1, metavar="[RECIPE ...]")
@elsewhere_options
@baselines_option
@click.option("--task", "task", help="Only the cells of this task; training code has none.")
@seeds_option(None, "Number of new seeds for each cell (never the baseline's), or a list: 103,107  [default: 20]")
@click.option(
    "--sequential", is_flag=True, help="Judge after each quarter of the seeds, and stop where a cell is decided."
)
@click.option(
    "--environment",
    "policy",
    type=click.Choice(POLICIES),
    default=DEFAULT_POLICY,
    show_default=True,
    help="What must be as in the baseline: nothing, the kind of device, or all (even the recipe's code).",
)
@click.option("--model", help="In place of the baselines' model: the same weights in another folder.")
@data_dir_option
@fresh_option
@json_option
@csv_option
@report_option
@click.option("--markdown", "markdown_file", type=OutputFile(), help='Append a report, as to "$GITHUB_STEP_SUMMARY".')
@click.option("--badge", "badge_file", type=OutputFile(), help="Write the verdict as a badge, for shields.io.")
@click.option("--annotations", is_flag=True, help="Print an annotation of GitHub Actions for each cell without PASS.")
@baseline_resources_options
@rule_options
def gate(
    recipes: Sequence[str],
    elsewhere: Elsewhere,
    baselines_file: Path,
    task: str | None,
    seeds: Sequence[int] | None,
    sequential: bool,
    policy: Policy,
    model: str | None,
    data_dir: Path | None,
    fresh: bool,
    json_file: Path | None,
    csv_file: Path | None,
    markdown_file: Path | None,
    badge_file: Path | None,
    report_file: Path | None,
    annotations: bool,
    resources: Resources,
    rules: Rules,
) -> None:
    """Judge recipes against their baselines.

    Trains new runs of every cell of a baselines file (a recipe on a task and model), or of the cells of RECIPE, and
    judges whether any became less stable. INCOMPARABLE: the baseline was trained on other data, weights or hardware.

    With --from nothing is trained: scores of other programs are judged against the cells of their names.

    Each gate adds a line to a file beside the baselines, which `stabbench history` reads.

    Exit codes: 0 PASS, 1 FAIL, 2 INCONCLUSIVE, 3 ERROR or INCOMPARABLE.

    \b
    Example:
      stabbench gate
      stabbench gate mosbach --task lab/entailment --seeds 15 --sequential
      stabbench gate --json verdict.json --markdown "$GITHUB_STEP_SUMMARY"
      stabbench gate --from bert=runs/after --metric eval_accuracy --constant-score 0.527
    """
    from stabbench.gate.baselines_file import load
    from stabbench.gate.elsewhere import gate_elsewhere
    from stabbench.gate.gate import DEFAULT_GATE_SEEDS, GateOptions
    from stabbench.gate.gate import gate as run_gate
    from stabbench.gate.plans import chosen, task_of, trainings_of
    from stabbench.recipes import load_plugin
    from stabbench.report import ci
    from stabbench.report.as_json import as_json
    from stabbench.report.fresh import fresh_text
    from stabbench.report.gate import gate_markdown, gate_text
    from stabbench.report.progress import shown_progress
    from stabbench.runner.fresh import resources_to_use

    elsewhere.check(recipes, ["baselines_file", "task", *_OUTPUTS, *vars(rules)])
    files = {
        "--json": json_file,
        "--csv": csv_file,
        "--markdown": markdown_file,
        "--badge": badge_file,
        **report_files(report_file),
    }
    anew = None
    if elsewhere.sources:
        check_outputs(files, store=resources.store, baselines=baselines_file, results=elsewhere.paths)
        result = gate_elsewhere(baselines_file, elsewhere.read(task), rules)
    else:
        for plugin in resources.plugins:
            load_plugin(plugin)
        check_outputs(
            files,
            store=resources.store, baselines=baselines_file, plugins=resources.plugins, data_dir=data_dir,
            tasks=[task], models=[model],
        )  # fmt: skip
        how = GateOptions(
            # `--seeds 15` is a number of seeds here, not the seeds 0 to 14: those may be the baseline's.
            seeds=DEFAULT_GATE_SEEDS if seeds is None else len(seeds) if isinstance(seeds, range) else seeds,
            rules=rules,
            policy=policy,
            sequential=sequential,
            model=model,
            data_dir=data_dir,
        )
        cells = chosen(load(baselines_file), recipes, task)
        check_outputs(
            files, store=resources.store,
            tasks=[task_of(cell) for cell in cells], models=[cell.model for cell in cells],
            trainings=trainings_of(cells),
        )  # fmt: skip
        with (
            interruptible(resources.store),
            shown_progress() as progress,
            resources_to_use(resources, anew=fresh) as (used, anew),
        ):
            result = run_gate(cells, how, used, progress)
        result = result.kept_in(resources.store)
    _keep(result, baselines_file)
    remarks = [] if anew is None else [fresh_text(anew)]
    say("\n\n".join([*remarks, gate_text(result)]))
    if json_file is not None:
        write_json({**as_json(result), **({} if anew is None else {"fresh": anew.to_json()})}, json_file)
    if csv_file is not None:
        write_csv([cell.runs for cell in result.cells if cell.runs], csv_file)
    if markdown_file is not None:
        append_markdown(
            gate_markdown(result) + "".join(f"\n{markdown_block(text)}\n" for text in remarks), markdown_file
        )
    if badge_file is not None:
        write_badge(ci.badge(result), badge_file)
    if report_file is not None:
        from stabbench.report.page.make import write_report
        from stabbench.report.page.subject import gate_subject

        write_report(gate_subject(result, command_line()), report_file)
    for found in ci.cell_annotations(result) if annotations else ():
        annotate(found.level, found.title, found.message)
    raise_if_different(anew, result.verdict.exit_code)
    click.get_current_context().exit(result.verdict.exit_code)


def _keep(result: GateResult, baselines: Path) -> None:
    """For `stabbench history`. The verdict does not hang on it: a checkout may be read-only."""
    from stabbench.gate.history import add_to_history, history_path

    try:
        add_to_history(result, baselines)
    except OSError as error:
        say(f"note: {history_path(baselines)} has no line of this gate: {error.strerror}", err=True)
