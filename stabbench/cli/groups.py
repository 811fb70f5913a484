"""A group of commands."""

from __future__ import annotations

import click


class Group(click.Group):
    """Shows its help where no command is named, and ends with 0; new versions of click call that an error."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help())  # noqa: TID251 - the one place
            ctx.exit()
        return super().parse_args(ctx, args)
