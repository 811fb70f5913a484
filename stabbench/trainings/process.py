"""Running a command to its end, under :mod:`stabbench.trainings.supervise`, with as much of its output as is kept."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stabbench.trainings import supervise

# Of each stream, from its beginning and from its end: a command that prints a gigabyte must not fill the memory.
HEAD_BYTES = 256 * 2**10
TAIL_BYTES = 4 * 2**20
_READ_BYTES = 2**16
_END_SECONDS = 10.0
_TRACEBACK = "Traceback (most recent call last):\n"


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: Its exit code, 128 and more for a signal; None where it took too long.
        stdout: What it printed, without the middle of a very long output.
        stderr: The same of its standard error.
    """

    code: int | None
    stdout: str
    stderr: str

    @property
    def exception(self) -> str:
        """What the last traceback of Python in its errors ends with; empty without one.

        After it libraries may still warn of what a program has left behind.
        """
        _, traced, after = self.stderr.rpartition(_TRACEBACK)
        named = [line for line in after.splitlines() if line[:1].strip()] if traced else []
        return named[0].strip() if named else ""

    @property
    def last_error(self) -> str:
        """The exception, or else the last line, of its errors where there are any."""
        return self.exception or _last_line(self.stderr) or self.last_printed

    @property
    def last_printed(self) -> str:
        """The last line of its standard output."""
        return _last_line(self.stdout)


def _last_line(text: str) -> str:
    # A progress bar overwrites its own line.
    lines = [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()]
    return lines[-1] if lines else ""


class _Kept:
    """The beginning and the end of a stream."""

    def __init__(self) -> None:
        self._head, self._tail, self._dropped = bytearray(), bytearray(), 0

    def add(self, data: bytes) -> None:
        room = HEAD_BYTES - len(self._head)
        self._head += data[:room]
        self._tail += data[room:] if room < len(data) else b""
        if len(self._tail) > 2 * TAIL_BYTES:
            self._dropped += len(self._tail) - TAIL_BYTES
            del self._tail[:-TAIL_BYTES]

    def text(self) -> str:
        between = f"\n[{self._dropped:,} bytes are left out]\n".encode() if self._dropped else b""
        return bytes(self._head + between + self._tail).decode("utf-8", "replace")


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: float | None) -> Ended:
    """Run a command, and end all of its children with it.

    Args:
        command: The program and its arguments; no shell reads them.
        folder: Where it runs.
        environment: All of its environment variables.
        timeout: Seconds after which it is ended; None for none.

    Raises:
        OSError: No process can be started.
    """
    hold, told = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", supervise.__file__, str(hold), *command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[hold],
            start_new_session=True,  # Ctrl-C is for stabbench, which ends the command
        )
    except BaseException:
        os.close(told)
        raise
    finally:
        os.close(hold)
    out, err = _Kept(), _Kept()
    with process:
        try:
            in_time = _read(process, out, err, None if timeout is None else time.monotonic() + timeout)
        finally:
            os.close(told)  # whatever still runs ends now
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
        process.kill()
    return Ended(process.returncode if in_time else None, out.text(), err.text())


def _read(process: subprocess.Popen[bytes], out: _Kept, err: _Kept, until: float | None) -> bool:
    """Read both streams to their ends; False if that takes too long."""
    assert process.stdout is not None
    assert process.stderr is not None
    with selectors.DefaultSelector() as selector:
        for stream, kept in ((process.stdout, out), (process.stderr, err)):
            selector.register(stream, selectors.EVENT_READ, kept)
        while selector.get_map():
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return False
            for key, _ in selector.select(left):
                data = os.read(key.fd, _READ_BYTES)
                if data:
                    key.data.add(data)
                else:
                    selector.unregister(key.fileobj)
    # Both may be closed by a command that goes on.
    try:
        process.wait(None if until is None else max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True
