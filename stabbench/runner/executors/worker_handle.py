"""A worker process of this machine, as the driver sees it."""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import signal
from collections.abc import Iterator, Sequence
from typing import Any

from stabbench._system.machine import seeing_gpu
from stabbench.errors import StabbenchError
from stabbench.runner.executors.fork_server_handle import ForkServerHandle, preparation

# From the end of its connection to the end of a process.
END_SECONDS = 5.0


class WorkerProcess:
    """A process of its own, with a connection of its own: other workers and their deaths do not affect it.

    ``multiprocessing`` shares locks and pipes between the workers of a pool, and one that is killed holds them for
    ever. Its processes tell nobody why they could not import the main module.

    Args:
        server: Forks it.
        plugins: Plugin modules that define recipes; loaded at the start.
        modules: Modules to import at the start, before the first item.
        gpu: The only GPU that it sees; None for all.
    """

    def __init__(
        self, server: ForkServerHandle, plugins: Sequence[str], modules: Sequence[str], gpu: int | None
    ) -> None:
        self._server = server
        self.connection, other = multiprocessing.Pipe()
        with other:
            self._number = server.start(other, {} if gpu is None else seeing_gpu(gpu))
        with contextlib.suppress(OSError):  # it is dead already, and :meth:`messages` will say so
            self.connection.send((preparation(), list(plugins), list(modules)))

    def work(self, packed: bytes) -> bool:
        """Send it a function and an item, from :func:`packed`; False if it is dead."""
        try:
            self.connection.send_bytes(packed)
        except OSError:
            return False
        return True

    def messages(self) -> Iterator[tuple[str, Any]]:
        """The messages so far; the last one of a dead worker is ``ended`` and how it ended."""
        dead = self._server.exit_code(self._number) is not None
        try:
            while self.connection.poll():
                yield self.connection.recv()
        except (EOFError, OSError):
            dead = True
        if dead:
            yield "ended", self._how_it_ended()

    def _how_it_ended(self) -> str:
        code = self._server.exit_code(self._number, END_SECONDS)
        if code is None:  # it has closed its files, but lives
            self.stop()
            return "its connection is closed"
        if code == -signal.SIGKILL:
            return "killed: the system was out of memory, perhaps"
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def stop(self) -> None:
        """End it at once, whatever it does: nobody waits for a second in which Python clears PyTorch away."""
        self._server.kill(self._number)
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
