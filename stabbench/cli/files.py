"""Ends of commands: writing what was asked for, and being interrupted."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from stabbench.errors import StabbenchError


def write_json(content: dict[str, Any], path: Path) -> None:
    """All of it or nothing: a half-written file would be read as a result.

    Raises:
        StabbenchError: It cannot be written.
    """
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    target = path.resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8")  # a pipe or a device
        else:
            part.write_text(text, encoding="utf-8")
            part.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
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
