"""Tiny models of the real ``transformers`` classes, saved to disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import AutoConfig, BertModel, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

# Saving draws a progress bar, which belongs in no test's output.
disable_progress_bar()

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c")


def tiny_config(family: str, **changes: Any) -> Any:
    """A configuration of any family at the smallest size, with three blocks."""
    sizes: dict[str, Any] = {"vocab_size": 20, "max_position_embeddings": 16, "pad_token_id": 0}
    # Special tokens within the tiny vocabulary.
    sizes |= {"bos_token_id": None, "eos_token_id": None} if family != "distilbert" else {}
    if family == "distilbert":
        sizes |= {"dim": 8, "n_layers": 3, "n_heads": 2, "hidden_dim": 16}
    else:
        sizes |= {"hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 16}
        sizes |= {"embedding_size": 4} if family in ("albert", "electra") else {}
    return AutoConfig.for_model(family, **{**sizes, **changes})


def save(model: PreTrainedModel, folder: Path) -> Path:
    """Save a model with a tokenizer of a few words."""
    model.save_pretrained(folder)
    backend = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    backend.pre_tokenizer = Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]", pad_token="[PAD]").save_pretrained(folder)
    return folder


def edit_json(path: Path, **changes: Any) -> None:
    """Change some keys of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.fixture
def tiny() -> Callable[..., Any]:
    return tiny_config


@pytest.fixture
def save_model(tmp_path: Path) -> Callable[..., Path]:
    return lambda model, name="model": save(model, tmp_path / name)


@pytest.fixture
def tiny_bert(save_model: Callable[..., Path]) -> Path:
    """The folder of a pretrained encoder, always the same one."""
    torch.manual_seed(0)
    return save_model(BertModel(tiny_config("bert")))


@pytest.fixture
def edit() -> Callable[..., None]:
    return edit_json
