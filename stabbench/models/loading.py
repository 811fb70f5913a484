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
        config = AutoConfig.from_pretrained(source.folder)
        if dropout is not None:
            _set_dropout(config, dropout)
        # A head of another task is reported below, in the user's terms.
        config.num_labels = outputs
        model, info = AutoModelForSequenceClassification.from_pretrained(
            source.folder,
            config=config,
            attn_implementation="eager",
            dtype="float32",
            use_safetensors=safetensors,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    if info["mismatched_keys"]:
        name, found, wanted = sorted(info["mismatched_keys"])[0]
        raise ModelError(
            f"model {source.name!r}: {name} has shape {list(found)}, and this task needs {list(wanted)}",
            "the checkpoint was fine-tuned with another number of labels: give the pretrained encoder instead",
        )
    layout = describe(model, frozenset(info["missing_keys"]))
    lacking = [p.name for p in layout.parameters if p.missing and p.part not in ("head", "pooler")]
    if lacking:
        raise ModelError(
            f"model {source.name!r}: the weights lack {len(lacking)} of the encoder's parameters, such as {lacking[0]}",
            "the file belongs to another architecture than config.json says",
        )
    return model, layout


def load_tokenizer(source: ModelSource) -> Any:
    """The model's tokenizer."""
    with _quiet(), _explained(source):
        return AutoTokenizer.from_pretrained(source.folder)


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
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(
            f"model {source.name!r}: transformers cannot load {source.folder}: {first_line}",
            "it must be an encoder that AutoModelForSequenceClassification knows; remote code is never run",
        ) from error
    except Exception as error:
        if type(error).__name__ != "SafetensorError":
            raise
        raise ModelError(
            f"model {source.name!r}: its weights are damaged: {error}", "download the file again"
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
