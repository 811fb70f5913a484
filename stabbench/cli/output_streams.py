"""What commands print: escaped, whatever it holds, and to streams that cannot fail for how they were set up."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

import click

from stabbench.errors import StabbenchError
from stabbench.escape import printable, workflow_command

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


def say(text: str, *, err: bool = False) -> None:
    """Print ``text`` and an end of line, to the standard output or the standard error."""
    click.echo(printable(text), err=err)  # noqa: TID251 - the one place


def annotate(level: str, title: str, message: str) -> None:
    """Print an annotation as GitHub Actions reads it from a log: the one kind of command that is printed as such."""
    click.echo(workflow_command(level, title, message))  # noqa: TID251 - escaped in its own way


def open_streams() -> None:
    """Make the standard streams ones that can be written to, whatever the shell made of them.

    A closed one (``2>&-``) is opened to nothing: the next file that is opened would take its number, and a store would
    be printed into. A reader that goes (``| head -1``) ends nothing. What the encoding lacks is replaced.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - open as long as the process
    sys.stdout = _patient(sys.stdout, 1)
    sys.stderr = _patient(sys.stderr, 2)


def flush_streams() -> None:
    """Write out what is still held back.

    Raises:
        StabbenchError: It cannot be written: the disk is full, say.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        # Python would try again as it ends.
        with contextlib.suppress(OSError):
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open as long as the process
        raise StabbenchError(f"the output cannot be written: {error.strerror}") from error


class _Output(io.FileIO):
    """Ignores broken pipes; on standard error it ignores every error, as there is nowhere to report it."""

    def write(self, data: Buffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if self.fileno() == 1 and not isinstance(error, BrokenPipeError):
                raise
            return memoryview(data).nbytes


def _patient(stream: TextIO | None, number: int) -> TextIO:
    lines = number == 2 or (stream is not None and stream.isatty())
    encoding = "utf-8" if stream is None else stream.encoding
    errors = "backslashreplace" if number == 2 else "replace"
    raw = _Output(number, "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors=errors, line_buffering=lines)
