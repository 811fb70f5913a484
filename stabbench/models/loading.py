"""Loading a sequence-classification model and its tokenizer through ``transformers``, from a folder on disk."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from torch import nn
from transformers import (
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoConfig,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
)
from transformers import logging as transformers_logging

from stabbench._system.machine import is_out_of_memory
from stabbench.errors import ModelError
from stabbench.models.architecture import accepted_inputs, check_tables, classifier_of
from stabbench.models.configuration import is_dropout
from stabbench.models.families import FAMILIES, START
from stabbench.models.files import WEIGHTS
from stabbench.models.layout import Kind, Layout, ParameterInfo
from stabbench.models.sentencepiece import check_sentencepiece
from stabbench.models.source import ModelSource

_MASKED = "take a checkpoint as it was pretrained on masked words, such as google-bert/bert-base-uncased"
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
            set_dropout(config, dropout)
        classifier_of(config)
        config.num_labels = outputs
        # It would make parts of the forward pass a second time, with other masks of dropout.
        config.gradient_checkpointing = False
    # A head that reads the last token that is not padding must agree with the tokenizer on what padding is. That
    # token's embedding is then never trained.
    if _pools_last(config.model_type) or getattr(config, "pad_token_id", None) is None:
        config.pad_token_id = load_tokenizer(source).pad_token_id
    check_tables(config, source)
    with _quiet(), _explained(source):
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
    shapes = {name: (tuple(found), tuple(wanted)) for name, found, wanted in info["mismatched_keys"]}
    layout = describe(model, frozenset(info["missing_keys"]) | shapes.keys())
    # A head starts anew in every run, so that of another task may have any shape.
    heads = layout.names(["head"])
    for name, (found, wanted) in sorted(shapes.items()):
        if name not in heads:
            raise ModelError(
                f"model {source.name!r}: {name} has shape {list(found)}, and {list(wanted)} is needed",
                _OTHER_ARCHITECTURE,
            )
    layout = dataclasses.replace(layout, unused_head=next((found for found, _ in shapes.values()), None))
    lacking = [p.name for p in layout.parameters if p.missing and not _may_be_new(model, p)]
    if lacking:
        raise ModelError(
            f"model {source.name!r}: the weights lack {len(lacking)} of the encoder's parameters, such as {lacking[0]}",
            _OTHER_ARCHITECTURE,
        )
    return model, layout


def load_masked_language_model(source: ModelSource) -> tuple[PreTrainedModel, Layout]:
    """The pretrained model with its own masked-language-model head, in float32, and what its parameters are.

    Raises:
        ModelError: There is no such model, or the checkpoint has no such head.
    """
    with _quiet(), _explained(source):
        config = AutoConfig.from_pretrained(source.folder, trust_remote_code=False)
        if type(config) not in MODEL_FOR_MASKED_LM_MAPPING:
            raise ModelError(f"family {config.model_type!r} does not predict masked words", _MASKED)
        model, info = AutoModelForMaskedLM.from_pretrained(
            source.folder,
            config=config,
            trust_remote_code=False,
            dtype="float32",
            use_safetensors=any((source.folder / file).is_file() for file in WEIGHTS),
            output_loading_info=True,
        )
    # Ties are no lack: `transformers` does not count them.
    if lacking := sorted(info["missing_keys"]):
        raise ModelError(
            f"model {source.name!r}: the checkpoint has no masked-language-model head (it lacks {lacking[0]})", _MASKED
        )
    return model, describe(model)


def load_tokenizer(source: ModelSource) -> Any:
    """The model's tokenizer, which pads with the end of a sequence where it has no token for padding.

    A head that reads the last token that is not padding then takes a sequence's own end for padding, too, and reads the
    token before it, whether the batch is padded or not. Such a model is padded on the right, where causal attention
    does not see the padding and positions are as without it. So is an encoder, whose head reads the first position.

    Raises:
        ModelError: There is no usable tokenizer.
    """
    check_sentencepiece(source)
    with _quiet(), _explained(source):
        config = AutoConfig.from_pretrained(source.folder, trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(source.folder, trust_remote_code=False)
        # BERT's tokenizer serves DistilBERT too, and gives it type ids that it has no use for.
        tokenizer.model_input_names = accepted_inputs(config, tokenizer.model_input_names)
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise ModelError(
                f"model {source.name!r}: its tokenizer has no token for padding, and none for the end of a sequence",
                f"name one of its tokens as pad_token in {source.folder / 'tokenizer_config.json'}",
            )
        tokenizer.pad_token = tokenizer.eos_token
    family = FAMILIES.get(source.family)
    if family and (family.pools_last or family.encoder):
        tokenizer.padding_side = "right"
    return tokenizer


def describe(model: PreTrainedModel, missing: frozenset[str] = frozenset()) -> Layout:
    """The layout of a model's trainable parameters."""
    family = FAMILIES.get(model.config.model_type)
    # Every parameter once, however many modules share it.
    kinds = {name: _kind(model, name) for name, parameter in model.named_parameters() if parameter.requires_grad}
    if family is None:
        # In every transformers model the encoder has one prefix, and the rest is the head.
        parts = {name: "other" if _in_encoder(model, name) else "head" for name in kinds}
        starts = {name: START[kind] for name, kind in kinds.items()}
    else:
        parts = family.parts(kinds)
        starts = {name: family.start(name, kind) for name, kind in kinds.items()}
    infos = (ParameterInfo(name, kinds[name], parts[name], name in missing, starts[name]) for name in kinds)
    return Layout(model.config.model_type, family is not None, tuple(infos))


def _pools_last(family: str) -> bool:
    return family in FAMILIES and FAMILIES[family].pools_last


def _may_be_new(model: PreTrainedModel, parameter: ParameterInfo) -> bool:
    """Whether a checkpoint may lack ``parameter``: the head, and what pretraining had no sentence objective for."""
    if parameter.part == "pooler":
        # The norm that ends a pre-norm encoder counts as a pooler and has always been pretrained.
        return parameter.kind != "norm" or not _in_encoder(model, parameter.name)
    return parameter.part == "head" or "pooler" in parameter.name


def _in_encoder(model: PreTrainedModel, name: str) -> bool:
    return name.startswith(model.base_model_prefix + ".")


def _kind(model: nn.Module, name: str) -> Kind:
    owner, _, own = name.rpartition(".")
    if own.endswith("bias"):
        return "bias"
    return "norm" if "Norm" in type(model.get_submodule(owner)).__name__ else "weight"


def set_dropout(config: Any, rate: float) -> None:
    """Set every dropout rate of a configuration."""
    for key, value in config.to_dict().items():
        if is_dropout(key, value):
            setattr(config, key, rate)


@contextlib.contextmanager
def _explained(source: ModelSource) -> Iterator[None]:
    """Turn whatever ``transformers`` raises on bad files into a ModelError; want of memory is not their fault."""
    try:
        yield
    except ModelError as error:
        raise ModelError(f"model {source.name!r}: {error.message}", error.hint) from error
    except Exception as error:  # there is no end to what a bad configuration can raise
        if is_out_of_memory(error):
            raise
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
