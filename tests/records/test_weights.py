"""Where kept weights are, and what is said where they are not."""

from pathlib import Path

import pytest
from examples import record

from stabbench.errors import StabbenchError, StoreError
from stabbench.records.weights import check_room, kept_weights, move_weights, weights_file, with_weights


def test_weights_are_found_by_the_id_of_their_run(tmp_path: Path) -> None:
    path = weights_file(tmp_path, record().id)
    path.parent.mkdir()
    path.write_bytes(b"weights")
    assert kept_weights(tmp_path, record()) == path
    both = {run.id: run for run in (record(0), record(1))}
    assert list(with_weights(tmp_path, both)) == [record(0).id]


def test_weights_that_are_gone_are_an_error_that_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="they were not kept, or are gone") as caught:
        kept_weights(tmp_path, record(3))
    assert "stabbench run devlin --seeds 3, --keep-weights" in str(caught.value.hint)


def test_weights_that_would_fill_the_disk_are_refused(tmp_path: Path) -> None:
    check_room(tmp_path, 1000)
    with pytest.raises(StabbenchError, match="are free"):
        check_room(tmp_path, 10**18)


def test_weights_move_to_another_store_and_what_has_none_stays(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    path = weights_file(one, "a")
    path.parent.mkdir(parents=True)
    other.mkdir()
    path.write_bytes(b"weights")
    for run_id in ("a", "b"):
        move_weights(one, other, run_id)
    assert weights_file(other, "a").read_bytes() == b"weights"
    assert not path.exists()
    assert not weights_file(other, "b").exists()
