"""The process that workers are copies of, seen from inside. Run as a script, by its path.

It imports once what every worker needs, seconds of work, and then forks a worker whenever the driver asks for one.

The driver sends its search path and the modules to import; then, any number of times, ``start`` with the worker's
number and environment and the worker's end of a connection, or ``kill`` with a number. The answers are pairs: -1 and 0
when the modules are there; a worker's number and its exit code, negative for a signal, when it has ended.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import sys
import warnings
from multiprocessing import reduction
from multiprocessing.connection import Connection, wait
from typing import NoReturn

WATCH_SECONDS = 1.0


class ForkServer:
    """What has been forked and lives.

    Args:
        driver: The connection to the driver.
        parent: The driver's process id.
    """

    def __init__(self, driver: Connection, parent: int) -> None:
        self._driver, self._parent = driver, parent
        self._pids: dict[int, int] = {}
        # A signal writes a byte, and so ends the waiting.
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)

    def serve(self) -> NoReturn:
        """Until the driver is gone: then the workers see that they have no parent any more."""
        self._driver.send((-1, 0))
        # Someone else may hold the driver's end, too: a process that was forked from it.
        while os.getppid() == self._parent:
            ready = wait([self._driver, self._woken], WATCH_SECONDS)
            if self._woken in ready:
                os.read(self._woken, 4096)
            self._report_ended()
            if self._driver in ready:
                self._obey()
        os._exit(0)

    def _report_ended(self) -> None:
        for number, pid in list(self._pids.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._pids[number]
                self._driver.send((number, os.waitstatus_to_exitcode(status)))

    def _obey(self) -> None:
        order, number, environment = self._driver.recv()
        if order == "kill":
            if number in self._pids:  # not yet waited for: the process id is still its own
                os.kill(self._pids[number], signal.SIGKILL)
            return
        channel = reduction.recv_handle(self._driver)
        with warnings.catch_warnings():
            # Of other threads: there is none that a worker would miss.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if not pid:
            self._become_worker(channel, environment)
        self._pids[number] = pid
        os.close(channel)

    def _become_worker(self, channel: int, environment: dict[str, str]) -> NoReturn:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(self._woken)
        os.close(self._wake)
        self._driver.close()
        os.environ.update(environment)
        from stabbench.runner.executors.worker import main as work

        try:
            work(channel)
        finally:
            os._exit(1)


def main() -> NoReturn:
    """Import what the driver says, and fork until it is gone."""
    # Ctrl-C is for the driver, which ends its workers. It was blocked while this process could not ignore it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    driver, parent = Connection(int(sys.argv[1])), os.getppid()
    with contextlib.suppress(EOFError, OSError):  # the driver is gone
        search_path, modules = driver.recv()
        sys.path[:] = search_path
        _import(["stabbench.runner.executors.worker", *modules])
        ForkServer(driver, parent).serve()
    os._exit(0)


def _import(modules: list[str]) -> None:
    # Importing makes very many objects, none of them garbage: to look for it takes a fifth of the time.
    gc.disable()
    for module in modules:
        with contextlib.suppress(Exception):  # a worker imports it once more, and tells the driver what is wrong
            importlib.import_module(module)
    gc.freeze()
    gc.enable()


if __name__ == "__main__":
    main()
