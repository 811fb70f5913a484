"""Files of checkpoints: read as they were written or not at all, and removed when nobody will go on from them."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stabbench.errors import StabbenchError
from stabbench.records.checkpoints import (
    ABANDONED_SECONDS,
    INTERVAL,
    INTERVAL_SECONDS,
    Array,
    Checkpoint,
    CheckpointError,
    Checkpoints,
    Header,
)

CELL, RUNS = "c" * 16, ["r0", "r1", "r2"]
ARRAYS = {
    "losses": np.arange(6.0).reshape(3, 2),
    "parameters/encoder.layer.0.weight": np.arange(12, dtype=np.float32).reshape(3, 4),
    "order": np.arange(9, dtype=np.uint8).reshape(3, 3),
}


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "checkpoints")


def write(checkpoints: Checkpoints, runs: Sequence[str] = RUNS, made: int = 2, cell: str = CELL) -> Path:
    before = set(checkpoints.folder.glob("*"))
    checkpoints.write(cell, Header(runs, True, made, 1.5, {"scores": [[0.5, None, float("nan")]]}), ARRAYS.items())
    (path,) = set(checkpoints.folder.glob("*")) - before
    return path


def content(path: Path, runs: Sequence[str]) -> dict[str, Array]:
    with Checkpoint.at(path).arrays(runs) as array:
        return {name: array(name) for name in ARRAYS}


def test_the_rows_of_the_runs_that_are_wanted(checkpoints: Checkpoints) -> None:
    path = write(checkpoints)
    for rows in ([0, 1, 2], [2, 0], [1]):
        for name, array in content(path, [RUNS[row] for row in rows]).items():
            assert array.dtype == ARRAYS[name].dtype
            assert np.array_equal(array, ARRAYS[name][rows])


def test_the_next_one_takes_the_place_of_the_last(checkpoints: Checkpoints) -> None:
    write(checkpoints, made=2)
    checkpoints.write(CELL, Header(RUNS, True, 7, 1.5, {}), ARRAYS.items())
    (found,) = checkpoints.usable(CELL)
    assert found.header.made == 7
    with pytest.raises(OSError, match="full"):
        checkpoints.write(CELL, Header(RUNS, True, 9, 1.5, {}), _full())
    assert [found.header.made for found in checkpoints.usable(CELL)] == [7]
    assert len(list(checkpoints.folder.iterdir())) == 1


def _full():  # type: ignore[no-untyped-def]
    yield from ARRAYS.items()
    raise OSError("the disk is full")


def test_the_furthest_one_is_found(checkpoints: Checkpoints) -> None:
    write(checkpoints, made=4)
    write(checkpoints, RUNS[:2], made=6)
    for runs, made in ((RUNS, 4), (RUNS[:1], 6), (RUNS[1:], 4)):
        found = checkpoints.find(CELL, runs, stacked=True, exact=False)
        assert found is not None
        assert found.header.made == made


@settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_file_is_refused_or_is_the_same(checkpoints: Checkpoints, data: st.DataObject) -> None:
    checkpoints.write(CELL, Header(RUNS, True, 2, 1.5, {}), ARRAYS.items())
    (path,) = checkpoints.folder.iterdir()
    whole = path.read_bytes()
    kind = data.draw(st.sampled_from(["changed", "cut", "anything"]))
    if kind == "anything":
        path.write_bytes(data.draw(st.binary(max_size=200)))
    elif kind == "cut":
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    else:
        harmed = bytearray(whole)
        for place in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=4)):
            harmed[place] = data.draw(st.integers(0, 255))
        path.write_bytes(harmed)
    for found in checkpoints.usable(CELL):
        assert found.header == Header(RUNS, True, 2, 1.5, {})
        assert all(np.array_equal(array, ARRAYS[name]) for name, array in content(path, RUNS).items())


def test_what_cannot_be_used_is_said_and_removed(checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    def tidied() -> list[str]:
        notes: list[str] = []
        checkpoints.tidy(lambda _: False, notes.append)
        checkpoints.usable(CELL, notes.append)
        return notes

    path = write(checkpoints)
    assert tidied() == []
    harmed = path.read_bytes().replace(ARRAYS["order"].tobytes(), ARRAYS["order"].tobytes()[::-1])
    for damaged in (b"", b"no zip", harmed):
        checkpoints.folder.mkdir(exist_ok=True)
        path.write_bytes(damaged)
        (note,) = tidied()
        assert f"{path.name} is damaged" in note
        assert not path.exists()
    write(checkpoints)
    monkeypatch.setattr(Header, "version", "another/1")
    with pytest.raises(CheckpointError, match="another version"):
        Checkpoint.at(path)
    (note,) = tidied()
    assert "was written by another version" in note
    assert not checkpoints.folder.exists()


def test_what_is_recorded_or_abandoned_is_removed(checkpoints: Checkpoints) -> None:
    notes: list[str] = []
    paths = [write(checkpoints, RUNS[:2]), write(checkpoints, RUNS[2:]), write(checkpoints, cell="d" * 16)]
    recorded = {*RUNS[:2]}

    def tidy(cell: str = "") -> list[bool]:
        checkpoints.tidy(lambda runs: recorded.issuperset(runs), notes.append, cell)
        return [path.exists() for path in paths]

    assert tidy("d") == [True, True, True]
    assert tidy() == [False, True, True]
    os.utime(paths[1], times=(0, paths[1].stat().st_mtime - ABANDONED_SECONDS - 1))
    assert tidy() == [False, False, True]
    recorded |= set(RUNS)
    assert tidy() == [False, False, False]
    assert notes == []


@pytest.mark.parametrize("text", ["often", "-1", "nan", ""])
def test_an_interval_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert Checkpoints.of(tmp_path).interval == INTERVAL_SECONDS
    monkeypatch.setenv(INTERVAL, text)
    with pytest.raises(StabbenchError, match="is no number of seconds"):
        Checkpoints.of(tmp_path)
