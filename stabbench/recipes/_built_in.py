"""The recipes of this package: each name with its file in this folder and its class there.

Other packages offer theirs by entry points; these here need none, so that a checkout has what its files have.
"""

from __future__ import annotations

from collections.abc import Mapping

BUILT_IN: Mapping[str, tuple[str, str]] = {
    "devlin": ("devlin", "Devlin"),
    "bias-correction": ("bias_correction", "BiasCorrection"),
    "mosbach": ("mosbach", "Mosbach"),
    "mixout": ("mixout", "Mixout"),
    "reinit": ("reinit", "Reinit"),
    "cwgnc": ("cwgnc", "Cwgnc"),
    "longer": ("longer", "Longer"),
    "llrd": ("llrd", "Llrd"),
    "weight-decay": ("weight_decay", "WeightDecay"),
    "pretrained-weight-decay": ("pretrained_weight_decay", "PretrainedWeightDecay"),
    "intermediate-task": ("intermediate_task", "IntermediateTask"),
    "gradual-unfreezing": ("gradual_unfreezing", "GradualUnfreezing"),
    "gradual-unfreezing-restart": ("gradual_unfreezing", "GradualUnfreezingRestart"),
    "label-smoothing": ("label_smoothing", "LabelSmoothing"),
    "adagc": ("adagc", "AdaGC"),
    "noisytune": ("noisytune", "NoisyTune"),
    "child-tuning": ("child_tuning", "ChildTuning"),
    "r3f": ("r3f", "R3F"),
    "swa": ("swa", "SWA"),
    "ema": ("ema", "EMA"),
    "bitfit": ("bitfit", "BitFit"),
    "linear-probe": ("linear_probe", "LinearProbe"),
    "freeze-bottom": ("freeze_bottom", "FreezeBottom"),
    "lp-ft": ("lp_ft", "LpFt"),
}
