"""Tokenizers in the files that the hub's pages of the families have, trained on a few sentences."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import sentencepiece
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

SENTENCES = ["the cat sat on the mat", "a dog ran to the cat", "no dog sat on a mat", "the mat is on the dog"] * 5


def wordpiece(folder: Path) -> None:
    """``vocab.txt`` alone, as the first BERTs had."""
    words = sorted({word for sentence in SENTENCES for word in sentence.split()})
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<s>", "</s>", "<pad>", "<unk>", "<mask>", *words]
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n")


def bytes_bpe(folder: Path, *special: str) -> None:
    """``vocab.json`` and ``merges.txt``."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=list(special), initial_alphabet=alphabet)
    backend.train_from_iterator(SENTENCES, trainer)
    backend.model.save(str(folder))


def tokenizer_json(folder: Path, *special: str) -> None:
    """``tokenizer.json`` alone, with a token between two texts where there is one for it."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.post_processor = processors.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    backend.train_from_iterator(
        SENTENCES, trainers.BpeTrainer(vocab_size=300, special_tokens=list(special), initial_alphabet=alphabet)
    )
    if "[SEP]" in special:
        backend.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            pair="[CLS] $A [SEP] $B [SEP]",
            special_tokens=[(token, backend.token_to_id(token)) for token in ("[CLS]", "[SEP]")],
        )
    backend.save(str(folder / "tokenizer.json"))


def sentencepiece_model(file: str, kind: str = "unigram", **special: object) -> Callable[[Path], None]:
    """A SentencePiece model under the family's name for it."""

    def write(folder: Path) -> None:
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(SENTENCES), model_writer=model, vocab_size=60, model_type=kind,
            hard_vocab_limit=False, minloglevel=2, **special,
        )  # fmt: skip
        (folder / file).write_bytes(model.getvalue())

    return write


def configured(folder: Path, **config: object) -> None:
    """The ``tokenizer_config.json`` beside it."""
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
