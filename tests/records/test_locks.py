"""Claims between real processes: one waits for the other, and a dead one holds nothing."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stabbench.errors import StoreError
from stabbench.records.locks import FOLDER, claimed

# Says what it does, line by line, and gives back when its stdin is closed.
HOLDER = """
import sys
from pathlib import Path
from stabbench.records.locks import claimed

with claimed(Path(sys.argv[1]), sys.argv[2:], lambda: print("waiting", flush=True)):
    print("held", flush=True)
    sys.stdin.read()
print("given back", flush=True)
"""
# Takes and gives back many times; the number of processes inside is never above one.
SWITCHING = """
import os, sys
from pathlib import Path
from stabbench.records import locks

store, names = Path(sys.argv[1]), sys.argv[2:]
for _ in range(40):
    with locks.claimed(store, names, lambda: None):
        inside = os.open(store / "inside", os.O_CREAT | os.O_EXCL)
        os.close(inside)
        os.unlink(store / "inside")
"""


class Holder:
    """A process that claims ``names`` and holds them until it is told to let go."""

    def __init__(self, store: Path, *names: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(store), *names],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def let_go(self) -> str:
        return self.process.communicate(timeout=60)[0].strip()


@pytest.fixture
def holders() -> Iterator[list[Holder]]:
    made: list[Holder] = []
    yield made
    for holder in made:
        holder.process.kill()
        holder.process.communicate()


def test_the_second_process_says_that_it_waits_and_goes_on_when_the_first_is_done(
    tmp_path: Path, holders: list[Holder]
) -> None:
    holders += [first := Holder(tmp_path, "a", "b")]
    assert first.line() == "held"
    holders += [second := Holder(tmp_path, "b", "c")]
    assert second.line() == "waiting"
    time.sleep(1.2)  # more than a poll
    assert second.process.poll() is None
    assert first.let_go() == "given back"
    assert second.line() == "held"
    assert second.let_go() == "given back"


def test_other_names_and_other_stores_are_not_waited_for(tmp_path: Path, holders: list[Holder]) -> None:
    holders += [first := Holder(tmp_path / "one", "a")]
    assert first.line() == "held"
    told: list[str] = []
    with (
        claimed(tmp_path / "one", ["b"], lambda: told.append("one")),
        claimed(tmp_path / "two", ["a"], lambda: told.append("two")),
    ):
        assert told == []


def test_a_killed_process_holds_nothing(tmp_path: Path, holders: list[Holder]) -> None:
    holders += [first := Holder(tmp_path, "a")]
    assert first.line() == "held"
    holders += [second := Holder(tmp_path, "a")]
    assert second.line() == "waiting"
    first.process.kill()
    assert second.line() == "held", "it goes on by itself"
    second.process.kill()
    second.process.wait()
    with claimed(tmp_path, ["a"], lambda: pytest.fail("nobody is alive to wait for")):
        pass


def test_a_process_that_is_killed_while_it_waits_leaves_no_trace(tmp_path: Path, holders: list[Holder]) -> None:
    holders += [first := Holder(tmp_path, "b")]
    assert first.line() == "held"
    holders += [waiting := Holder(tmp_path, "a", "b")]  # holds a, waits for b
    assert waiting.line() == "waiting"
    waiting.process.kill()
    waiting.process.wait()
    with claimed(tmp_path, ["a"], lambda: pytest.fail("nobody holds it")):
        pass
    assert first.let_go() == "given back"


def test_names_in_any_order_do_not_deadlock_and_only_one_process_is_inside(tmp_path: Path) -> None:
    orders = (["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a", "b"])
    processes = [
        subprocess.Popen([sys.executable, "-c", SWITCHING, str(tmp_path), *names], stderr=subprocess.PIPE, text=True)
        for names in orders
    ]
    try:
        for process in processes:
            _, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_waiting_is_said_once_however_many_names_are_held(tmp_path: Path, holders: list[Holder]) -> None:
    for name in ("a", "b"):
        holders += [holder := Holder(tmp_path, name)]
        assert holder.line() == "held"
    told: list[str] = []
    entered = threading.Event()

    def claim() -> None:
        with claimed(tmp_path, ["b", "a"], lambda: told.append("waiting")):
            entered.set()

    claiming = threading.Thread(target=claim)
    claiming.start()
    for holder in holders:
        time.sleep(0.8)
        assert not entered.is_set()
        assert holder.let_go() == "given back"
    claiming.join(timeout=60)
    assert entered.is_set()
    assert told == ["waiting"]


def test_an_error_inside_gives_back(tmp_path: Path, holders: list[Holder]) -> None:
    with pytest.raises(ZeroDivisionError), claimed(tmp_path, ["a", "b"], lambda: None):
        _ = 1 / 0
    holders += [next_one := Holder(tmp_path, "a", "b")]
    assert next_one.line() == "held"


def test_a_store_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / FOLDER).write_text("in the way")
    for store in (tmp_path / "file", tmp_path / "store"):
        with (
            pytest.raises(StoreError, match="nothing can be claimed in") as caught,
            claimed(store, ["a"], lambda: None),
        ):
            pytest.fail("nothing is claimed")
        assert "--store" in caught.value.hint


def test_an_error_of_the_body_is_not_mistaken_for_one_of_the_locks(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="my own"), claimed(tmp_path, ["a"], lambda: None):
        raise FileNotFoundError("my own")
