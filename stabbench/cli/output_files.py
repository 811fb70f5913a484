"""Ends of commands: writing output files, and being interrupted."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import stabbench
from stabbench._system.files import write_whole
from stabbench.cli.exit_codes import INTERRUPTED
from stabbench.cli.output_streams import say
from stabbench.errors import StabbenchError

if TYPE_CHECKING:
    from stabbench.records.recipe_runs import RecipeRuns
    from stabbench.runner.fresh import Fresh


def write_json(content: dict[str, Any], path: Path) -> None:
    """All of it or nothing; with the command that was given, its version, and when it ended (ISO 8601 in UTC).

    Raises:
        StabbenchError: It cannot be written.
    """
    content = {
        **content,
        "command": command_line(),
        "stabbench": stabbench.__version__,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    _write("--json", json.dumps(content, indent=2, allow_nan=False) + "\n", path)


def command_line() -> str:
    """The command that was given, as a shell takes it."""
    return shlex.join(["stabbench", *sys.argv[1:]])


def write_csv(recipes: Iterable[RecipeRuns], path: Path) -> None:
    """One row a run; all of it or nothing.

    Raises:
        StabbenchError: It cannot be written.
    """
    from stabbench.report.as_csv import as_csv

    _write("--csv", as_csv(recipes), path)


def _write(option: str, text: str, path: Path) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise StabbenchError(f"{option} {path}: {error.strerror}", "the runs are stored; name another file") from error


def write_badge(content: dict[str, str | int], path: Path) -> None:
    """All of it or nothing, and nothing besides it: shields.io takes no other keys.

    Raises:
        StabbenchError: It cannot be written.
    """
    _write("--badge", json.dumps(content) + "\n", path)


def append_markdown(text: str, path: Path) -> None:
    """At the end, as a step summary wants it.

    Raises:
        StabbenchError: It cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise StabbenchError(f"--markdown {path}: {error.strerror}", "the runs are stored") from error


def raise_if_different(anew: Fresh | None, exit_code: int) -> None:
    """Raise if a run trained anew differs from the stored one; after a FAIL verdict, only print the error.

    Raises:
        StabbenchError: A number differs.
    """
    error = None if anew is None else anew.error()
    if error is None:
        return
    if exit_code != 1:
        raise error
    say(f"Error: {error}", err=True)


@contextlib.contextmanager
def interruptible(store: Path) -> Iterator[None]:
    """Ctrl-C, or another signal that ends a command, does so with a word on what is kept."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"\nstopped; the runs done so far are kept in {store}: the same command goes on there", err=True)
        click.get_current_context().exit(INTERRUPTED)
