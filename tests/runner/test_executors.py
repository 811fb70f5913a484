"""Jobs in this process and in a pool: the same results, progress counted, and a killed worker is a clear error."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from executor_items import complain, overflow, square

from stabbench.errors import StabbenchError
from stabbench.runner.executors import Executor, InProcess, Lost, ProcessPool, Tick


def die_of_three(number: int, tick: Tick) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def leave(how: str, number: int, tick: Tick) -> int:
    """Ends its process over three, in one of many ways."""
    if number == 3:
        WAYS[how]()
    return number


def end_with_a_child_that_lives_on() -> None:
    """Which holds the connection open."""
    if os.fork() == 0:
        time.sleep(20)
    os._exit(0)


WAYS: dict[str, Callable[[], object]] = {
    "exit code 0": lambda: os._exit(0),
    "exit code 7": lambda: os._exit(7),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "SIGTERM": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "SIGABRT": os.abort,
    "told to end": lambda: sys.exit(0),
    "exit code": lambda: (os.closerange(3, 256), time.sleep(60)),
    "(exit code 0)": end_with_a_child_that_lives_on,
}


class UnreadableError(Exception):
    """Cannot be made from its arguments."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


def raise_unreadable(number: int, tick: Tick) -> int:
    raise UnreadableError("this", "that")


def give_what_cannot_be_sent(number: int, tick: Tick) -> Any:
    return lambda: number


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


@pytest.mark.parametrize("how", WAYS)
def test_a_worker_that_goes_loses_its_item_alone_however_it_goes(how: str) -> None:
    with ProcessPool(2) as pool:
        results = list(pool.map(partial(leave, how), range(8), lambda _: None))
    (lost,) = [result for result in results if isinstance(result, Lost)]
    assert lost.item == 3
    assert how in lost.reason
    assert sorted(result for result in results if not isinstance(result, Lost)) == [0, 1, 2, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("function", "message"),
    [(raise_unreadable, "UnreadableError: this and that"), (give_what_cannot_be_sent, "pickle")],
)
def test_what_cannot_be_sent_back_is_an_error(function: Any, message: str) -> None:
    with pytest.raises(RuntimeError, match=message), ProcessPool(1) as pool:
        list(pool.map(function, [1], lambda _: None))


def test_what_cannot_be_sent_is_an_error() -> None:
    with pytest.raises(StabbenchError, match="cannot be sent") as caught, ProcessPool(1) as pool:
        list(pool.map(square, [lambda: 3], lambda _: None))  # type: ignore[list-item]
    assert "top of a module" in caught.value.hint


def test_what_was_done_before_an_error_is_given_first() -> None:
    with ProcessPool(1) as pool:
        results = pool.map(complain_of_seven, [1, 7], lambda _: None)
        assert next(results) == 1
        with pytest.raises(StabbenchError, match="number 7 is bad"):
            next(results)


def complain_of_seven(number: int, tick: Tick) -> int:
    return complain(number, tick) if number == 7 else number


def test_progress_is_told_while_an_item_is_being_done() -> None:
    ticks: list[int] = []
    with ProcessPool(1) as pool:
        assert list(pool.map(count_slowly, [10], ticks.append)) == [10]
    assert sum(ticks) == 10
    assert len([steps for steps in ticks if steps]) > 2


def count_slowly(number: int, tick: Tick) -> int:
    for _ in range(number):
        time.sleep(0.05)
        tick(1)
    return number


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        (None, "a worker process cannot start: plugin 'no_such_module' cannot be imported: ModuleNotFoundError"),
        ("raise ValueError('no licence')", "cannot start: plugin .* cannot be imported: ValueError: no licence"),
        ("import os\nos._exit(0)", "end before they have done anything, 3 in a row: exit code 0"),
        ("import os\nos.abort()", "end before they have done anything, 3 in a row: SIGABRT"),
    ],
)
def test_workers_that_cannot_start_say_why(tmp_path: Path, plugin: str | None, message: str) -> None:
    if plugin is not None:
        (tmp_path / "plugin.py").write_text(plugin)
    name = "no_such_module" if plugin is None else str(tmp_path / "plugin.py")
    with pytest.raises(StabbenchError, match=message), ProcessPool(1, [name]) as pool:
        list(pool.map(square, [1], lambda _: None))


ENDS_WHILE_IT_WAITS = """
import os, pathlib, threading, time
here = pathlib.Path(__file__).parent
with open(here / "started", "a") as file:
    file.write(f"{os.getpid()} ")
def end_if_idle():
    time.sleep(1.5)
    if not (here / str(os.getpid())).exists():
        os._exit(0)
threading.Thread(target=end_if_idle).start()
import stabbench
class Mine(stabbench.Recipe):
    "A recipe."
    name = "mine"
"""


def wait_for_others(folder: Path, tick: Tick) -> int:
    """The number of processes that were started until 8 were, or none for some seconds."""
    (folder / str(os.getpid())).touch()
    started, since = 0, time.monotonic()
    while started < 8 and time.monotonic() - since < 8:
        time.sleep(0.1)
        number = len((folder / "started").read_text().split())
        if number > started:
            started, since = number, time.monotonic()
    return started


def test_workers_that_end_while_they_wait_are_not_replaced_for_ever(tmp_path: Path) -> None:
    (tmp_path / "plugin.py").write_text(ENDS_WHILE_IT_WAITS)
    with ProcessPool(2, [str(tmp_path / "plugin.py")]) as pool:
        (started,) = pool.map(wait_for_others, [tmp_path], lambda _: None)
    assert started == 4  # the one that works, and three that ended one after the other


UNGUARDED = """
import stabbench
print(stabbench.compare(["devlin"], seeds=2, max_steps=1, workers=2, store="store"))
"""
DEFINED_IN_THE_SCRIPT = """
import stabbench
class Mine(stabbench.Recipe):
    "Mine."
    name = "mine"
if __name__ == "__main__":
    print(stabbench.compare([Mine()], seeds=2, max_steps=1, workers=2, store="store"))
"""


def script(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(text)
    return subprocess.run([sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, timeout=120)


def test_a_script_that_is_not_guarded_is_an_error_and_does_not_hang(tmp_path: Path) -> None:
    done = script(UNGUARDED, tmp_path)
    assert done.returncode == 1
    assert "stabbench.errors.StabbenchError: a worker process cannot start: the script is run anew" in done.stderr
    assert '`if __name__ == "__main__":`' in done.stderr


def test_a_script_that_ends_as_it_is_imported_is_an_error(tmp_path: Path) -> None:
    done = script(
        DEFINED_IN_THE_SCRIPT.replace("if __name__", 'if __name__ != "__main__":\n    exit(0)\nif __name__'), tmp_path
    )
    assert done.returncode == 1
    assert "a worker process cannot start: SystemExit: 0" in done.stderr


def test_a_recipe_of_the_script_itself_is_known_to_the_workers(tmp_path: Path) -> None:
    done = script(DEFINED_IN_THE_SCRIPT, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "mine" in done.stdout


DRIVER = """
import os, sys, time
from pathlib import Path
from stabbench.runner.executors import ProcessPool
from test_executors import write_pid_and_wait
if __name__ == "__main__":
    with ProcessPool(2) as pool:
        list(pool.map(write_pid_and_wait, [Path("a"), Path("b")], lambda _: None))
"""


def write_pid_and_wait(path: Path, tick: Tick) -> None:
    path.write_text(str(os.getpid()))
    time.sleep(300)


@pytest.mark.parametrize("forks", [False, True])
def test_workers_end_with_their_driver_also_where_its_fork_lives_on(tmp_path: Path, forks: bool) -> None:
    text = (
        DRIVER.replace(
            "    with",
            "    import threading\n    threading.Timer(3, lambda: os.fork() or time.sleep(30)).start()\n    with",
        )
        if forks
        else DRIVER
    )
    (tmp_path / "driver.py").write_text(text)
    path = os.pathsep.join([*(str(folder) for folder in Path(__file__).parents[:2]), os.environ.get("PYTHONPATH", "")])
    driver = subprocess.Popen([sys.executable, "driver.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": path})
    files = [tmp_path / "a", tmp_path / "b"]
    assert soon(lambda: all(file.is_file() and file.read_text() for file in files))
    time.sleep(4 if forks else 0)
    driver.kill()
    driver.wait()
    assert soon(lambda: not any(Path("/proc", file.read_text()).exists() for file in files))


def soon(condition: Callable[[], bool], seconds: float = 60) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.1)
    return condition()


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
