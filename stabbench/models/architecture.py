"""The model class that ``transformers`` builds for a configuration, and whether it can be trained."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from transformers import (
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    AutoModelForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
)

from stabbench.errors import ModelError
from stabbench.models.configuration import most_values
from stabbench.models.source import ModelSource

# A byte of weights holds two values at most (of 4 bits); the rest is for what a checkpoint may lack.
VALUES_A_BYTE = 8
# Fewer values take no memory worth a question.
FEW_VALUES = 5 * 10**7


def classifier_of(config: PreTrainedConfig) -> type[PreTrainedModel]:
    """The class of the model that is trained.

    Raises:
        ModelError: ``transformers`` has none for this family.
    """
    found: Any = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING.get(type(config), None)
    if found is None:
        raise ModelError(
            f"family {config.model_type!r} has no model for sequence classification in transformers",
            "encoders such as BERT, RoBERTa or DeBERTa have one, and so have causal language models such as GPT-2, "
            "Llama, Mistral, Qwen or Gemma: their checkpoints get a new head",
        )
    return found  # type: ignore[no-any-return]


def accepted_inputs(config: PreTrainedConfig, names: Sequence[str]) -> list[str]:
    """Those outputs of a tokenizer that the model takes."""
    taken = inspect.signature(classifier_of(config).forward).parameters
    return [name for name in names if name in taken]


def check_tables(config: PreTrainedConfig, source: ModelSource) -> None:
    """Find out, before any memory is taken, whether the configuration can be that of the weights.

    Raises:
        ModelError: The padding is beyond the table of embeddings, or the model has far more values than the weights.
    """
    padding, rows = getattr(config, "pad_token_id", None), getattr(config, "vocab_size", None)
    if isinstance(padding, int) and isinstance(rows, int) and padding >= rows:
        raise ModelError(
            f"model {source.name!r}: the token for padding has the number {padding}, and the table of embeddings has "
            f"{rows:,} rows, numbered from 0",
            "name a token that the model knows as pad_token in tokenizer_config.json, its number as pad_token_id in "
            "config.json; or save the model with a larger table: resize_token_embeddings(len(tokenizer))",
        )
    allowed = max(FEW_VALUES, VALUES_A_BYTE * source.weights_bytes())
    if most_values(config.to_dict()) > allowed and (values := _values(config)) > allowed:
        raise ModelError(
            f"model {source.name!r}: {source.folder / 'config.json'} describes a model of {values:,} values, and the "
            f"weights have {source.weights_bytes():,} bytes",
            "give the config.json that came with the weights",
        )


def _values(config: PreTrainedConfig) -> int:
    """The number of a model's values, without any memory for them."""
    try:
        with torch.device("meta"):
            model: Any = AutoModelForSequenceClassification.from_config(config)
    except Exception:  # loading says what is wrong with it
        return 0
    return sum(parameter.numel() for parameter in model.parameters())
