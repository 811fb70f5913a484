"""A real Ray cluster of two cores of this machine, for a module of tests."""

import contextlib
import getpass
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from stabbench.runner.executors import connected  # noqa: F401  # loaded before Ray itself, it tells it to be quiet

import ray  # isort: skip  # as in a program: not before stabbench


@contextlib.contextmanager
def two_cores() -> Iterator[str]:
    """Started here, and ended; gives its address. One at a time, also where the suite runs in several processes."""
    before = signal.getsignal(signal.SIGTERM)
    alone = FileLock(Path(tempfile.gettempdir()) / f"stabbench-ray-tests-{getpass.getuser()}.lock")
    with alone, pytest.MonkeyPatch.context() as patch:
        # The workers import the functions of the tests.
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        ray.init("local", num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False)
        yield ray.get_runtime_context().gcs_address
        ray.shutdown()
    signal.signal(signal.SIGTERM, before)
