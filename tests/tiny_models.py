"""Configurations of every model family at the smallest size: three blocks of width 16, a vocabulary of 40."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

_SPECIAL = {"pad_token_id": 0, "bos_token_id": None, "eos_token_id": None}
_ENCODER = {
    "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 24,
    "max_position_embeddings": 24, **_SPECIAL,
}  # fmt: skip
_DECODER = {**_ENCODER, "num_key_value_heads": 1, "head_dim": 8}
_RELATIVE = {"relative_attention": True, "position_biased_input": False, "pos_att_type": ["c2p", "p2c"]}

# What differs from an encoder's usual names and sizes.
_OTHERS: dict[str, dict[str, Any]] = {
    "albert": {**_ENCODER, "embedding_size": 8},
    "electra": {**_ENCODER, "embedding_size": 8},
    "distilbert": {
        "vocab_size": 40, "dim": 16, "n_layers": 3, "n_heads": 2, "hidden_dim": 24, "max_position_embeddings": 24,
        "pad_token_id": 0,
    },
    "xlnet": {"vocab_size": 40, "d_model": 16, "n_layer": 3, "n_head": 2, "d_inner": 24, **_SPECIAL},
    # It pools at the end of a sequence.
    "bart": {
        "vocab_size": 40, "d_model": 16, "encoder_layers": 2, "decoder_layers": 3, "encoder_attention_heads": 2,
        "decoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "max_position_embeddings": 24,
        "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2,
    },
    "deberta": {**_ENCODER, **_RELATIVE},
    "deberta-v2": {**_ENCODER, **_RELATIVE, "norm_rel_ebd": "layer_norm", "conv_kernel_size": 3},
    "modernbert": {**_ENCODER, "cls_token_id": 1, "sep_token_id": 2},
    "gpt2": {"vocab_size": 40, "n_embd": 16, "n_layer": 3, "n_head": 2, "n_positions": 24, **_SPECIAL},
    "opt": {**_ENCODER, "ffn_dim": 24, "word_embed_proj_dim": 8},
    **dict.fromkeys(
        ("llama", "mistral", "qwen2", "qwen3", "phi3", "smollm3", "olmo2", "gemma", "gemma2", "gemma3_text"), _DECODER
    ),
}  # fmt: skip

EOS = 2


def tiny_config(family: str, **changes: Any) -> Any:
    """A configuration of any family, known to stabbench or not."""
    return AutoConfig.for_model(family, **{**_OTHERS.get(family, _ENCODER), **changes})


def tiny_model(family: str, **changes: Any) -> PreTrainedModel:
    """A classifier, always the same one, with random weights."""
    torch.manual_seed(0)
    config = tiny_config(family, **changes)
    model: PreTrainedModel = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager")
    return model


def tiny_batch(rows: int, length: int) -> dict[str, torch.Tensor]:
    """Random sequences, every third padded on the right, each with one end of a sequence (BART needs one)."""
    ids = torch.randint(3, 40, (rows, length), generator=torch.Generator().manual_seed(5))
    ids[:, -4] = EOS
    ids[::3, -3:] = 0
    return {"input_ids": ids, "attention_mask": (ids != 0).long()}


def real_tokens(inputs: dict[str, torch.Tensor], seeds: int) -> NDArray[np.bool_]:
    """Which positions of a merged batch are no padding, ``[seeds, batch, length]``."""
    return inputs["attention_mask"].unflatten(0, (seeds, -1)).numpy().astype(bool)
