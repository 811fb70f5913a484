"""`stabbench diagnose`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from stabbench.cli.elsewhere import Elsewhere, elsewhere_options
from stabbench.cli.options import json_option, store_option
from stabbench.cli.output_files import write_json
from stabbench.cli.output_streams import say
from stabbench.cli.overwriting import check_outputs


@click.command()
@click.argument("names", nargs=-1, metavar="[RUN_ID|RECIPE ...]")
@click.option("--task", help="Only runs on this task; training code has none.")
@click.option("--all", "every", is_flag=True, help="Successful runs, too.")
@click.option("--spread", is_flag=True, help="Also what the spread of each recipe's runs is made of.")
@elsewhere_options
@json_option
@store_option
def diagnose(
    names: Sequence[str],
    task: str | None,
    every: bool,
    spread: bool,
    elsewhere: Elsewhere,
    json_file: Path | None,
    store: Path,
) -> None:
    """Say why runs failed, from their records alone.

    Each failed run gets one cause, with its evidence, what to try, and when the cause is named wrongly. A RECIPE is
    named as in the command that trained it, and may be a training file; a RUN_ID is one of `stabbench list runs`, or
    its beginning; without any all failed runs of the store are taken. docs/diagnose.md has the causes.

    With --spread the variance of accuracy is split into what the models differ by and what the evaluation set adds.

    \b
    Example:
      stabbench diagnose devlin
      stabbench diagnose devlin mosbach --spread
      stabbench diagnose rte.toml:lr=5e-5
      stabbench diagnose --from runs/before --metric eval_accuracy --constant-score 0.527
    """
    from stabbench.diagnostics.choice import Chosen, chosen
    from stabbench.diagnostics.diagnose import diagnose as find_causes
    from stabbench.diagnostics.spread import spread_of
    from stabbench.records.run import Outcome
    from stabbench.report.diagnosis import diagnosis_text
    from stabbench.report.spread import agreement_table, parts_table
    from stabbench.runner.methods import label_of
    from stabbench.tasks.registry import record_name

    elsewhere.check(names, ["task", "every", "spread", "json_file"])
    check_outputs({"--json": json_file}, store=store, results=elsewhere.paths)
    if elsewhere.sources:
        read = elsewhere.read(task)
        found = [Chosen(c, [r for r in c.records if every or r.outcome is Outcome.FAILED]) for c in read]
    else:
        found = chosen(store, names, task=None if task is None else record_name(task), every=every, label_of=label_of)
    causes = [find_causes(cell.runs, cell.asked) for cell in found]
    shown = [diagnosis_text(cell.runs, of_cell) for cell, of_cell in zip(found, causes, strict=True)]
    spreads = [spread_of(cell.runs) for cell in found] if spread else []
    if spreads:
        shown += [parts_table(spreads).text(), agreement_table(spreads).text()]
    say("\n\n".join(shown) or "there are no runs")
    if json_file is not None:
        plain = [each.to_json() for of_cell in causes for each in of_cell]
        parts = {each.label: each.to_json() for each in spreads}
        write_json({"schema": "stabbench/diagnosis/1", "runs": plain, "spread": parts}, json_file)
