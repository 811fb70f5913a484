"""Ends of commands: writing what was asked for, and being interrupted."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from stabbench.errors import StabbenchError
from stabbench.files import write_whole


def write_json(content: dict[str, Any], path: Path) -> None:
    """All of it or nothing.

    Raises:
        StabbenchError: It cannot be written.
    """
    try:
        write_whole(path, json.dumps(content, indent=2, allow_nan=False) + "\n")
    except OSError as error:
        raise StabbenchError(f"--json {path}: {error.strerror}", "the runs are stored; name another file") from error


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


@contextlib.contextmanager
def interruptible(store: Path) -> Iterator[None]:
    """Ctrl-C ends a command with a word on what is kept."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\nstopped; the runs done so far are kept in {store}: the same command goes on there", err=True)
        sys.exit(130)
