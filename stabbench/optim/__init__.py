"""The papers' optimizer mathematics, usable in anyone's own training loop."""

from stabbench.optim._adamw import AdamW as AdamW
from stabbench.optim._adamw import adam_bias_correction as adam_bias_correction
from stabbench.optim._clipping import clip_component_norms_ as clip_component_norms_
from stabbench.optim._clipping import component_scales as component_scales
from stabbench.optim._clipping import global_scales as global_scales
from stabbench.optim._schedule import linear_warmup_linear_decay as linear_warmup_linear_decay

__all__ = [
    "AdamW",
    "adam_bias_correction",
    "clip_component_norms_",
    "component_scales",
    "global_scales",
    "linear_warmup_linear_decay",
]
