"""A worker process of this machine, seen from inside: a copy of the fork server's process.

The driver sends how to start, then items. The worker answers with pairs: ``ready``, or ``refused`` and why; for every
item ``made`` and a number of steps, any number of times, and then ``done``, ``lost`` or ``raised`` and what came of it.
"""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import pickle
import select
import threading
import time
import traceback
from multiprocessing import spawn
from multiprocessing.connection import Connection
from typing import Any, NoReturn

# Seconds between two messages about progress, at least.
TICK_SECONDS = 0.1
WATCH_SECONDS = 1.0


class _Progress:
    """Counts steps, and tells the driver now and then."""

    def __init__(self, channel: Connection) -> None:
        self._channel, self._made, self._told = channel, 0, time.monotonic()

    def count(self, steps: int) -> None:
        self._made += steps
        if time.monotonic() - self._told > TICK_SECONDS:
            self.tell()

    def tell(self) -> None:
        self._channel.send(("made", self._made))
        self._made, self._told = 0, time.monotonic()


def main(connection: int) -> NoReturn:
    """Get ready, and do what the driver sends until it is gone.

    Args:
        connection: The file descriptor of this end of the connection to the driver.
    """
    channel: Connection = Connection(connection)
    threading.Thread(target=_end_with_driver, args=(channel, os.getppid()), daemon=True).start()
    try:
        data, plugins, modules = channel.recv()
        _import_main(data)
        _import(plugins, modules)
    except BaseException as error:
        channel.send_bytes(_pickled(("refused", error)))
        os._exit(1)
    channel.send(("ready", None))
    while True:
        _serve(channel)


def _end_with_driver(channel: Connection, driver: int) -> None:
    """A killed driver must not leave workers behind that train for nobody."""
    hangup = select.poll()
    hangup.register(channel.fileno(), 0)  # nothing but the other end's going
    # Someone else may hold the other end, too: a process that was forked from the driver.
    while not hangup.poll(WATCH_SECONDS * 1000) and os.getppid() == driver:
        pass
    os._exit(1)


def _import_main(data: dict[str, Any]) -> None:
    """The driver's search path, folder and main module, whose recipes it may send; as multiprocessing does it."""
    process: Any = multiprocessing.current_process()
    process._inheriting = True  # tells that a script runs only to be imported
    try:
        spawn.prepare(data)
    finally:
        del process._inheriting


def _import(plugins: list[str], modules: list[str]) -> None:
    from stabbench.recipes import load_plugin

    # Importing makes very many objects, none of them garbage: to look for it takes a fifth of the time.
    gc.disable()
    for plugin in plugins:
        load_plugin(plugin)
    for module in modules:
        importlib.import_module(module)
    gc.freeze()
    gc.enable()


def _serve(channel: Connection) -> None:
    try:
        packed = channel.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)
    progress = _Progress(channel)
    answer: tuple[str, Any]
    try:
        function, item = pickle.loads(packed)
        answer = "done", function(item, progress.count)
    except MemoryError as error:
        answer = "lost", str(error)
    except (SystemExit, KeyboardInterrupt) as error:
        answer = "lost", f"its process was told to end ({type(error).__name__}: {error})"
    except BaseException as error:
        answer = "raised", error
    sent = _pickled(answer)
    progress.tell()
    channel.send_bytes(sent)


def _pickled(answer: tuple[str, Any]) -> bytes:
    """What can be read by the driver: of an exception that cannot be pickled, its words."""
    kind, content = answer
    try:
        if isinstance(content, BaseException):
            content.add_note("".join(traceback.format_exception(content)))
        packed = pickle.dumps(answer)
        pickle.loads(packed)
    except Exception as error:
        told = content if isinstance(content, BaseException) else error
        return pickle.dumps(("raised" if kind == "done" else kind, RuntimeError(f"{type(told).__name__}: {told}")))
    return packed
