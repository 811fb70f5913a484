"""Whether a model may be stacked: decided by trying it, in float64, against separate models.

A reduced copy of the architecture (two layers, a small vocabulary, random weights everywhere, biases too) is run both
ways. What matters is which modules the model is made of and how they are wired, and the reduced copy has the same.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoModelForSequenceClassification, PreTrainedConfig, PreTrainedModel

from stabbench.engine.stacking.models import StackedModel
from stabbench.engine.stacking.stack import StackError, check_leaves
from stabbench.engine.stacking.streams import SeedStreams
from stabbench.models.families import FAMILIES
from stabbench.models.loading import set_dropout
from stabbench.records.seeds import Seeds

SEEDS, BATCH, LENGTH = 2, 16, 11
# A recipe may set it, whatever the checkpoint has: so it is looked at even where that has none.
DROPOUT = 0.1
# The second seed's examples: few enough tokens for another size of share and of room than the first one's.
SHORT = 5
TOLERANCE = 1e-10
VOCABULARY = 100
# Below every other id. Decoders pool by the padding, BART by the end of a sequence.
SPECIAL = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 3, "sep_token_id": 4,
           "decoder_start_token_id": 2}  # fmt: skip


def why_not_stackable(model: PreTrainedModel) -> str:
    """Why ``model`` must be trained one seed at a time; empty where the stack is proven equal to separate models.

    Compared are the logits and the gradients of every parameter without dropout, and with dropout that a seed's logits
    do not depend on the other seeds.
    """
    state = torch.get_rng_state()
    try:
        # Before anything is built: most models that cannot be stacked are told by their modules.
        check_leaves(model)
        torch.manual_seed(0)
        return _compare(_reduced(model))
    except StackError as error:
        return str(error)
    except Exception as error:
        # Anything may go wrong inside a model that does not expect a merged batch; then one seed at a time is right.
        return f"it fails on a merged batch: {type(error).__name__}: {error}".splitlines()[0]
    finally:
        torch.set_rng_state(state)


def _reduced(model: PreTrainedModel) -> PreTrainedModel:
    config = copy.deepcopy(model.config)
    try:
        for key, value in _reductions(config).items():
            setattr(config, key, value)
        set_dropout(config, DROPOUT)
        reduced = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager")
    except Exception:
        # A configuration that cannot be reduced says nothing about the model: it is tried as large as it is.
        reduced = copy.deepcopy(model)
        for key, value in SPECIAL.items():
            setattr(reduced.config, key, value)
    return reduced.to(torch.float64)  # type: ignore[no-any-return]


def _reductions(config: PreTrainedConfig) -> dict[str, Any]:
    family = FAMILIES.get(config.model_type)
    counts = family.depth if family else ("num_hidden_layers",)
    changes: dict[str, Any] = {key: min(2, getattr(config, key)) for key in counts}
    if getattr(config, "layer_types", None):
        changes["layer_types"] = config.layer_types[:2]
    return changes | SPECIAL | {"vocab_size": min(VOCABULARY, config.vocab_size)}


def _compare(model: PreTrainedModel) -> str:
    stack = StackedModel(model, SEEDS)
    with torch.no_grad():
        for parameter in stack.parameters.values():
            parameter.copy_(torch.randn_like(parameter) * 0.2)
    inputs = _inputs(model, SEEDS * BATCH)
    stack.train(False)
    together = stack.logits(inputs, {}, _real(inputs))
    together.square().sum().backward()
    for seed in range(SEEDS):
        alone = copy.deepcopy(model).eval()
        separate = dict(alone.named_parameters())
        with torch.no_grad():
            for name, parameter in stack.parameters.items():
                separate[name].copy_(parameter[seed])
        alone.zero_grad()
        logits = alone(**_part(inputs, seed)).logits
        logits.square().sum().backward()
        pairs = {"the logits": (together[seed], logits)} | {
            f"the gradient of {n}": (_gradient(p)[seed], _gradient(separate[n])) for n, p in stack.parameters.items()
        }
        for what, (stacked, single) in pairs.items():
            if not torch.allclose(stacked, single, rtol=TOLERANCE, atol=TOLERANCE):
                return f"{what} of a stack differ from those of separate models"
    return _check_dropout(model, stack, inputs)


def _check_dropout(model: PreTrainedModel, stack: StackedModel, inputs: dict[str, Tensor]) -> str:
    seeds = [Seeds.of(seed) for seed in range(SEEDS)]
    together = _with_dropout(stack, inputs, seeds)
    for number, seed in enumerate(seeds):
        single = StackedModel(model, 1)
        with torch.no_grad():
            for name, parameter in stack.parameters.items():
                single.parameters[name].copy_(parameter[number : number + 1])
        if not torch.allclose(_with_dropout(single, _part(inputs, number), [seed])[0], together[number]):
            return "its dropout does not come from the seeds' own streams"
    return ""


def _with_dropout(stack: StackedModel, inputs: dict[str, Tensor], seeds: list[Seeds]) -> Tensor:
    stack.train(True)
    with torch.no_grad():
        return stack.logits(inputs, {}, _real(inputs), SeedStreams(seeds, "dropout", torch.device("cpu")))


def _inputs(model: PreTrainedModel, rows: int) -> dict[str, Tensor]:
    ids = torch.randint(len(SPECIAL), min(90, model.config.vocab_size), (rows, LENGTH))
    mask = torch.ones_like(ids)
    mask[::2, -2:] = 0
    mask[rows // SEEDS :, SHORT:] = 0
    ids[:, SHORT - 1] = SPECIAL["eos_token_id"]
    ids[mask == 0] = SPECIAL["pad_token_id"]
    inputs = {"input_ids": ids, "attention_mask": mask}
    if getattr(model.config, "type_vocab_size", 0) > 1 and model.config.model_type != "distilbert":
        inputs["token_type_ids"] = (torch.arange(LENGTH) > 3).long().expand(rows, -1)
    return inputs


def _part(inputs: dict[str, Tensor], seed: int) -> dict[str, Tensor]:
    return {name: values[seed * BATCH : (seed + 1) * BATCH] for name, values in inputs.items()}


def _real(inputs: dict[str, Tensor]) -> NDArray[np.bool_]:
    return inputs["attention_mask"].view(-1, BATCH, LENGTH).numpy().astype(bool)


def _gradient(parameter: Any) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
