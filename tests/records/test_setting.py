"""What a task and a model are called where stabbench knows neither."""

import pytest

from stabbench.records.setting import (
    ELSEWHERE_MODEL,
    ELSEWHERE_TASK,
    TRAINING_MODEL,
    TRAINING_TASK,
    cell_name,
    model_name,
    setting_name,
)


@pytest.mark.parametrize(
    ("task", "model", "setting", "cell"),
    [
        ("lab/entailment", "lab", "lab/entailment, model lab", "mine on lab/entailment, lab"),
        (TRAINING_TASK, TRAINING_MODEL, "training code", "mine (training code)"),
        (ELSEWHERE_TASK, ELSEWHERE_MODEL, "task and model unknown", "mine (measured elsewhere)"),
        ("rte", ELSEWHERE_MODEL, "rte, model unknown", "mine on rte, unknown"),
    ],
)
def test_a_setting_in_words(task: str, model: str, setting: str, cell: str) -> None:
    assert setting_name(task, model) == setting
    assert cell_name("mine", task, model) == cell
    assert model_name(task, model) in cell
    assert "its own" not in setting + cell + model_name(task, model)
