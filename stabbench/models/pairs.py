"""How the two texts of a pair are told apart."""

from __future__ import annotations

from typing import Any

from stabbench.models.families import separates_pairs


def pair_separator(family: str, tokenizer: Any) -> str:
    """The text to put before the second of a pair.

    It is the tokenizer's own separator, or the end of a sequence, or a new line. It is empty where the tokenizer puts
    a token there by itself, and for an encoder, whose tokenizer should.
    """
    if not separates_pairs(family) or _separates(tokenizer):
        return ""
    return str(tokenizer.sep_token or tokenizer.eos_token or "\n")


def pairs_note(family: str, tokenizer: Any) -> str:
    """What the user should know of it; empty where the tokenizer separates the texts by itself."""
    if _separates(tokenizer):
        return ""
    if separator := pair_separator(family, tokenizer):
        return f"its tokenizer puts nothing between the two texts of a pair: {separator!r} is put there"
    return (
        "its tokenizer puts nothing between the two texts of a pair, which are read as one: "
        "that of a pretrained model of this family has a post-processor for it"
    )


def _separates(tokenizer: Any) -> bool:
    return bool(tokenizer.num_special_tokens_to_add(pair=True) > tokenizer.num_special_tokens_to_add(pair=False))
