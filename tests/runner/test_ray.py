"""Jobs on a Ray cluster: a real one, of two cores of this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from executor_items import complain, overflow, square
from ray_cluster import two_cores

from stabbench.errors import StabbenchError
from stabbench.runner.executors import Lost, RayCluster, Tick, ask, has_gpus

import ray  # isort: skip  # as in a program: not before stabbench, which tells it to be quiet


@pytest.fixture(scope="module", autouse=True)
def _cluster() -> Iterator[None]:
    with two_cores():
        yield


@pytest.fixture
def notes() -> list[str]:
    return []


def fine() -> str:
    return ""


def other_library() -> str:
    return "torch is 2.12.1, not 2.13.0"


def other_library_on_the_first(folder: Path) -> str:
    try:
        (folder / "first").mkdir()
    except FileExistsError:
        return fine()
    return other_library()


Workers = Callable[..., RayCluster]


@pytest.fixture
def workers(notes: list[str]) -> Workers:
    def workers(number: int | None = None, check: Callable[[], str] = fine, plugins: Sequence[str] = ()) -> RayCluster:
        return RayCluster(None, number, "cpu", plugins, check, notes.append)

    return workers


def count_slowly(number: int, tick: Tick) -> int:
    for _ in range(number):
        time.sleep(0.1)
        tick(1)
    return number


def die_of_three(file: Path, tick: Tick) -> int:
    with file.open("a") as stream:
        stream.write("once")
    if file.name == "3":
        os.kill(os.getpid(), signal.SIGKILL)
    return int(file.name)


def leave_at_three(file: Path, tick: Tick) -> int:
    """As a hook may, with an exit code that looks like success."""
    if file.name == "3":
        os._exit(0)
    return int(file.name)


def wait_for_ever(file: Path, tick: Tick) -> None:
    file.write_text(str(os.getpid()))
    time.sleep(300)


def wait_for_a_file(file: Path, tick: Tick) -> None:
    if file.suffix == ".pid":
        wait_for_ever(file, tick)
    while not list(file.parent.glob("*.pid")):
        time.sleep(0.1)


def end_soon(files: Sequence[Path]) -> bool:
    """Whether the processes that wrote these files do."""
    folders = [Path("/proc", file.read_text()) for file in files]
    until = time.monotonic() + 10
    while time.monotonic() < until and any(folder.exists() for folder in folders):
        time.sleep(0.1)
    return not any(folder.exists() for folder in folders)


def processes_with(mark: str) -> list[Path]:
    """Those that have it in their environment: a process, and all that it started."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # another user's, or gone
            if mark.encode() in file.read_bytes():
                found.append(file.parent)
    return found


def test_every_item_gives_its_result_and_its_progress(workers: Workers, notes: list[str]) -> None:
    ticks: list[int] = []
    with workers() as cluster:
        assert cluster.workers == 2
        assert sorted(cluster.map(square, [3, 1, 2], ticks.append)) == [1, 4, 9]
        assert sum(ticks) == 6
        assert list(cluster.map(square, [], ticks.append)) == []
        assert sorted(cluster.map(square, range(50), ticks.append)) == [n * n for n in range(50)]
        assert sum(ticks) == 6 + sum(range(50))
    assert notes == []
    assert ray.is_initialized()  # it was there before


def test_progress_is_told_while_an_item_is_being_done(workers: Workers) -> None:
    ticks: list[int] = []
    with workers(1) as cluster:
        assert list(cluster.map(count_slowly, [30], ticks.append)) == [30]
    assert len([steps for steps in ticks if steps > 0]) > 2
    assert min(ticks) >= 0
    assert sum(ticks) == 30


def test_an_error_in_a_worker_arrives_whole(workers: Workers) -> None:
    with pytest.raises(StabbenchError, match="number 7 is bad") as caught, workers(1) as cluster:
        list(cluster.map(complain, [7], lambda _: None))
    assert type(caught.value) is StabbenchError
    assert str(caught.value) == "number 7 is bad\n  take another"


def test_what_does_not_fit_into_the_memory_is_lost_and_the_rest_goes_on(workers: Workers) -> None:
    with workers(1) as cluster:
        results = list(cluster.map(overflow, [1, 5, 2], lambda _: None))
    assert results == [1, Lost(5, "no room for 5"), 2]


@pytest.mark.parametrize("number", [1, 2])
def test_a_killed_worker_loses_its_item_alone(workers: Workers, number: int, tmp_path: Path, capfd: Any) -> None:
    files = [tmp_path / str(n) for n in range(8)]
    with workers(number) as cluster:
        results = list(cluster.map(die_of_three, files, lambda _: None))
    (lost,) = [result for result in results if isinstance(result, Lost)]
    assert lost.item == files[3]
    assert lost.reason.startswith("its process ended: killed")
    assert "\n" not in lost.reason
    assert sorted(result for result in results if not isinstance(result, Lost)) == [0, 1, 2, 4, 5, 6, 7]
    assert {file.read_text() for file in files} == {"once"}
    assert capfd.readouterr() == ("", "")


def test_a_worker_that_ends_with_exit_code_0_loses_its_item_alone(workers: Workers, tmp_path: Path) -> None:
    with workers(1) as cluster:
        results = list(cluster.map(leave_at_three, [tmp_path / str(n) for n in range(5)], lambda _: None))
    (lost,) = [result for result in results if isinstance(result, Lost)]
    assert lost.item == tmp_path / "3"
    assert sorted(result for result in results if not isinstance(result, Lost)) == [0, 1, 2, 4]


def test_what_cannot_be_sent_is_an_error(workers: Workers) -> None:
    with pytest.raises(StabbenchError, match="cannot be sent"), workers(1) as cluster:
        list(cluster.map(square, [(n for n in range(3))], lambda _: None))  # type: ignore[list-item]


def test_what_a_worker_cannot_read_is_an_error(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_here.py").write_text("def function(item, tick):\n    return item\n")
    monkeypatch.syspath_prepend(tmp_path)
    import only_here

    with pytest.raises(StabbenchError, match=r"cannot read .* No module named 'only_here'"), workers(1) as cluster:
        list(cluster.map(only_here.function, [1], lambda _: None))


def about_workers(notes: list[str]) -> list[str]:
    """Without what is said of a slow start, as of a machine that does other work, too."""
    return [note for note in notes if "have started" not in note]


def test_a_worker_with_another_environment_is_left_out(workers: Workers, notes: list[str], tmp_path: Path) -> None:
    with workers(check=partial(other_library_on_the_first, tmp_path)) as cluster:
        assert sorted(cluster.map(square, range(6), lambda _: None)) == [n * n for n in range(6)]
    assert about_workers(notes) == ["a worker of the Ray cluster is left out: torch is 2.12.1, not 2.13.0"]


@pytest.mark.parametrize("number", [None, 3])
def test_no_worker_that_can_be_used_is_an_error(workers: Workers, notes: list[str], number: int | None) -> None:
    with pytest.raises(StabbenchError, match=r"can be used: torch is 2\.12\.1, not 2\.13\.0\n") as caught:  # noqa: SIM117
        with workers(number, other_library) as cluster:
            list(cluster.map(square, range(6), lambda _: None))
    assert "the same versions" in caught.value.hint
    assert len(about_workers(notes)) == 1


def test_a_plugin_that_is_not_there_is_an_error(workers: Workers) -> None:
    with pytest.raises(StabbenchError, match="plugin 'no_such_module' cannot be imported"):  # noqa: SIM117
        with workers(plugins=["no_such_module"]) as cluster:
            list(cluster.map(square, [1], lambda _: None))


def test_workers_that_the_cluster_has_no_room_for_are_waited_for(
    workers: Workers, notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with workers(3) as cluster:
        assert sorted(cluster.map(square, [1, 2], lambda _: None)) == [1, 4]
        monkeypatch.setattr("stabbench.runner.executors.ray_cluster.PATIENCE_SECONDS", 1.0)
        assert list(cluster.map(count_slowly, [25, 25, 25], lambda _: None)) == [25, 25, 25]
    (note,) = notes
    assert note.startswith("2 of 3 workers have started")


def test_an_error_ends_what_runs(workers: Workers, tmp_path: Path) -> None:
    files = [tmp_path / "first", tmp_path / "second"]

    def interrupt(steps: int) -> None:
        if all(file.exists() for file in files):
            raise KeyboardInterrupt

    with workers() as cluster:
        with pytest.raises(KeyboardInterrupt):
            list(cluster.map(wait_for_ever, files, interrupt))
        assert end_soon(files)


def test_leaving_between_two_results_ends_what_runs(workers: Workers, tmp_path: Path) -> None:
    file = tmp_path / "worker.pid"
    with workers() as cluster:
        results = cluster.map(wait_for_a_file, [file, tmp_path / "other"], lambda _: None)
        assert next(results) is None
    assert end_soon([file])


def test_one_answer_of_a_worker() -> None:
    assert ask(None, "cpu", os.getpid) != os.getpid()
    with pytest.raises(StabbenchError, match="cannot be used: number 1 is bad"):
        ask(None, "cpu", partial(complain, 1, print))
    assert not has_gpus(None)
    with pytest.raises(StabbenchError, match="no GPUs"):
        ask(None, "cuda", os.getpid)
    with pytest.raises(StabbenchError, match="no GPUs"):
        RayCluster(None, None, "cuda", (), fine, print)


def test_a_cluster_that_is_not_there_is_an_error_soon(run_python: Any, closed_endpoint: str) -> None:
    address = closed_endpoint.removeprefix("http://")
    script = """
import sys, time
from stabbench.errors import StabbenchError
from stabbench.runner.executors import connected
for address in sys.argv[1:]:
    started = time.monotonic()
    try:
        connected(address).__enter__()
    except StabbenchError as error:
        print(error.message)
    assert time.monotonic() - started < 10
"""
    done = run_python(script, address, f"ray://{address}", "", RAY_ADDRESS=address)
    assert done.stdout.count("cannot be joined: [Errno 111] Connection refused") == 3, done.stderr
    assert done.stderr == ""


def test_a_cluster_of_its_own_is_quiet_and_leaves_nothing_behind(run_python: Any) -> None:
    script = """
import ray
from stabbench.runner.executors import RayCluster
with RayCluster("local", 1, "cpu", (), str, print) as cluster:
    print(list(cluster.map(print, [2, 3], lambda _: None)))
assert not ray.is_initialized()
"""
    mark = f"started-by-{os.getpid()}"
    done = run_python(script, STABBENCH_TEST=mark)
    assert (done.stdout, done.stderr) == ("[None, None]\n", "")
    assert not processes_with(mark)


def test_without_ray_the_error_says_what_to_install(run_python: Any) -> None:
    script = """
import sys
sys.modules["ray"] = None
from stabbench.errors import StabbenchError
from stabbench.runner.executors import ProcessPool
try:
    from stabbench.runner.executors import RayCluster
except StabbenchError as error:
    print(error.hint)
"""
    done = run_python(script)
    assert done.stdout == 'pip install ray, or ".[ray]" in a checkout of stabbench\n', done.stderr
