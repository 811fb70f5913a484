"""All commands. Only what is light is imported here: ``stabbench --help`` must not wait for torch."""

from __future__ import annotations

import click

import stabbench
from stabbench.cli.baseline import baseline_group
from stabbench.cli.diagnose import diagnose
from stabbench.cli.doctor import doctor
from stabbench.cli.gate import gate
from stabbench.cli.groups import Group
from stabbench.cli.history import history
from stabbench.cli.lists import list_group, show
from stabbench.cli.report import report
from stabbench.cli.runs import compare, run
from stabbench.cli.study import study


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(stabbench.__version__, prog_name="stabbench")
def commands() -> None:
    """Benchmark the stability of fine-tuning: train a recipe over many seeds, count the runs that fail, compare.

    \b
    stabbench compare devlin mosbach            two recipes on the embedded lab model
    stabbench run cwgnc --task glue/rte --model bert-large-uncased --seeds 25
    stabbench study mosbach2021-table1          a table of a paper
    stabbench baseline record mosbach           keep scores to judge against
    stabbench gate                              has anything become less stable?
    stabbench report devlin mosbach             a page about stored runs
    stabbench diagnose devlin                   why its runs failed
    stabbench doctor devlin mosbach             how that would be run here, and how long it takes
    stabbench list recipes                      what there is
    """


commands.add_command(compare)
commands.add_command(run)
commands.add_command(study)
commands.add_command(doctor)
commands.add_command(gate)
commands.add_command(history)
commands.add_command(report)
commands.add_command(baseline_group)
commands.add_command(list_group)
commands.add_command(show)
commands.add_command(diagnose)
