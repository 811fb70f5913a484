"""What a model cannot read is found out before any training, each with its remedy, by the check of the model."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_models import tiny_model
from tokenizers import Tokenizer, processors
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from stabbench.engine.texts import check_texts
from stabbench.errors import ModelError
from stabbench.models.pairs import pair_separator, pairs_note
from stabbench.tasks.task import Examples, Task

WORDS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "a", "b", "c"]


def tokenizer(words: int = len(WORDS), *, separates: bool = True, **options: Any) -> PreTrainedTokenizerFast:
    """Of a few words, the last ones beyond those above; the end of a sequence is its separator, as in BART."""
    names = [*WORDS, *(f"w{n}" for n in range(len(WORDS), words))]
    backend = Tokenizer(WordLevel({word: n for n, word in enumerate(names)}, unk_token="[UNK]"))
    backend.pre_tokenizer = Whitespace()
    if separates:
        backend.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="[UNK]", pad_token="[PAD]", eos_token="[SEP]", **options
    )


def task(*texts: str, second: str | None = None) -> Task:
    examples = Examples(texts, None if second is None else [second] * len(texts), [n % 2 for n in range(len(texts))])
    few = Examples(["a"], None if second is None else [second], [0])
    return Task("t", "accuracy", ("no", "yes"), few, few, "here", validation=examples)


def refusal(model: PreTrainedModel, tokenizer: Any, task: Task, max_length: int = 128) -> ModelError:
    with pytest.raises(ModelError) as caught:
        check_texts("m", model, tokenizer, task, max_length)
    assert "model 'm'" in caught.value.message
    return caught.value


@pytest.mark.parametrize("family", ["bert", "roberta", "bart", "gpt2", "xlnet", "deberta", "llama", "ernie"])
def test_a_token_beyond_the_table_is_refused(family: str) -> None:
    model = tiny_model(family)
    check_texts("m", model, tokenizer(60), task("a w39"), 128)
    error = refusal(model, tokenizer(60), task("a b", "a w40"))
    assert "a token of 'a w40' has the number 40, and the table of embeddings has 40 rows" in error.message
    assert "resize_token_embeddings" in error.hint


def test_a_tokenizer_that_knows_no_word_is_refused() -> None:
    """As one whose vocabulary was lost when it was saved: every run would be that of a constant predictor."""
    model = tiny_model("bert")
    unread = Examples(["x y", "z"], None, [0, 1])
    error = refusal(model, tokenizer(), Task("t", "accuracy", ("no", "yes"), unread, unread, "here"))
    assert "'x y' and all others are nothing but [UNK] to it" in error.message
    check_texts("m", model, tokenizer(), task("x y", "z"), 128)  # another text has a word


def test_a_token_for_padding_beyond_the_table_is_refused() -> None:
    late = tokenizer(60)
    late.pad_token = "w50"
    assert "the token for padding, 'w50', has the number 50" in refusal(tiny_model("bert"), late, task("a")).message


@pytest.mark.parametrize("family", ["roberta", "ernie"])
def test_a_type_beyond_the_table_is_refused(family: str) -> None:
    typed = tokenizer(model_input_names=["input_ids", "token_type_ids", "attention_mask"])
    model = tiny_model(family, type_vocab_size=1)
    check_texts("m", model, typed, task("a b"), 128)
    error = refusal(model, typed, task("a b", second="c"))
    assert "the type 1, and the model knows 1 type(s)" in error.message
    assert "model_input_names" in error.hint


# Of a table of 24 rows, RoBERTa's and MPNet's begin behind the padding's, BART's and OPT's have two more.
@pytest.mark.parametrize(
    ("family", "positions"),
    [("bert", 24), ("distilbert", 24), ("gpt2", 24), ("opt", 24), ("bart", 24), ("roberta", 23), ("ernie", 24)],
)
def test_a_text_beyond_the_positions_is_refused_and_may_be_cut(family: str, positions: int) -> None:
    model, long = tiny_model(family), " ".join("abc" * 20)
    check_texts("m", model, tokenizer(), task(" ".join("a" * (positions - 2))), 128)
    check_texts("m", model, tokenizer(), task(long), positions)
    error = refusal(model, tokenizer(), task("a", long))
    assert f"has {positions} positions, and the text 'a b c" in error.message
    assert f"max_length={positions}" in error.hint


@pytest.mark.parametrize("family", ["llama", "xlnet"])
def test_a_family_without_a_table_of_positions_reads_texts_of_any_length(family: str) -> None:
    check_texts("m", tiny_model(family), tokenizer(), task(" ".join("a" * 60)), 128)


@pytest.mark.parametrize("text", ["a [SEP] b", "a [SEP]"])
def test_the_end_of_a_sequence_inside_a_text_is_refused_for_an_encoder_decoder_alone(text: str) -> None:
    error = refusal(tiny_model("bart"), tokenizer(), task("a", text))
    assert f"the text {text!r} has 2 tokens for the end of a sequence ([SEP]), and others have 1" in error.message
    for family in ("bert", "llama"):
        check_texts("m", tiny_model(family), tokenizer(), task("a", text), 128)


def test_an_encoder_decoder_that_does_not_know_how_to_begin_is_refused() -> None:
    model = tiny_model("bart")
    model.config.decoder_start_token_id = None
    error = refusal(model, tokenizer(), task("a"))
    assert "config.json has no decoder_start_token_id" in error.message


def test_a_model_that_fails_in_a_way_of_its_own_is_refused_with_what_it_says() -> None:
    model = tiny_model("bert")
    model.classifier = torch.nn.Linear(3, 2)
    assert "fails on 3 tokens of 'a': RuntimeError" in refusal(model, tokenizer(), task("a")).message


@pytest.mark.parametrize("family", ["gpt2", "llama", "bloom"])
def test_a_decoders_pairs_are_separated_where_its_tokenizer_does_not(family: str) -> None:
    glued = tokenizer(separates=False)
    assert pair_separator(family, glued) == "[SEP]"
    assert "'[SEP]' is put there" in pairs_note(family, glued)
    assert pair_separator(family, tokenizer()) == pairs_note(family, tokenizer()) == ""


def test_without_a_token_for_it_a_new_line_separates() -> None:
    glued = tokenizer(separates=False)
    glued.eos_token = None
    assert pair_separator("gpt2", glued) == "\n"


def test_an_encoders_pairs_are_left_as_its_tokenizer_makes_them() -> None:
    glued = tokenizer(separates=False)
    assert pair_separator("bert", glued) == ""
    assert "are read as one" in pairs_note("bert", glued)
    assert pairs_note("bert", tokenizer()) == ""
