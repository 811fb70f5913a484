"""Runs a command, and ends it with all of its children: run as a script, by its path, with the standard library alone.

    python supervise.py FD COMMAND [ARGUMENT ...]

It ends with the command's exit code, or 128 and the number of the signal that ended the command. When the other end of
the pipe FD is closed, because whoever started it wants that or was killed, everything ends at once.

On Linux it is a subreaper: a process that leaves its parent, its group and its session becomes its child, so that
nothing is left. Elsewhere it ends the command's process group.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from types import FrameType
from typing import NoReturn

# Of <linux/prctl.h>.
SET_PDEATHSIG, SET_CHILD_SUBREAPER = 1, 36
CANNOT_START = 127
POLL_SECONDS = 0.01


def main() -> NoReturn:
    """Do what the module says."""
    told, command = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(told, False)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, _nothing)
    signal.signal(signal.SIGTERM, _end)
    _prctl(SET_CHILD_SUBREAPER, 1)
    child = os.fork()
    if child == 0:
        _become(command)
    code = None
    try:
        while code is None:
            ready, _, _ = select.select([told, woken], [], [])
            if told in ready:
                code = 128 + signal.SIGKILL
            elif os.read(woken, 4096):
                code = _ended(child)
    finally:
        _end_all(child)
    os._exit(code)


def _become(command: list[str]) -> NoReturn:
    try:
        os.setsid()
        _prctl(SET_PDEATHSIG, signal.SIGKILL)
        # As programs expect them, whatever stabbench has made of them for itself.
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode(errors="replace"))
    finally:
        os._exit(CANNOT_START)


def _ended(child: int) -> int | None:
    """The command's exit code, if it has ended; others that have are reaped."""
    code = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
    return None if code is None else code if code >= 0 else 128 - code


def _end_all(child: int) -> None:
    """Kill until there is no child: those of one that ends become ours."""
    with contextlib.suppress(OSError):
        os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            for pid in _children():
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(POLL_SECONDS)


def _children() -> list[int]:
    """The processes whose parent this is, where the system tells."""
    found = []
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdecimal():
                with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{name}/stat", "rb") as file:
                    # The name of a program, in parentheses, may hold anything.
                    if int(file.read().rpartition(b")")[2].split()[1]) == os.getpid():
                        found.append(int(name))
    return found


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """A signal that is only to wake."""


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit


if __name__ == "__main__":
    main()
