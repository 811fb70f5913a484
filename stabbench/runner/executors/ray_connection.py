"""Joining a Ray cluster, and asking what it has."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import signal
import socket
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import ray
from ray.exceptions import (
    GetTimeoutError,
    LocalRayletDiedError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    RayTaskError,
    WorkerCrashedError,
)

from stabbench.errors import StabbenchError

Answer = TypeVar("Answer")

KNOCK_SECONDS = 5.0
ASK_SECONDS = 120.0
#: What a worker takes of a machine; a training on a GPU keeps a core busy, too.
NEEDS = {"cpu": {"num_cpus": 1}, "cuda": {"num_cpus": 1, "num_gpus": 1}}
INSTALL = "every machine of the cluster needs the same versions of stabbench and of what it uses, and the plugins"


@contextlib.contextmanager
def connected(address: str | None) -> Iterator[None]:
    """A connection to a Ray cluster; one that this process has already is used, and stays.

    Args:
        address: ``host:port`` of a cluster that this machine belongs to, or ``ray://host:port`` of any. None is what
            ``RAY_ADDRESS`` names, or the cluster that was started on this machine, or else one of this machine alone,
            which ends with the connection.

    Raises:
        StabbenchError: There is no such cluster, or it cannot be joined.
    """
    if ray.is_initialized():
        yield
        return
    named = _named(address)
    try:
        _knock(named)
        on_end = signal.getsignal(signal.SIGTERM)
        ray.init(address, log_to_driver=False, include_dashboard=False, logging_level=logging.ERROR)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_end)  # Ray puts an end of its own in its place
    except (OSError, RuntimeError, ValueError, RayError) as error:
        raise StabbenchError(
            f"the Ray cluster {named or 'of this machine'} cannot be joined: {_last_line(error.__cause__ or error)}",
            "give the address that `ray start --head` printed, on a machine of the cluster, or ray://HOST:10001; set "
            "RAY_AUTH_MODE=token if the cluster wants a token; `ray stop` forgets a cluster that crashed",
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


# Held until the process ends; a context manager that nobody holds ends at once.
_kept = contextlib.ExitStack()
atexit.register(_kept.close)


def stay_connected(address: str | None) -> None:
    """As :func:`connected`, until the process ends: a cluster takes seconds to start, and a command may need it often.

    Raises:
        StabbenchError: As there.
    """
    _kept.enter_context(connected(address))


def _named(address: str | None) -> str:
    """The address that Ray would take; empty where it would start a cluster."""
    started = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir(), "ray", "ray_current_cluster")
    return address or os.environ.get("RAY_ADDRESS") or (started.read_text().strip() if started.is_file() else "")


def _knock(address: str) -> None:
    """Ray itself tries for a quarter of an hour to reach what is not there."""
    scheme, _, place = address.rpartition("://")
    if ":" in place and scheme in ("", "ray"):
        parts = urlsplit(f"//{place}")
        socket.create_connection((parts.hostname, parts.port), KNOCK_SECONDS).close()


def slots(address: str | None, device: str) -> int:
    """How many workers a cluster has cores or GPUs for, when nothing else runs there."""
    with connected(address):
        return int(ray.cluster_resources().get("GPU" if device == "cuda" else "CPU", 0))


def has_gpus(address: str | None) -> bool:
    """Whether ``auto`` is ``cuda`` there."""
    return slots(address, "cuda") > 0


def ask(address: str | None, device: str, function: Callable[[], Answer]) -> Answer:
    """What an importable function gives on a machine of the cluster, with a core or a GPU there.

    Raises:
        StabbenchError: None is free, or it cannot do that.
    """
    with connected(address):
        if not slots(address, device):
            raise StabbenchError("the Ray cluster has no GPUs", "use --device cpu, or add a machine with a GPU to it")
        call = ray.remote(max_retries=0, **NEEDS[device])(_call).remote(function)
        try:
            answer: Answer = ray.get(call, timeout=ASK_SECONDS)
        except GetTimeoutError as error:
            raise StabbenchError(
                f"no worker of the Ray cluster answers within {ASK_SECONDS:.0f} seconds",
                "`ray status` shows what the cluster has, and what is taken",
            ) from error
        except RayError as error:
            raise StabbenchError(f"a worker of the Ray cluster cannot be used: {in_words(error)}", INSTALL) from error
        return answer


def _call(function: Callable[[], Answer]) -> Answer:
    return function()


def in_words(error: RayError) -> str:
    """Why a call gave no result, in a line; Ray's own explanations go over a page."""
    if isinstance(error, OutOfMemoryError):
        return "Ray ended its process: its machine was nearly out of memory"
    if isinstance(error, RayTaskError):
        return _last_line(error.cause)
    if isinstance(error, RayActorError) and error.actor_init_failed:
        return _last_line(error)
    if isinstance(error, RayActorError | WorkerCrashedError | NodeDiedError | LocalRayletDiedError | ObjectLostError):
        return (
            "its process ended: killed, as the system was out of memory perhaps, or by itself; or its machine was lost"
        )
    return _last_line(error)


def _last_line(error: BaseException) -> str:
    """What a traceback ends with, or the message itself."""
    text = error.message if isinstance(error, StabbenchError) else str(error).strip()
    return textwrap.shorten(text.splitlines()[-1], 300, placeholder=" ...") if text else type(error).__name__
