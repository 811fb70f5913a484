"""What is found out before any training."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import transformers
from noting import Noting
from tiny_models import tiny_model

import stabbench
from stabbench import StabbenchError
from stabbench.api.training import run_study
from stabbench.models.source import find_model
from stabbench.studies.study import Study


def saved(family: str, folder: Path, **changes: Any) -> str:
    """A tiny classifier of two outputs, with the lab's tokenizer."""
    tiny_model(family, vocab_size=200, **changes).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(find_model("lab").folder / name, folder)
    return str(folder)


@pytest.fixture
def unknown(tmp_path: Path) -> str:
    """A model whose family stabbench does not know."""
    return saved("rembert", tmp_path / "unknown")


def test_a_recipe_that_does_not_fit_the_last_model_is_found_before_the_first_is_trained(
    tmp_path: Path, unknown: str
) -> None:
    study = Study(name="n", title="t", recipes=["bias-correction", "llrd"], models=["lab", unknown], seeds=1)
    with pytest.raises(StabbenchError, match=r"'llrd'.*'rembert'"):
        run_study(study, max_steps=2, store=tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_the_texts_of_every_task_are_checked_also_where_a_model_cannot_be_stacked(tmp_path: Path) -> None:
    """Those of the intermediate task are longer than the model's 15 positions; those of the other are not."""
    model = saved("mpnet", tmp_path / "mpnet", max_position_embeddings=17)
    progress = Noting()
    with pytest.raises(StabbenchError, match=r"has 15 positions, and the text .* tokens") as caught:
        stabbench.compare(
            ["intermediate-task"],
            task="lab/acceptability",
            model=model,
            seeds=1,
            store=tmp_path / "s",
            progress=progress,
        )
    assert "max_length=15" in str(caught.value)
    assert not any("one seed at a time" in note for note in progress.notes)


def test_a_data_folder_may_be_a_text() -> None:
    with pytest.raises(StabbenchError, match="nowhere: no such folder"):
        run_study("zhang2021-fig1", tasks=["glue/rte"], data_dir="nowhere")


def test_what_is_stored_is_not_checked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study(name="n", title="t", recipes=["devlin"], seeds=1)
    (found,) = run_study(study, max_steps=2, store=tmp_path).to_json()["rows"]
    loader = transformers.AutoModelForSequenceClassification
    monkeypatch.setattr(loader, "from_pretrained", lambda *_, **__: pytest.fail("the model is loaded"))
    (again,) = run_study(study, max_steps=2, store=tmp_path).to_json()["rows"]
    assert again == {**found, "from_store": [True]}
    assert found["from_store"] == [False]


def test_the_best_of_several_evaluations_without_a_validation_set_is_said_to_flatter(tmp_path: Path) -> None:
    def notes(recipe: str, task: str) -> list[str]:
        progress = Noting()
        stabbench.compare([recipe], task=task, seeds=1, max_steps=2, store=tmp_path, progress=progress)
        return [note for note in progress.notes if "flatters" in note]

    whole, split = "lab/entailment:examples=64", "lab/entailment:examples=64,split=zhang2021"
    (note,) = notes("devlin:evaluations=2,keep=best", whole)
    assert "devlin:evaluations=2,keep=best" in note
    assert notes("devlin:evaluations=2,keep=best", split) == notes("devlin:evaluations=2", whole) == []
