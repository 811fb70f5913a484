"""Jobs in this process and in a pool: the same results, progress counted, and a killed worker is a clear error."""

import os
import signal
import time

import pytest

from stabbench.errors import StabbenchError
from stabbench.executors import Executor, InProcess, ProcessPool, Tick


def square(number: int, tick: Tick) -> int:
    for _ in range(number):
        tick(1)
    return number * number


def complain(number: int, tick: Tick) -> int:
    raise StabbenchError(f"number {number} is bad", "take another")


def die(number: int, tick: Tick) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def wait(number: int, tick: Tick) -> int:
    time.sleep(number)
    return number


@pytest.mark.parametrize("executor", [InProcess(), ProcessPool(2)], ids=["in process", "pool"])
def test_every_item_gives_its_result_and_its_progress(executor: Executor) -> None:
    ticks: list[int] = []
    with executor:
        assert sorted(executor.map(square, [3, 1, 2], ticks.append)) == [1, 4, 9]
        assert sum(ticks) == 6
        assert list(executor.map(square, [], ticks.append)) == []


def test_an_error_in_a_worker_arrives_whole() -> None:
    with pytest.raises(StabbenchError, match="number 7 is bad") as caught, ProcessPool(1) as pool:
        list(pool.map(complain, [7], lambda _: None))
    assert caught.value.hint == "take another"


def test_a_killed_worker_says_what_to_try() -> None:
    with pytest.raises(StabbenchError, match="killed") as caught, ProcessPool(1) as pool:
        list(pool.map(die, [1], lambda _: None))
    assert "--stack" in caught.value.hint


def test_leaving_with_an_error_does_not_wait_for_the_jobs() -> None:
    started = time.monotonic()
    with ProcessPool(1) as pool:
        results = pool.map(wait, [0, 300], lambda _: None)
        assert next(results) == 0
        with pytest.raises(KeyboardInterrupt), pool:
            raise KeyboardInterrupt
    assert time.monotonic() - started < 60
