"""The process that workers are copies of, as the driver sees it."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from multiprocessing import reduction, spawn, util
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("fork_server.py")
# What a killed process may take to be gone.
KILL_SECONDS = 5.0


class ForkServerHandle:
    """Workers by number: started, killed, and their exit codes. They end with it.

    Args:
        modules: What is imported once, before any worker is forked.
    """

    def __init__(self, modules: Sequence[str]) -> None:
        self._connection, other = multiprocessing.Pipe()
        # As if the script were in the place of the program: with the flags of this interpreter.
        flags = util._args_from_interpreter_flags()  # type: ignore[attr-defined]
        with other, _without_interruption():
            self._process = subprocess.Popen(
                [sys.executable, *flags, str(SCRIPT), str(other.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
            )
        self._numbers = itertools.count()
        self._codes: dict[int, int] = {}
        self._forks = False
        self._send((preparation()["sys_path"], list(modules)))

    @property
    def alive(self) -> bool:
        """Whether it can still fork."""
        return self._process.poll() is None

    def start(self, connection: Connection, environment: dict[str, str]) -> int:
        """The number of a new worker.

        Args:
            connection: The worker's end of its connection; a copy is sent.
            environment: Variables that it has besides those of this process.
        """
        number = next(self._numbers)
        self._send(("start", number, environment))
        with contextlib.suppress(OSError):
            reduction.send_handle(self._connection, connection.fileno(), self._process.pid)
        return number

    def exit_code(self, number: int, timeout: float = 0.0) -> int | None:
        """How a worker ended, negative for a signal; None if it lives.

        Args:
            number: Of the worker.
            timeout: Seconds to wait for its end.
        """
        try:
            while number not in self._codes and self._connection.poll(timeout):
                ended, code = self._connection.recv()
                self._forks, self._codes[ended] = True, code
        except (EOFError, OSError):  # its workers end as soon as they see that
            return self._codes.get(number, -signal.SIGKILL)
        return self._codes.get(number)

    def kill(self, number: int) -> None:
        """End a worker at once, whatever it does: nobody waits for a second in which Python clears PyTorch away."""
        self._send(("kill", number, {}))
        # While the modules are imported there is no worker: it will be forked, find its connection closed, and end.
        if self.exit_code(number) is None and self._forks:
            self.exit_code(number, KILL_SECONDS)

    def close(self) -> None:
        """End it, and with it what workers are left."""
        self._process.kill()
        self._process.wait()
        self._connection.close()

    def _send(self, content: Any) -> None:
        with contextlib.suppress(OSError):  # it is dead, and :meth:`exit_code` says so of every worker
            self._connection.send(content)


def preparation() -> dict[str, Any]:
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
