"""A worker process of this machine, as the driver sees it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from multiprocessing import spawn, util
from pathlib import Path
from typing import Any

from stabbench._system.machine import seeing_gpu
from stabbench.errors import StabbenchError

SCRIPT = Path(__file__).with_name("serve.py")
# From the end of its connection to the end of a process.
END_SECONDS = 5.0


class WorkerProcess:
    """A process of its own, with a connection of its own: other workers and their deaths do not affect it.

    ``multiprocessing`` shares locks and pipes between the workers of a pool, and one that is killed holds them for
    ever. Its processes tell nobody why they could not import the main module.

    Args:
        plugins: Plugin modules that define recipes; loaded at the start.
        modules: Modules to import at the start, before the first item.
        gpu: The only GPU that it sees; None for all.
    """

    def __init__(self, plugins: Sequence[str], modules: Sequence[str], gpu: int | None) -> None:
        self.connection, other = multiprocessing.Pipe()
        # As if the script were in the place of the program: with the flags of this interpreter.
        flags = util._args_from_interpreter_flags()  # type: ignore[attr-defined]
        with other, _without_interruption():
            self._process = subprocess.Popen(
                [sys.executable, *flags, str(SCRIPT), str(other.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
                env=None if gpu is None else {**os.environ, **seeing_gpu(gpu)},
            )
        with contextlib.suppress(OSError):  # it is dead already, and :meth:`messages` will say so
            self.connection.send((_preparation(), list(plugins), list(modules)))

    def work(self, packed: bytes) -> bool:
        """Send it a function and an item, from :func:`packed`; False if it is dead."""
        try:
            self.connection.send_bytes(packed)
        except OSError:
            return False
        return True

    def messages(self) -> Iterator[tuple[str, Any]]:
        """The messages so far; the last one of a dead worker is ``ended`` and how it ended."""
        dead = self._process.poll() is not None
        try:
            while self.connection.poll():
                yield self.connection.recv()
        except (EOFError, OSError):
            dead = True
        if dead:
            yield "ended", self._how_it_ended()

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:  # it has closed its files, but lives
            self.stop()
            return "its connection is closed"
        if code == -signal.SIGKILL:
            return "killed: the system was out of memory, perhaps"
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def stop(self) -> None:
        """End it at once, whatever it does: nobody waits for a second in which Python clears PyTorch away."""
        self._process.kill()
        self._process.wait()
        self.connection.close()


def packed(function: Any, item: Any) -> bytes:
    """A function and an item, to be sent to a process.

    Raises:
        StabbenchError: They cannot be sent.
    """
    try:
        return pickle.dumps((function, item))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise StabbenchError(
            f"a recipe or function cannot be sent to another process: {error}",
            "define it at the top of a module, of plain data, or use workers=1",
        ) from error


def _preparation() -> dict[str, Any]:
    """What a process must know to import what this one has: search path, folder, main module."""
    data = spawn.get_preparation_data("stabbench worker")
    data.pop("authkey")  # for what nobody does here: to listen for connections
    return data


@contextlib.contextmanager
def _without_interruption() -> Iterator[None]:
    """Signals wait: a process inherits that, until it can ignore Ctrl-C, and none is started without being known."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
