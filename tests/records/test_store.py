"""The store: nothing lost, nothing written twice, and every damage is a clear error."""

import json
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from examples import HISTORY, record
from hypothesis import given
from hypothesis import strategies as st

from stabbench.errors import StoreError
from stabbench.records.history import History
from stabbench.records.run import Fingerprint, Outcome, RunRecord
from stabbench.records.seeds import Seeds
from stabbench.records.store import FILE, Store


def test_what_is_put_is_found_again(tmp_path: Path) -> None:
    first, second = record(0), record(1, outcome=Outcome.FAILED, score=None)
    with Store(tmp_path) as store:
        for each in (second, first):
            store.put(each, HISTORY)
    with Store(tmp_path, write=False) as store:
        assert list(store.records()) == [first, second]
        assert store.get([second.id, "nowhere"]) == {second.id: second}
        assert list(store.records(first.id[:6])) == [first]
        assert store.history(first.id) == HISTORY


def test_git_ignores_a_store_but_not_a_folder_with_other_things_in_it(tmp_path: Path) -> None:
    with Store(tmp_path / "new" / "store"):
        assert (tmp_path / "new" / "store" / ".gitignore").read_text() == "*\n"
    with Store(tmp_path / "new"):
        assert not (tmp_path / "new" / ".gitignore").exists()
    (tmp_path / "new" / "store" / ".gitignore").write_text("runs.sqlite\n")
    with Store(tmp_path / "new" / "store"):
        assert (tmp_path / "new" / "store" / ".gitignore").read_text() == "runs.sqlite\n"


@pytest.mark.parametrize(
    ("folder", "name"), [("encoders", ".an-encoder.safetensors.123.part"), ("locks", "18a99cf7e631085e.lock")]
)
def test_what_a_killed_writer_left_is_removed_by_the_next_that_opens_the_store(
    folder: str, name: str, tmp_path: Path
) -> None:
    half = tmp_path / folder / name
    half.parent.mkdir()
    half.write_text("half")
    with Store(tmp_path):
        assert not half.exists()
        half.write_text("again")
    assert not half.exists()
    half.write_text("again")
    with Store(tmp_path, write=False):
        pass
    assert half.exists(), "a command that only reads changes nothing"


def test_what_others_left_beside_a_store_stays(tmp_path: Path) -> None:
    theirs = [
        tmp_path / name for name in ("uv.lock", "locks/poetry.lock", "src/.file.1.part", "encoders/a.part", "1.lock")
    ]
    for path in theirs:
        path.parent.mkdir(exist_ok=True)
        path.write_text("theirs")
    with Store(tmp_path):
        pass
    assert all(path.read_text() == "theirs" for path in theirs)


def test_a_run_of_before_there_were_several_evaluations_can_be_read() -> None:
    later = {"kept_step", "validation_score"}
    old = {key: value for key, value in record().to_json().items() if key not in later}
    assert RunRecord.read(json.dumps(old)) == record(kept_step=None, validation_score=None)
    history = History(losses=[0.5], probe_steps=[1], gradient_norms={})
    assert (history.evaluation_steps, history.scores, history.validation_scores) == ((), (), ())


def test_a_measured_run_is_never_overwritten_but_a_missing_one_is(tmp_path: Path) -> None:
    missing = record(outcome=Outcome.MISSING, score=None, reason="out of memory")
    with Store(tmp_path) as store:
        for each in (missing, record(score=0.6), record(score=0.9), missing):
            store.put(each, HISTORY)
        (kept,) = store.records()
    assert (kept.outcome, kept.score) == (Outcome.OK, 0.6)


@given(
    st.builds(
        record,
        seed=st.integers(0, 2**40),
        outcome=st.sampled_from(Outcome),
        score=st.none() | st.floats(-1, 1),
        reason=st.text(),
        final_loss=st.none() | st.floats(0, 1e9),
    )
)
def test_a_record_survives_json(made: RunRecord) -> None:
    assert RunRecord.read(json.dumps(made.to_json())) == made


def test_the_id_tells_seeds_streams_experiments_and_environments_apart() -> None:
    made_of = Fingerprint({"lr": 1}, {"torch": "2"})
    ids = {
        made_of.run_id(Seeds.of(0)),
        made_of.run_id(Seeds.of(1)),
        made_of.run_id(Seeds.of(0, order=1)),
        Fingerprint({"lr": 2}, {"torch": "2"}).run_id(Seeds.of(0)),
        Fingerprint({"lr": 1}, {"torch": "3"}).run_id(Seeds.of(0)),
    }
    assert len(ids) == 5
    assert made_of.run_id(Seeds.of(0)) == Fingerprint({"lr": 1}, {"torch": "2"}).run_id(Seeds.of(0, dropout=0))


def _write_many(folder: Path, start: int) -> None:
    for seed in range(start, start + 40):
        with Store(folder) as store:
            store.put(record(seed), HISTORY)


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    """Half of what they write is the same."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(tmp_path, start)) for start in (0, 20, 40)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    with Store(tmp_path) as store:
        assert [r.seeds.seed for r in store.records()] == list(range(80))


def test_a_writer_that_is_killed_leaves_whole_records(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\nimport examples as t\nfrom stabbench.records.store import Store\n"
        "with Store(Path(sys.argv[2])) as store:\n"
        "    for seed in range(10**6):\n"
        "        store.put(t.record(seed), t.HISTORY)\n"
        "        print(seed, flush=True)\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(Path(__file__).parents[1]), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) >= 25:
            break
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()
    with Store(tmp_path) as store:
        seeds = [r.seeds.seed for r in store.records()]
        assert seeds == list(range(len(seeds)))
        assert len(seeds) >= 26
        assert all(store.history(r.id) == HISTORY for r in store.records())
        store.put(record(10**7), HISTORY)


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.put(record(), HISTORY)
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = (tmp_path / FILE).read_bytes()
    for write in (True, False):
        with pytest.raises(StoreError, match="newer stabbench"):
            Store(tmp_path, write=write)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("this is not a database, and long enough to be looked at " * 20)
    for write in (True, False):
        with pytest.raises(StoreError, match="cannot be used"):
            Store(tmp_path, write=write)
    assert (tmp_path / FILE).read_text().startswith("this is not")


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("CREATE TABLE runs (a)")
    db.close()
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path)


def test_a_damaged_store_says_so(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        for seed in range(200):
            store.put(record(seed), HISTORY)
    path = tmp_path / FILE
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 12] = os.urandom(4096 * 9)
    path.write_bytes(content)
    with Store(tmp_path, write=False) as store, pytest.raises(StoreError, match="damaged"):
        list(store.records())


def test_no_store_to_read_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store at"):
        Store(tmp_path / "absent", write=False)
    assert not (tmp_path / "absent").exists()


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path / "file" / "store")


@pytest.mark.skipif(os.geteuid() == 0 and sys.platform != "linux", reason="root may write everywhere")
def test_a_read_only_store_is_found_out_before_any_training(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.put(record(), HISTORY)
    # Also root is refused to write into a file that is marked immutable by an SQLite URI; the folder's mode is not
    # enough for root, so the check runs as another user where it can.
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom stabbench.records.store import Store\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "with Store(Path(sys.argv[1]), write=False) as s: print(len(list(s.records())))\n"
        "Store(Path(sys.argv[1]))\n"
    )
    for path in (tmp_path / FILE, tmp_path):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for parent in tmp_path.parents:
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    tmp_path.chmod(0o755)
    assert done.stdout.strip() == "1"
    assert "StoreError" in done.stderr
    assert "make the folder writable" in done.stderr


def test_a_full_disk_says_so_and_keeps_what_was_there(tmp_path: Path) -> None:
    """A limit on the file's size stands in for the disk's end: SQLite gets the same kind of error from its write."""
    with Store(tmp_path) as store:
        store.put(record(), HISTORY)
    code = (
        "import resource, signal, sys\nfrom pathlib import Path\n"
        "sys.path.insert(0, sys.argv[1])\nimport examples as t\nfrom stabbench.records.store import Store\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "with Store(Path(sys.argv[2])) as store:\n"
        "    for seed in range(1, 1000): store.put(t.record(seed), t.HISTORY)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parents[1]), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "StoreError" in done.stderr
    assert "free some space" in done.stderr
    with Store(tmp_path) as store:
        seeds = [r.seeds.seed for r in store.records()]
    assert seeds == list(range(len(seeds)))
    assert len(seeds) > 5


def test_waiting_for_another_writer_ends_in_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stabbench.records.store.LOCK_TIMEOUT_SECONDS", 0.2)
    with Store(tmp_path) as store:
        holder = sqlite3.connect(tmp_path / FILE, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        with pytest.raises(StoreError, match="another process"):
            store.put(record(), HISTORY)
        assert time.monotonic() - started < 30
        holder.execute("ROLLBACK")
        holder.close()
        store.put(record(), HISTORY)
