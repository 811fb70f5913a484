"""Bounds on the numbers of a ``config.json``: what no model has is refused before anything is built of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stabbench.errors import ModelError
from stabbench.models.families import FAMILIES
from stabbench.records.seeds import MASK_VALUES, mask_can_drop

# The deepest published models have a few hundred blocks.
MOST_BLOCKS = 1000
# Above every vocabulary, width and number of positions (ten million, the most of a published model).
MOST_SIZE = 2**24
MOST_LABELS = 100_000
# No number of a configuration is longer.
MOST_DIGITS = 40
_HINT = "give the config.json that came with the weights"

_BLOCKS = re.compile(r"(num|n)_(\w+_)?(layers?|groups|blocks)|\w+_layers|layers|inner_group_num")
_SIZE = re.compile(
    r"\w+_size|\w*dim|d_\w+|n_(embd|inner|positions|ctx|heads?)|num_(\w+_)?(heads|experts)|\w+_heads|max_\w+_embeddings"
)
# Of parts of a layer. Some are lists, or negative to switch something off; none is allocated.
_OTHER_SIZE = re.compile(r"\w*(window|kernel|chunk|block|patch|image|conv)\w*")


def check_configuration(config: Mapping[str, Any], path: Path) -> None:
    """Refuse a configuration that no model can have.

    Args:
        config: The content of ``config.json``.
        path: Where that is, for messages.

    Raises:
        ModelError: A number of blocks or labels, or a size, is no whole number or beyond every model's; a rate of
            dropout is no probability.
    """
    family = FAMILIES.get(str(config.get("model_type")))
    for key in family.depth if family else ("num_hidden_layers",):
        if key in config:
            _check_whole(path, key, config[key], 1, MOST_BLOCKS)
    for key, value in _entries(config):
        if isinstance(value, int) and abs(value) >= 10**MOST_DIGITS:
            raise ModelError(f"{path}: {key} has more than {MOST_DIGITS} digits", _HINT)
        if is_dropout(key, value) and not (0 <= value < 1 and mask_can_drop(value)):
            raise ModelError(
                f"{path}: {key} must be 0 or a rate that masks have (in steps of 1/{MASK_VALUES}), got {value!r:.60}",
                _HINT,
            )
        if value is None or isinstance(value, list) or _OTHER_SIZE.fullmatch(key):
            continue
        if _BLOCKS.fullmatch(key):
            _check_whole(path, key, value, 0, MOST_BLOCKS)
        elif _SIZE.fullmatch(key):
            _check_whole(path, key, value, 0, MOST_SIZE)
        elif key in ("num_labels", "_num_labels"):
            _check_whole(path, key, value, 0, MOST_LABELS)
        elif key in ("id2label", "label2id") and isinstance(value, dict) and len(value) > MOST_LABELS:
            raise ModelError(f"{path}: {key} has {len(value):,} labels, and {MOST_LABELS:,} is the most", _HINT)


def is_dropout(key: str, value: object) -> bool:
    """Whether an entry is a rate of dropout; what drops whole layers is not."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return "drop" in key and "layerdrop" not in key and number


def most_values(config: Mapping[str, Any]) -> int:
    """About the most values that such a model has: in every block, two matrices of its two largest sizes."""
    entries = [(key, value) for key, value in _entries(config) if isinstance(value, int)]
    sizes = sorted((value for key, value in entries if _SIZE.fullmatch(key)), reverse=True)
    blocks = sum(value for key, value in entries if _BLOCKS.fullmatch(key))
    return 2 * max(blocks, 1) * math.prod(sizes[:2])


def _check_whole(path: Path, key: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ModelError(f"{path}: {key} must be a whole number from {least} to {most:,}, got {value!r:.60}", _HINT)


def _entries(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Keys and values, those of nested configurations too."""
    for key, value in config.items():
        yield key, value
        if isinstance(value, dict) and key.endswith("config"):
            yield from _entries(value)
