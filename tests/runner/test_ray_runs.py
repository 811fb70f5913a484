"""Whole commands on a real Ray cluster: whatever is killed, every seed is recorded once, and with the same numbers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from command import COMMAND
from command import stabbench as command
from harmful import HARMFUL
from ray_cluster import two_cores

import stabbench
from stabbench import Store
from stabbench.records.run import RunRecord

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def cluster() -> Iterator[list[str]]:
    """Options that name a cluster which outlives the commands that join it."""
    with two_cores() as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")  # as Ray has it for the clusters that it starts
        yield ["--executor", "ray", "--ray-address", address]


def stored(folder: Path) -> list[RunRecord]:
    return list(Store(folder, write=False).records()) if (folder / "runs.sqlite").is_file() else []


def measured(record: RunRecord) -> tuple[int, float | None, float | None, str]:
    return record.seeds.seed, record.score, record.final_loss, record.id


def workers() -> list[int]:
    """The workers of this test's cluster."""
    return [child.pid for child in psutil.Process().children(recursive=True) if "ray::Stabbench" in child.name()]


def wait_for(what: object, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_killed_driver_goes_on_where_it_was_and_a_killed_worker_costs_nothing(
    tmp_path: Path, cluster: list[str]
) -> None:
    asked = ["run", "devlin", "--seeds", "12", "--stack", "2", "--max-steps", "60", "--store", "store"]
    with (tmp_path / "said").open("w") as said:
        driver = subprocess.Popen([*COMMAND, *asked, *cluster], cwd=tmp_path, stderr=said)
    wait_for(lambda: stored(tmp_path / "store") or driver.poll() is not None)
    assert driver.poll() is None, (tmp_path / "said").read_text()
    driver.kill()
    driver.wait()
    wait_for(lambda: not workers())
    before = {record.id: record for record in stored(tmp_path / "store")}
    assert 0 < len(before) < 10

    driver = subprocess.Popen([*COMMAND, *asked, *cluster], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    # One group is done, so the next is under way.
    wait_for(lambda: len(stored(tmp_path / "store")) > len(before))
    os.kill(workers()[0], signal.SIGKILL)
    _, printed = driver.communicate(timeout=300)
    assert driver.returncode == 0, printed
    assert "its process ended: killed" in printed
    after = {record.id: record for record in stored(tmp_path / "store")}
    assert sorted(record.seeds.seed for record in after.values()) == list(range(12))
    assert before.items() <= after.items()

    here = stabbench.compare(["devlin"], seeds=12, max_steps=60, store=tmp_path / "here")
    assert sorted(map(measured, after.values())) == sorted(map(measured, here.recipes[0].records))


METRIC = """
import stabbench


@stabbench.metric
def right(predictions, labels):
    return float((predictions == labels).mean())
"""


def test_a_task_file_with_a_metric_of_a_plugin(tmp_path: Path, cluster: list[str]) -> None:
    """The workers read the file and load the plugin by themselves."""
    rows = "".join(f"angry king {i},{'ab'[i % 2]}\n" for i in range(40))
    (tmp_path / "rows.csv").write_text(f"text,label\n{rows}")
    (tmp_path / "task.toml").write_text('train = "rows.csv"\nmetric = "right"\n')
    (tmp_path / "mine.py").write_text(METRIC)
    asked = ["run", "devlin", "--task", "task.toml", "--plugin", "mine.py", "--seeds", "2", "--max-steps", "2"]
    done = command(*asked, *cluster, "--store", "store", cwd=tmp_path)
    assert "task, model lab: right, best constant predictor 0.500" in done.stdout
    command(*asked, "--store", "here", cwd=tmp_path)
    assert [measured(r) for r in stored(tmp_path / "store")] == [measured(r) for r in stored(tmp_path / "here")]


@pytest.mark.parametrize("name", ["greedy", "deadly"])
def test_a_lost_group_is_halved(tmp_path: Path, cluster: list[str], name: str) -> None:
    asked = ["run", name, "--seeds", "5", "--stack", "5", "--max-steps", "2", "--plugin", HARMFUL]
    printed = command(*asked, *cluster, "--store", "store", cwd=tmp_path).stderr
    assert "again with 3 seeds at a time" in printed
    records = stored(tmp_path / "store")
    assert [(record.seeds.seed, record.stack) for record in records] == [(0, 2), (1, 2), (2, 1), (3, 2), (4, 2)]
    command("run", name, *asked[2:4], *asked[6:], "--stack", "1", "--store", "alone", cwd=tmp_path)
    assert [measured(r) for r in records] == [measured(r) for r in stored(tmp_path / "alone")]


def test_ray_needs_an_address_only_where_it_is_asked_for(tmp_path: Path) -> None:
    done = command("run", "devlin", "--ray-address", "10.0.0.1:6379", cwd=tmp_path, expect=3)
    assert "--executor ray" in done.stderr
    done = command("run", "devlin", "--executor", "ray", "--ray-address", "", cwd=tmp_path, expect=3)
    assert "the address of a Ray cluster is empty" in done.stderr


def test_without_ray_the_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "ray.py").write_text("raise ImportError('no ray')")
    done = subprocess.run(
        [sys.executable, "-m", "stabbench", "run", "devlin", "--executor", "ray"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert 'pip install ray, or ".[ray]" in a checkout of stabbench' in done.stderr


def test_a_command_joins_the_cluster_once(tmp_path: Path) -> None:
    """It takes seconds to start one."""
    script = f"""
import ray, stabbench
calls = []
init, shutdown = ray.init, ray.shutdown
ray.init = lambda *a, **k: (calls.append("init"), init(*a, **k))
ray.shutdown = lambda *a, **k: (calls.append("shutdown"), shutdown(*a, **k))
stabbench.compare(["devlin"], seeds=1, max_steps=1, executor="ray", workers=1, store={str(tmp_path)!r})
print(calls)
"""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stdout.splitlines()[-1] == "['init']", done.stderr
