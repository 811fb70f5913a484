"""Configurations that no model has are refused at once; those of all real families are not."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from transformers import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING

from stabbench.errors import ModelError
from stabbench.models.configuration import MOST_BLOCKS, MOST_LABELS, MOST_SIZE, check_configuration
from stabbench.models.source import find_model

HERE = Path("config.json")


def test_the_own_configuration_of_every_family_is_accepted() -> None:
    configurations = list(MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING)
    assert len(configurations) > 50
    for configuration in configurations:
        check_configuration(configuration().to_dict(), HERE)


ABSURD: list[dict[str, Any]] = [
    *({"num_hidden_layers": n} for n in (0, -1, MOST_BLOCKS + 1, 10**6, 10**400, 12.0, "12", True, None, [12])),
    *({key: n} for key in ("hidden_size", "vocab_size", "intermediate_size") for n in (-8, MOST_SIZE + 1, 0.5, "8")),
    {"max_position_embeddings": 10**12},
    {"type_vocab_size": -1},
    {"num_attention_heads": 10**9},
    {"num_labels": MOST_LABELS + 1},
    {"num_labels": -1},
    {"num_labels": 10**400},
    {"id2label": {str(n): "a" for n in range(MOST_LABELS + 1)}},
    {"text_config": {"num_hidden_layers": 10**6}},
    {"anything": -(10**400)},
    *({"hidden_dropout_prob": rate} for rate in (1.0, -0.1, 1e-6, 0.999999, float("nan"), 10**30)),
]


@pytest.mark.parametrize("change", ABSURD, ids=lambda change: f"{change!s:.60}")
def test_what_no_model_has_is_refused_at_once(tiny_bert: Path, edit: Any, change: dict[str, Any]) -> None:
    edit(tiny_bert / "config.json", **change)
    started = time.perf_counter()
    with pytest.raises(ModelError) as caught:
        find_model(str(tiny_bert))
    assert time.perf_counter() - started < 5
    assert str(tiny_bert / "config.json") in caught.value.message
    assert len(caught.value.message) < 400


@pytest.mark.parametrize(
    ("family", "key"), [("gpt2", "n_layer"), ("distilbert", "n_layers"), ("bart", "decoder_layers")]
)
def test_blocks_are_counted_by_the_familys_own_key(family: str, key: str) -> None:
    check_configuration({"model_type": family, key: 2}, HERE)
    with pytest.raises(ModelError, match=f"{key} must be a whole number from 1 to 1,000, got 0"):
        check_configuration({"model_type": family, key: 0}, HERE)
