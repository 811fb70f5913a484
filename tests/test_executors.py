"""Jobs in this process and in a pool: the same results, progress counted, and a killed worker is a clear error."""

import os
import signal
import time
from pathlib import Path

import pytest
from executor_items import complain, overflow, square

from stabbench.errors import StabbenchError
from stabbench.executors import Executor, InProcess, Lost, ProcessPool, Tick


def die_of_three(number: int, tick: Tick) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def visible_gpu(number: int, tick: Tick) -> str:
    time.sleep(0.5)
    return os.environ["CUDA_VISIBLE_DEVICES"]


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


@pytest.mark.parametrize("executor", [InProcess(), ProcessPool(1)], ids=["in process", "pool"])
def test_what_does_not_fit_into_the_memory_is_lost_and_the_rest_goes_on(executor: Executor) -> None:
    with executor:
        results = list(executor.map(overflow, [1, 5, 2], lambda _: None))
    assert results == [1, Lost(5, "no room for 5"), 2]


def halves(lost: Lost[int]) -> list[int]:
    """Two for one, where it can be cut in half."""
    return [] if lost.item % 2 else [lost.item // 2] * 2


@pytest.mark.parametrize("executor", [InProcess(), ProcessPool(1)], ids=["in process", "pool"])
def test_what_is_done_in_the_place_of_a_lost_item_comes_after_the_rest(executor: Executor) -> None:
    with executor:
        results = list(executor.map(overflow, [1, 8, 10, *[3] * 6], lambda _: None, halves))
    # Eight goes in four parts of two; ten in two of five, which cannot be cut.
    lost = [result for result in results if isinstance(result, Lost)]
    assert lost == [Lost(5, "no room for 5")] * 2
    assert sorted(result for result in results if not isinstance(result, Lost)) == [1, *[2] * 4, *[3] * 6]
    assert results[:7] == [1, *[3] * 6]


def test_a_killed_worker_loses_its_item_alone(tmp_path: Path) -> None:
    with ProcessPool(2) as pool:
        results = list(pool.map(die_of_three, range(8), lambda _: None))
    (lost,) = [result for result in results if isinstance(result, Lost)]
    assert lost.item == 3
    assert "killed" in lost.reason
    assert sorted(result for result in results if not isinstance(result, Lost)) == [0, 1, 2, 4, 5, 6, 7]


def test_workers_that_cannot_start_are_an_error() -> None:
    with pytest.raises(StabbenchError, match="cannot start") as caught, ProcessPool(1, ["no_such_module"]) as pool:
        list(pool.map(square, [1], lambda _: None))
    assert "__main__" in caught.value.hint


def test_every_worker_has_a_gpu_of_its_own_and_so_has_its_successor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told by what it may see, which PyTorch reads when it is loaded."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    with ProcessPool(2, gpus=[0, 1]) as pool:
        assert set(pool.map(visible_gpu, range(6), lambda _: None)) == {"4", "6"}
        list(pool.map(die_of_three, [3], lambda _: None))
        assert set(pool.map(visible_gpu, range(6), lambda _: None)) == {"4", "6"}


def test_leaving_with_an_error_does_not_wait_for_the_jobs() -> None:
    started = time.monotonic()
    with ProcessPool(1) as pool:
        results = pool.map(wait, [0, 300], lambda _: None)
        assert next(results) == 0
        with pytest.raises(KeyboardInterrupt), pool:
            raise KeyboardInterrupt
    assert time.monotonic() - started < 60
