"""The papers' optimizer mathematics, usable in anyone's own training loop."""

from stabbench.optim._adafactor import Adafactor as Adafactor
from stabbench.optim._adamw import AdamW as AdamW
from stabbench.optim._adamw import adam_bias_correction as adam_bias_correction
from stabbench.optim._adamw_torch import TorchAdamW as TorchAdamW
from stabbench.optim._clipping import clip_component_norms_ as clip_component_norms_
from stabbench.optim._clipping import component_scales as component_scales
from stabbench.optim._clipping import global_scales as global_scales
from stabbench.optim._lion import Lion as Lion
from stabbench.optim._loss import seed_losses as seed_losses
from stabbench.optim._loss import smoothed_losses as smoothed_losses
from stabbench.optim._loss import symmetric_divergences as symmetric_divergences
from stabbench.optim._nadam import NAdam as NAdam
from stabbench.optim._radam import RAdam as RAdam
from stabbench.optim._schedule import linear_warmup_constant as linear_warmup_constant
from stabbench.optim._schedule import linear_warmup_linear_decay as linear_warmup_linear_decay
from stabbench.optim._schedule_free import ScheduleFreeAdamW as ScheduleFreeAdamW
from stabbench.optim._seeds import SeedOptimizer as SeedOptimizer
from stabbench.optim._seeds import seed_norms as seed_norms
from stabbench.optim._sgd import SGD as SGD
from stabbench.optim._stable_adamw import StableAdamW as StableAdamW

__all__ = [
    "SGD",
    "Adafactor",
    "AdamW",
    "Lion",
    "NAdam",
    "RAdam",
    "ScheduleFreeAdamW",
    "SeedOptimizer",
    "StableAdamW",
    "TorchAdamW",
    "adam_bias_correction",
    "clip_component_norms_",
    "component_scales",
    "global_scales",
    "linear_warmup_constant",
    "linear_warmup_linear_decay",
    "seed_losses",
    "seed_norms",
    "smoothed_losses",
    "symmetric_divergences",
]
