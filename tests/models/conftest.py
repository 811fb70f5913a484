"""Tiny models of the real ``transformers`` classes, saved to disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import tiny_config
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import BertModel, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

# Saving draws a progress bar, which belongs in no test's output.
disable_progress_bar()

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c")


def save(model: PreTrainedModel, folder: Path, **special: str) -> Path:
    """Save a model with a tokenizer of a few words, and special tokens besides the unknown one."""
    model.save_pretrained(folder)
    backend = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    backend.pre_tokenizer = Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]", **special)
    tokenizer.save_pretrained(folder)
    return folder


def edit_json(path: Path, **changes: Any) -> None:
    """Change some keys of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.fixture
def tiny() -> Callable[..., Any]:
    return tiny_config


@pytest.fixture
def save_model(tmp_path: Path) -> Callable[..., Path]:
    return lambda model, name="model", **special: save(model, tmp_path / name, **(special or {"pad_token": "[PAD]"}))


@pytest.fixture
def tiny_bert(save_model: Callable[..., Path]) -> Path:
    """The folder of a pretrained encoder, always the same one."""
    torch.manual_seed(0)
    return save_model(BertModel(tiny_config("bert")))


@pytest.fixture
def edit() -> Callable[..., None]:
    return edit_json
