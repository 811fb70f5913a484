"""Data sets of the hub as tasks: read through ``datasets`` from a stand-in on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

LOAD = """
import json, sys
from stabbench.errors import TaskError
from stabbench.tasks.registry import load_task
try:
    task = load_task(sys.argv[1])
    print(json.dumps([task.train.first, task.train.labels, task.evaluation.first, list(task.classes), task.digest]))
except TaskError as error:
    print(json.dumps(str(error)))
"""
PART = 'train = {dataset = "ours/reviews", config = "en", revision = "main", split = "train"}\n'
DEV = 'evaluation = {dataset = "ours/reviews", config = "en", split = "dev"}\ntext = "review"\nlabel = "stars"\n'


@pytest.fixture
def reviews(hub: Any, tmp_path: Path) -> Any:
    """Two configurations of two splits, as a data set's card names them."""
    repository = tmp_path / "reviews"
    card = ["configs:"]
    for config in ("en", "de"):
        card += [f"- config_name: {config}", "  data_files:"]
        for split in ("train", "dev"):
            (repository / config).mkdir(parents=True, exist_ok=True)
            rows = [{"review": f"{config} {split} {i}", "stars": "ab"[i % 2]} for i in range(4)]
            pq.write_table(pa.Table.from_pylist(rows), repository / config / f"{split}-00000-of-00001.parquet")
            card += [f"  - split: {split}", f"    path: {config}/{split}-*"]
    (repository / "README.md").write_text("\n".join(["---", *card, "---", ""]))
    hub.repositories["datasets/ours/reviews"] = repository
    return hub


@pytest.fixture
def load(run_python: Any, tmp_path: Path) -> Callable[..., Any]:
    def run(content: str, **settings: str) -> Any:
        (tmp_path / "task.toml").write_text(content)
        done = run_python(LOAD, str(tmp_path / "task.toml"), **settings)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_a_configuration_and_its_splits_are_read(load: Any, reviews: Any) -> None:
    train, labels, evaluation, classes, digest = load(PART + DEV, HF_ENDPOINT=reviews.url)
    assert train == [f"en train {i}" for i in range(4)]
    assert (labels, classes) == ([0, 1, 0, 1], ["a", "b"])
    assert evaluation == [f"en dev {i}" for i in range(4)]
    reviews.stop()
    assert load(PART + DEV, HF_ENDPOINT=reviews.url, HF_HUB_OFFLINE="1")[-1] == digest, "the cache has it"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('config = "en", ', "", "Config name is missing"),
        ('config = "en"', 'config = "fr"', "fr"),
        (', split = "train"', "", "it has several splits"),
        ('split = "train"', 'split = "tain"', "it has no split 'tain'"),
        ('revision = "main"', 'revision = "v9"', "v9"),
        ("ours/reviews", "ours/nothing", "cannot be loaded from the hub or its cache"),
        ("ours/reviews", "../reviews", "cannot be loaded"),
        ('label = "stars"', 'label = "star"', "star"),
    ],
)
def test_what_the_hub_lacks_is_said(load: Any, reviews: Any, before: str, after: str, message: str) -> None:
    error = load((PART + DEV).replace(before, after), HF_ENDPOINT=reviews.url)
    assert isinstance(error, str)
    assert message in error
    assert len(error) < 1500
