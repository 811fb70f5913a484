"""Which source a task's name belongs to, and what a source is to another process."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from stabbench.errors import TaskError
from stabbench.tasks.glue.files import GlueFiles
from stabbench.tasks.glue.hub import GlueHub
from stabbench.tasks.glue.specs import GLUE_TASKS
from stabbench.tasks.lab.tasks import LAB_TASKS, LabSource
from stabbench.tasks.registry import find_task, load, load_task, task_names
from stabbench.tasks.variant import VariedSource


def test_every_name_has_one_kind_of_source(tmp_path: Path) -> None:
    for name in task_names():
        kind = LabSource if name in LAB_TASKS else GlueHub
        assert isinstance(find_task(name), kind)
        assert find_task(name).name == name
    for name in GLUE_TASKS:
        assert find_task(name, tmp_path) == GlueFiles(name, tmp_path)


def test_a_data_folder_is_for_the_tasks_that_read_one(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="'lab/entailment:examples=9' takes no data folder"):
        find_task("lab/entailment:examples=9", tmp_path)
    assert find_task("lab/entailment:examples=9", tmp_path, shared=True).folder is None
    assert find_task("glue/rte:examples=9", tmp_path, shared=True).folder == tmp_path


def test_a_worker_finds_the_folder_from_wherever_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_task("glue/rte", "GLUE").folder == tmp_path / "GLUE"


@pytest.mark.parametrize("name", ["lab/paraphrase", "lab/paraphrase:examples=10"])
def test_a_source_sent_to_another_process_gives_the_same_task(name: str) -> None:
    source = find_task(name)
    there = pickle.loads(pickle.dumps(source))
    assert there == source
    assert hash(there) == hash(source)
    assert isinstance(there, VariedSource) == (":" in name)
    assert load(there) == load_task(name)
    assert load(there).name == there.name
