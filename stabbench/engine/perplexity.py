"""How well a trained encoder still predicts masked words, with its top blocks put back to their pretrained values.

Mosbach et al. 2021, section 4.1 and Fig. 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from stabbench.engine.job import Perplexities, PerplexityPart
from stabbench.engine.kept_weights import of_another_model, read_weights
from stabbench.engine.run import memory_errors, settings
from stabbench.engine.setup import local_model
from stabbench.errors import StudyError
from stabbench.models.layout import Layout
from stabbench.models.loading import load_masked_language_model, load_tokenizer

# BERT's share of the words that are to be predicted; all of them are masked here, so that only the model differs.
SHARE = 0.15
DRAWN_BY = 0
BATCH = 50


def perplexities(part: PerplexityPart) -> Perplexities:
    """The pretrained model's perplexity, and that of a trained encoder with its top k blocks put back, k = 0 up to all.

    The embeddings, and what else is in no block, stay as trained; the masked-language-model head is the pretrained one.

    Raises:
        StabbenchError: The model has no such head, or the weights cannot be read.
        MemoryError: It does not fit into the memory.
    """
    source = local_model(part.job.model, str(part.job.fingerprint.experiment["model"]))
    with settings(part.job), memory_errors():
        model, layout = load_masked_language_model(source)
        model.to(part.job.device).eval()  # type: ignore[arg-type]  # transformers' wrapper hides nn.Module's own signature
        batches = masked(part.texts, load_tokenizer(source), part.job.recipe.max_length, model.device)
        parameters = dict(model.named_parameters())
        pretrained = {name: values.detach().clone() for name, values in parameters.items()}
        own, put_back = _perplexity(model, batches), []
        trained = _trained(part.weights, parameters)
        for blocks in range(layout.depth + 1):
            _put(parameters, pretrained, trained, _top(layout, blocks))
            put_back.append(_perplexity(model, batches))
    return Perplexities(part.weights, own, tuple(put_back))


def masked(
    texts: Sequence[str], tokenizer: Any, max_length: int, device: torch.device | str = "cpu"
) -> list[tuple[dict[str, Tensor], Tensor]]:
    """Batches of texts with some of their words masked, and the words: -100 where none is to be predicted.

    The same words of the same texts, whatever the model; a text too short to have one by chance has one.

    Raises:
        StudyError: The tokenizer has no token for masked words.
    """
    if tokenizer.mask_token_id is None:
        raise StudyError("the model's tokenizer has no token for masked words, so it cannot be asked for any",
                         "take a model that was pretrained on masked words, such as BERT")  # fmt: skip
    generator = torch.Generator().manual_seed(DRAWN_BY)
    made = []
    for begin in range(0, len(texts), BATCH):
        tokens = tokenizer(
            list(texts[begin : begin + BATCH]),
            truncation=True,
            max_length=min(max_length, tokenizer.model_max_length),
            padding="longest",
            return_tensors="pt",
            return_special_tokens_mask=True,
        )
        special = tokens.pop("special_tokens_mask").bool()
        drawn = torch.rand(special.shape, generator=generator).masked_fill(special, 1.0)
        chosen = (drawn < SHARE) | ((drawn == drawn.amin(1, keepdim=True)) & ~special)
        words = tokens["input_ids"].masked_fill(~chosen, -100)
        tokens["input_ids"] = tokens["input_ids"].masked_fill(chosen, tokenizer.mask_token_id)
        made.append(({name: values.to(device) for name, values in tokens.items()}, words.to(device)))
    return made


@torch.no_grad()
def _perplexity(model: nn.Module, batches: Sequence[tuple[dict[str, Tensor], Tensor]]) -> float | None:
    total, number = 0.0, 0
    for tokens, words in batches:
        logits = model(**tokens).logits
        total += float(functional.cross_entropy(logits.flatten(0, 1), words.flatten(), reduction="sum"))
        number += int((words != -100).sum())
    mean = total / number
    return math.exp(mean) if math.isfinite(mean) and mean < math.log(1e300) else None


def _trained(path: Path, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of a run's weights those that the model has, too: not its pooler and head."""
    found = {name: values for name, values in read_weights(path, "cpu").items() if name in parameters}
    if not found or any(values.shape != parameters[name].shape for name, values in found.items()):
        raise of_another_model(path)
    return found


@torch.no_grad()
def _put(
    parameters: Mapping[str, Tensor],
    pretrained: Mapping[str, Tensor],
    trained: Mapping[str, Tensor],
    top: frozenset[str],
) -> None:
    for name, parameter in parameters.items():
        parameter.copy_(trained[name] if name in trained and name not in top else pretrained[name])


def _top(layout: Layout, blocks: int) -> frozenset[str]:
    """The parameters of the top blocks."""
    return layout.names([f"block {number}" for number in range(layout.depth - blocks, layout.depth)])
