"""GLUE from the hub: read through ``datasets`` from a stand-in on loopback that serves tiny files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOAD = """
import json, sys
from stabbench.errors import TaskError
from stabbench.tasks.registry import load_task
try:
    task = load_task(sys.argv[1])
    content = [[e.first, e.second, e.labels] for e in (task.train, task.evaluation)]
    print(json.dumps([*content, list(task.classes), task.source, task.digest]))
except TaskError as error:
    print(json.dumps(str(error)))
"""
# As nyu-mll/glue stores them: the columns of each task, and splits of two rows.
COLUMNS = {
    "rte": ("sentence1", "sentence2", "label", "idx"),
    "cola": ("sentence", "label", "idx"),
    "stsb": ("sentence1", "sentence2", "label", "idx"),
    "mnli": ("premise", "hypothesis", "label", "idx"),
}
SPLITS = {"mnli": ("train", "validation_matched", "validation_mismatched", "test_matched", "test_mismatched")}


@pytest.fixture
def glue(hub: Any, tmp_path: Path) -> Any:
    repository = tmp_path / "glue"
    card = ["configs:"]
    for config, columns in COLUMNS.items():
        card += [f"- config_name: {config}", "  data_files:"]
        for split in SPLITS.get(config, ("train", "validation", "test")):
            file = repository / config / f"{split}-00000-of-00001.parquet"
            file.parent.mkdir(parents=True, exist_ok=True)
            rows = [_row(config, columns, split, i) for i in range(2)]
            pq.write_table(pa.Table.from_pylist(rows), file)
            card += [f"  - split: {split}", f"    path: {config}/{split}-*"]
    (repository / "README.md").write_text("\n".join(["---", *card, "---", "# GLUE", ""]))
    hub.repositories["datasets/nyu-mll/glue"] = repository
    return hub


def _row(config: str, columns: tuple[str, ...], split: str, i: int) -> dict[str, object]:
    # The test split's labels are hidden.
    label = -1 if split.startswith("test") else 2.5 * i if config == "stsb" else i
    values = {"label": label, "idx": i}
    return {column: values.get(column, f'{split} {column} {i} "é') for column in columns}


@pytest.fixture
def load(run_python: Any) -> Callable[..., Any]:
    def run(name: str, **settings: str) -> Any:
        done = run_python(LOAD, name, **settings)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_a_task_has_the_hubs_texts_and_labels(load: Any, glue: Any) -> None:
    train, evaluation, classes, source, _ = load("glue/rte", HF_ENDPOINT=glue.url)
    first, second = ([f'train {c} 0 "é', f'train {c} 1 "é'] for c in ("sentence1", "sentence2"))
    assert train == [first, second, [0.0, 1.0]]
    assert evaluation[0] == ['validation sentence1 0 "é', 'validation sentence1 1 "é']
    assert classes == ["entailment", "not_entailment"]
    assert "nyu-mll/glue (rte)" in source


def test_a_task_on_single_sentences_has_no_second_text(load: Any, glue: Any) -> None:
    train, *_ = load("glue/cola", HF_ENDPOINT=glue.url)
    assert train == [['train sentence 0 "é', 'train sentence 1 "é'], None, [0.0, 1.0]]


def test_a_regression_task_keeps_its_scores(load: Any, glue: Any) -> None:
    (*_, labels), _, classes, *_ = load("glue/stsb", HF_ENDPOINT=glue.url)
    assert (labels, classes) == ([0.0, 2.5], [])


def test_mnli_is_scored_on_the_matched_split(load: Any, glue: Any) -> None:
    _, (first, second, _), *_ = load("glue/mnli", HF_ENDPOINT=glue.url)
    assert first[0] == 'validation_matched premise 0 "é'
    assert second[0] == 'validation_matched hypothesis 0 "é'


def test_the_second_time_the_cache_serves_without_a_network(load: Any, glue: Any) -> None:
    first = load("glue/rte", HF_ENDPOINT=glue.url)
    glue.stop()
    assert load("glue/rte", HF_ENDPOINT=glue.url, HF_HUB_OFFLINE="1") == first


def test_a_task_that_the_repository_lacks_is_refused(load: Any, glue: Any) -> None:
    assert "'glue/wnli'" in load("glue/wnli", HF_ENDPOINT=glue.url)


def test_a_hub_without_the_dataset_is_refused(load: Any, hub: Any) -> None:
    assert "DatasetNotFoundError" in load("glue/rte", HF_ENDPOINT=hub.url)


def test_offline_the_message_says_what_was_tried_and_how_to_go_on(load: Any, closed_endpoint: str) -> None:
    message = load("glue/rte", HF_ENDPOINT=closed_endpoint, HF_HUB_OFFLINE="1")
    for part in (
        "'glue/rte'",
        "nyu-mll/glue",
        "hub or its cache",
        "offline:",
        "--data-dir",
        "RTE/train.tsv",
        "HF_HOME",
    ):
        assert part in message
