"""The command in a copy of a process that has imported PyTorch already: seconds of imports are spent once, not by every
command. The package itself is not imported before, so that a command does all that it does when a user starts it. So
is the process that forks the command's workers.

Run as a script it is that process: it reads requests from a socket, forks for each, and answers with the exit code.
"""

from __future__ import annotations

import array
import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

HEAVY = (
    "scipy.stats",
    "sklearn.metrics",
    "torch.func",
    "transformers",
    "transformers.models.bert.modeling_bert",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
)
# The command replaces it, for a time.
END = os._exit
# What pytest changes from test to test, and what libraries set as they are imported or used: no import reads it.
CHANGING = ("PYTEST_CURRENT_TEST", "COLUMNS", "KMP_", "KINETO_", "RAY_", "TORCHINDUCTOR_")


class Warm:
    """The process that has imported what is heavy."""

    def __init__(self) -> None:
        self._environment = _environment()
        self._connection, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            command = [sys.executable, __file__, str(other.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[other.fileno()], stdin=subprocess.DEVNULL)
        atexit.register(self._connection.close)  # which ends the process

    @property
    def usable(self) -> bool:
        """Whether a new process would import the same under the environment of now."""
        return self._process.poll() is None and self._environment == _environment()

    def run(self, arguments: list[str], cwd: Path, timeout: float) -> subprocess.CompletedProcess[str]:
        """``python -m stabbench`` with those arguments."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            request = {"arguments": arguments, "cwd": str(cwd.resolve()), "columns": os.environ.get("COLUMNS")}
            files = array.array("i", [out.fileno(), err.fileno()])
            self._connection.sendmsg(
                [json.dumps(request).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files.tobytes())]
            )
            self._connection.settimeout(timeout)
            try:
                code = int(self._connection.recv(16))
            except TimeoutError:
                self._process.kill()
                raise subprocess.TimeoutExpired(arguments, timeout, _content(out), _content(err)) from None
            return subprocess.CompletedProcess(arguments, code, _content(out), _content(err))


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(CHANGING)}


def _content(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def serve(connection: socket.socket) -> None:
    """Fork for each request until the other end is closed."""
    for module in HEAVY:
        importlib.import_module(module)
    threads = {task.joinpath("comm").read_text().strip() for task in Path("/proc/self/task").iterdir()}
    # jemalloc's, which PyArrow brings, starts anew in a copy; another one would be missing there.
    assert threads <= {Path("/proc/self/comm").read_text().strip(), "jemalloc_bg_thd"}, threads
    gc.collect()
    gc.freeze()
    while True:
        message, files, _, _ = socket.recv_fds(connection, 2**20, 2)
        if not message:
            return
        child = os.fork()
        if not child:
            connection.close()
            _become_the_command(json.loads(message), files)
        for file in files:
            os.close(file)
        _, status = os.waitpid(child, 0)
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become_the_command(request: dict[str, Any], files: list[int]) -> None:
    signal.set_wakeup_fd(-1)
    for standard, file in enumerate(files, start=1):
        os.dup2(file, standard)
        os.close(file)
    os.chdir(request["cwd"])
    if request["columns"] is not None:
        os.environ["COLUMNS"] = request["columns"]
    subprocess.Popen = _popen(*_spare())  # type: ignore[misc]
    sys.path[0] = request["cwd"]
    sys.argv = ["stabbench", *request["arguments"]]
    code: object = 0
    try:
        runpy.run_module("stabbench", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    END(code if isinstance(code, int) else int(code is not None))


def _spare() -> tuple[int, socket.socket]:
    """A copy of this process that waits to become a fork server: its process id, and what to tell it through."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if not pid:
        ours.close()
        _become_the_fork_server(its)
    its.close()
    return pid, ours


def _become_the_fork_server(told: socket.socket) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    message, files, _, _ = socket.recv_fds(told, 2**20, 1)
    if not message:  # the command has ended, and had no workers
        END(0)
    script, environment = json.loads(message)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [script, str(files[0])]
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    runpy.run_path(script, run_name="__main__")
    END(1)


def _popen(pid: int, spare: socket.socket) -> type[subprocess.Popen[Any]]:
    """``Popen`` that turns the spare process into the fork server, where that is to be started."""

    class Popen(subprocess.Popen):  # type: ignore[type-arg]
        def _execute_child(self, args: Any, *rest: Any) -> None:
            if (
                spare.fileno() == -1
                or not isinstance(args, list)
                or [Path(arg).name for arg in args[-2:-1]] != ["fork_server.py"]
            ):
                super()._execute_child(args, *rest)  # type: ignore[misc]
                return
            self.pid, self._child_created = pid, True
            socket.send_fds(spare, [json.dumps([args[-2], dict(os.environ)]).encode()], [int(args[-1])])
            spare.close()

    return Popen


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
