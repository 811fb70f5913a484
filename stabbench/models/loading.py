"""Loading a sequence-classification model and its tokenizer through ``transformers``, from a folder on disk."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel
from transformers import logging as transformers_logging

from stabbench.errors import ModelError
from stabbench.models.families import FAMILIES
from stabbench.models.layout import Kind, Layout, ParameterInfo
from stabbench.models.source import WEIGHTS, ModelSource

_OTHER_LABELS = "the checkpoint was fine-tuned with another number of labels: give the pretrained encoder instead"
_OTHER_ARCHITECTURE = "the weights belong to another architecture than config.json says"


def load_model(source: ModelSource, outputs: int, dropout: float | None) -> tuple[PreTrainedModel, Layout]:
    """The pretrained encoder with a head of ``outputs`` outputs, in float32, and what its parameters are.

    Attention is the eager kind, whose dropout the engine can draw seed by seed.

    Args:
        source: Where the model is.
        outputs: The number of outputs of the head.
        dropout: Replaces every dropout rate of the model's configuration, unless None.

    Raises:
        ModelError: The files do not fit each other, the model class, or the task.
    """
    safetensors = any((source.folder / file).is_file() for file in WEIGHTS)
    with _quiet(), _explained(source):
        config = AutoConfig.from_pretrained(source.folder, trust_remote_code=False)
        if dropout is not None:
            _set_dropout(config, dropout)
        # A head of another task is reported below, in the user's terms.
        config.num_labels = outputs
        model, info = AutoModelForSequenceClassification.from_pretrained(
            source.folder,
            config=config,
            trust_remote_code=False,
            attn_implementation="eager",
            dtype="float32",
            use_safetensors=safetensors,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    layout = describe(model, frozenset(info["missing_keys"]))
    if info["mismatched_keys"]:
        # Any of the encoder's before the head's: they say more.
        heads = layout.names(["head"])
        name, found, wanted = min(info["mismatched_keys"], key=lambda key: (key[0] in heads, key[0]))
        raise ModelError(
            f"model {source.name!r}: {name} has shape {list(found)}, and {list(wanted)} is needed",
            _OTHER_LABELS if name in heads else _OTHER_ARCHITECTURE,
        )
    # A pooler may be new as well: pretraining without a sentence objective leaves none.
    may_be_new = layout.names(["head", "pooler"])
    missing = [p.name for p in layout.parameters if p.missing]
    lacking = [name for name in missing if name not in may_be_new and "pooler" not in name]
    if lacking:
        raise ModelError(
            f"model {source.name!r}: the weights lack {len(lacking)} of the encoder's parameters, such as {lacking[0]}",
            _OTHER_ARCHITECTURE,
        )
    return model, layout


def load_tokenizer(source: ModelSource) -> Any:
    """The model's tokenizer."""
    with _quiet(), _explained(source):
        return AutoTokenizer.from_pretrained(source.folder, trust_remote_code=False)


def describe(model: PreTrainedModel, missing: frozenset[str] = frozenset()) -> Layout:
    """The layout of a model's trainable parameters."""
    family = FAMILIES.get(model.config.model_type)
    encoder = model.base_model_prefix + "."

    def part(name: str) -> str:
        if family is not None:
            return family.part(name)
        # In every transformers model the encoder has one prefix, and the rest is the head.
        return "other" if name.startswith(encoder) else "head"

    infos = tuple(
        ParameterInfo(name, _kind(model, name), part(name), name in missing)
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    )
    return Layout(model.config.model_type, family is not None, infos)


def _kind(model: nn.Module, name: str) -> Kind:
    owner, _, own = name.rpartition(".")
    if own.endswith("bias"):
        return "bias"
    return "norm" if "Norm" in type(model.get_submodule(owner)).__name__ else "weight"


def _set_dropout(config: Any, rate: float) -> None:
    for key, value in config.to_dict().items():
        if "drop" in key and "layerdrop" not in key and isinstance(value, float | int) and not isinstance(value, bool):
            setattr(config, key, rate)


@contextlib.contextmanager
def _explained(source: ModelSource) -> Iterator[None]:
    """Turn whatever ``transformers`` raises on bad files into a ModelError."""
    try:
        yield
    except Exception as error:  # there is no end to what a bad configuration can raise
        first_line = (str(error).strip() or "no message").splitlines()[0]
        raise ModelError(
            f"model {source.name!r}: transformers cannot load {source.folder}: {type(error).__name__}: {first_line}",
            "the files must be whole, and of an encoder that AutoModelForSequenceClassification knows; "
            "remote code is never run",
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' load report and progress bars: a new head is what we want, not news."""
    level, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        if bars:
            transformers_logging.enable_progress_bar()
