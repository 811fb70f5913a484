"""The command line. Only what is light is imported here: ``stabbench --help`` must not wait for torch."""

from __future__ import annotations

import errno

import click

import stabbench
from stabbench.cli.baseline import baseline_group
from stabbench.cli.doctor import doctor
from stabbench.cli.gate import gate
from stabbench.cli.lists import list_group, show
from stabbench.cli.runs import compare, run
from stabbench.cli.study import study
from stabbench.errors import StabbenchError


class _BadUsage(click.UsageError):
    """With another exit code than click's 2, which is INCONCLUSIVE here: a mistyped option must not look like that."""

    exit_code = StabbenchError.exit_code


class _Group(click.Group):
    """Prints a StabbenchError as a message, not as a traceback. Every error ends with exit code 3."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise _BadUsage(error.format_message(), error.ctx) from None

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise _BadUsage(error.format_message(), error.ctx) from None
        except StabbenchError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)
        except OSError as error:
            if error.errno == errno.EPIPE:  # `| head -1`: click knows what to do
                raise
            click.echo(f"Error: {error}", err=True)
            ctx.exit(StabbenchError.exit_code)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(stabbench.__version__, prog_name="stabbench")
def main() -> None:
    """Benchmark the stability of fine-tuning: train a recipe over many seeds, count the runs that fail, compare.

    \b
    stabbench compare devlin mosbach            two recipes on the embedded lab model
    stabbench run cwgnc --task glue/rte --model bert-large-uncased --seeds 25
    stabbench study mosbach2021-table1          a table of a paper
    stabbench baseline record mosbach           keep scores to judge against
    stabbench gate                              has anything become less stable?
    stabbench doctor devlin mosbach             how that would be run here, and how long it takes
    stabbench list recipes                      what there is
    """


main.add_command(compare)
main.add_command(run)
main.add_command(study)
main.add_command(doctor)
main.add_command(gate)
main.add_command(baseline_group)
main.add_command(list_group)
main.add_command(show)
