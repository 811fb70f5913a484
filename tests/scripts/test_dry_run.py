"""`scripts/dry_run.py`: everything but the training itself, at sizes that fit into a test."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from stabbench import Store

pytestmark = pytest.mark.long

SCRIPT = Path(__file__).parents[2] / "scripts" / "dry_run.py"
# Of Python itself: pools of freed memory, a larger dictionary. Runs that are kept would be 100 MiB and more.
GENEROUS_MIB = 40


def dry_run(*arguments: str | Path) -> str:
    done = subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_seed_is_recorded_once_and_the_table_is_printed(tmp_path: Path) -> None:
    printed = dry_run("--seeds", "300", "--stack", "100", "--store", tmp_path / "store")
    assert printed.startswith("NOTHING IS TRAINED HERE")
    rows = dict(re.findall(r"^(\w[\w -]*?) {2,}[\d.]+ +([\d,]+) +\d+$", printed, re.MULTILINE))
    commands = ["list runs", "compare", "compare --json", "compare --check", "baseline record", "gate"]
    assert list(rows) == ["record", *commands]
    assert set(rows.values()) == {"600", "300"}
    with Store(tmp_path / "store", write=False) as store:
        records = list(store.records())
        assert len(store.history(records[-1].id).losses) == records[-1].steps > 1000
    assert Counter((r.recipe, r.seeds.seed) for r in records) == Counter(
        (recipe, seed) for recipe in ("devlin", "mosbach") for seed in range(300)
    )


def test_the_memory_of_the_driver_does_not_grow_with_the_number_of_runs() -> None:
    found = re.search(r"MiB: start (\d+), half way (\d+), end (\d+)", dry_run("--seeds", "2000"))
    assert found
    start, half, end = map(int, found.groups())
    assert half - start < GENEROUS_MIB
    assert end - half < GENEROUS_MIB


def test_a_store_that_is_there_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="is there already"):
        dry_run("--seeds", "2", "--store", tmp_path)
