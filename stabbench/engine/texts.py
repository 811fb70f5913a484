"""Whether a model can read the texts of a task: found out before any training, each fault with its remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from stabbench.engine.inputs import tokenise
from stabbench.errors import ModelError
from stabbench.tasks.task import Examples, Task

# Texts tokenised at once: all of a large task would need more memory than its training.
CHUNK = 1024
# Names of the tables that transformers' models have.
_TYPES = ("token_type_embeddings",)
_POSITIONS = ("position_embeddings", "embed_positions", "wpe")


@dataclass(frozen=True)
class _Text:
    """A tokenised text: what the tokenizer gives for it, by name, and how the text begins."""

    tokens: dict[str, list[int]]
    text: str

    def __len__(self) -> int:
        return len(self.tokens["input_ids"])

    def highest(self, name: str) -> int:
        return max(self.tokens.get(name, ()), default=0)


def check_texts(
    name: str, model: PreTrainedModel, tokenizer: Any, task: Task, max_length: int, separator: str = ""
) -> None:
    """Tokenise every text of a task as a training does, and run the model on the longest.

    Args:
        name: The model as the user named it.
        model: With the task's head.
        tokenizer: The model's.
        task: With its data.
        max_length: Where texts are cut, in tokens.
        separator: As for :func:`stabbench.engine.inputs.encode`.

    Raises:
        ModelError: A number of a token, of a type or of a position is beyond the model's tables, an encoder-decoder
            would read the end of a sequence inside a text, the tokenizer knows no word of any text, or the model fails
            on the longest text.
    """
    tables = _Tables(name, model, tokenizer)
    longest: _Text | None = None
    for text in _texts(task, tokenizer, max_length, separator):
        tables.check(text)
        if longest is None or len(text) > len(longest):
            longest = text
    if longest is not None:
        tables.check_known(longest)
        _try(name, model, longest)


class _Tables:
    """The sizes of a model's tables of embeddings."""

    def __init__(self, name: str, model: PreTrainedModel, tokenizer: Any) -> None:
        self._model = f"model {name!r}"
        table: Any = model.get_input_embeddings()
        self._tokens: int = table.weight.shape[0]
        embeddings = [(n.rpartition(".")[2], m) for n, m in model.named_modules() if isinstance(m, nn.Embedding)]
        self._types = min((m.num_embeddings for n, m in embeddings if n in _TYPES), default=None)
        self._positions = min((_usable(m) for n, m in embeddings if n in _POSITIONS), default=None)
        # An encoder-decoder's head reads where the sequence ends, so that every text must have as many ends.
        self._end = tokenizer.eos_token_id if model.config.is_encoder_decoder else None
        self._end_token = tokenizer.eos_token
        self._ends: int | None = None
        self._unknown = tokenizer.unk_token
        self._special = {*tokenizer.all_special_ids, *tokenizer("")["input_ids"]}
        self._any_known = False
        if tokenizer.pad_token_id >= self._tokens:
            raise self._beyond(f"the token for padding, {tokenizer.pad_token!r},", tokenizer.pad_token_id)

    def check(self, text: _Text) -> None:
        self._any_known = self._any_known or not self._special.issuperset(text.tokens["input_ids"])
        if (token := text.highest("input_ids")) >= self._tokens:
            raise self._beyond(f"a token of {text.text!r}", token)
        if self._types is not None and (kind := text.highest("token_type_ids")) >= self._types:
            raise ModelError(
                f"{self._model}: its tokenizer gives texts the type {kind}, and the model knows {self._types} type(s), "
                "numbered from 0",
                'name the inputs in tokenizer_config.json: "model_input_names": ["input_ids", "attention_mask"]',
            )
        if self._positions is not None and len(text) > self._positions:
            raise ModelError(
                f"{self._model} has {self._positions} positions, and the text {text.text!r} has {len(text)} tokens",
                f"cut the texts: the recipes' parameter max_length={self._positions}",
            )
        if self._end is not None:
            ends = text.tokens["input_ids"].count(self._end)
            self._ends = ends if self._ends is None else self._ends
            if ends != self._ends:
                raise ModelError(
                    f"{self._model}: the text {text.text!r} has {ends} tokens for the end of a sequence "
                    f"({self._end_token}), and others have {self._ends}; the head reads the text at the last one",
                    f"take {self._end_token} out of the texts",
                )

    def check_known(self, text: _Text) -> None:
        """When all texts were checked, of which this is one: runs on tokens that say nothing would all fail."""
        if self._any_known or self._unknown is None:
            return
        raise ModelError(
            f"{self._model}: its tokenizer knows no word of any text: {text.text!r} and all others are nothing but "
            f"{self._unknown} to it",
            "is its vocabulary that of these texts, and was it saved with the model? (the lab model knows the words of "
            "its own language alone: name another by --model)",
        )

    def _beyond(self, what: str, number: int) -> ModelError:
        return ModelError(
            f"{self._model}: {what} has the number {number}, and the table of embeddings has {self._tokens:,} rows, "
            "numbered from 0",
            "give the tokenizer that belongs to the model, or save the model with a larger table: "
            "resize_token_embeddings(len(tokenizer))",
        )


def _usable(positions: nn.Embedding) -> int:
    """The longest text for which a table of positions has rows: some families begin behind the padding's."""
    unused = getattr(positions, "offset", 0 if positions.padding_idx is None else positions.padding_idx + 1)
    return int(positions.num_embeddings - unused)


def _texts(task: Task, tokenizer: Any, max_length: int, separator: str) -> Iterator[_Text]:
    for examples in (task.train, task.evaluation, task.validation):
        for start in range(0, 0 if examples is None else len(examples), CHUNK):
            assert examples is not None
            yield from _chunk(examples, slice(start, start + CHUNK), tokenizer, max_length, separator)


def _chunk(examples: Examples, part: slice, tokenizer: Any, max_length: int, separator: str) -> Iterator[_Text]:
    second: Sequence[str] | None = None if examples.second is None else examples.second[part]
    tokens = tokenise(examples.first[part], second, tokenizer, max_length, separator)
    for number, first in enumerate(examples.first[part]):
        yield _Text({name: values[number] for name, values in tokens.items()}, _beginning(first))


def _beginning(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"


def _try(name: str, model: PreTrainedModel, text: _Text) -> None:
    inputs = {key: torch.tensor([values]) for key, values in text.tokens.items()}
    try:
        with torch.no_grad():
            model.eval()(**inputs)
    except Exception as error:  # anything may go wrong in a model that was put together wrongly
        if model.config.is_encoder_decoder and model.config.decoder_start_token_id is None:
            raise ModelError(
                f"model {name!r}: its config.json has no decoder_start_token_id",
                "add the number of the token that its decoder begins with: for BART the sequence's end, for T5 padding",
            ) from error
        first_line = (str(error).strip() or "no message").splitlines()[0]
        raise ModelError(
            f"model {name!r} fails on {len(text)} tokens of {text.text!r}: {type(error).__name__}: {first_line}",
            "its configuration, weights and tokenizer must belong together",
        ) from error
