"""The two places where ``transformers`` itself is changed, for forward passes of the engine only.

Both are entries of its own registries: an attention function under a name of ours, and the function that makes masks
for eager attention.
"""

from __future__ import annotations

from typing import Any

from transformers import AttentionInterface
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, eager_mask

from stabbench.engine.stacking.attention import packed_attention
from stabbench.engine.stacking.context import current

#: The name of :func:`packed_attention` in a model's configuration.
PACKED = "stabbench-packed"


def _eager_mask(*args: Any, **options: Any) -> Any:
    """In a forward pass of the engine no mask is left out: to find out whether one could be, a GPU would stop."""
    return eager_mask(*args, **options | ({} if current() is None else {"allow_is_bidirectional_skip": False}))


AttentionInterface.register(PACKED, packed_attention)
ALL_MASK_ATTENTION_FUNCTIONS["eager"] = _eager_mask
