"""Every family with the tokenizer's files that its hub page has: it loads, and reads pairs of texts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import hub_files
import pytest
import torch
from tiny_models import tiny_model

from stabbench.engine.texts import check_texts
from stabbench.models.loading import load_model, load_tokenizer
from stabbench.models.pairs import pair_separator
from stabbench.models.source import find_model
from stabbench.tasks.task import Examples, Task

ROBERTA = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
END = "<|endoftext|>"
DEBERTA_V3 = hub_files.sentencepiece_model(
    "spm.model", pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]",
    unk_piece="[UNK]",
)  # fmt: skip
SPIECE = hub_files.sentencepiece_model(
    "spiece.model", unk_id=0, bos_id=1, eos_id=2, pad_id=3,
    user_defined_symbols=["[CLS]", "[SEP]", "[MASK]", "<cls>", "<sep>", "<mask>"],
)  # fmt: skip

Files = tuple[str, Callable[[Path], None], dict[str, Any]]
# Family, what its page has, and the tokenizer_config.json there.
PAGES: list[Files] = [
    ("bert", hub_files.wordpiece, {"do_lower_case": True, "model_max_length": 512}),
    ("electra", hub_files.wordpiece, {"do_lower_case": True, "model_max_length": 512}),
    ("distilbert", hub_files.wordpiece, {"do_lower_case": True, "model_max_length": 512}),
    ("mpnet", hub_files.wordpiece, {"do_lower_case": True, "model_max_length": 512}),
    ("roberta", lambda folder: hub_files.bytes_bpe(folder, *ROBERTA), {"model_max_length": 512}),
    ("bart", lambda folder: hub_files.bytes_bpe(folder, *ROBERTA), {"model_max_length": 1024}),
    ("deberta", partial(hub_files.bytes_bpe), {"do_lower_case": False, "vocab_type": "gpt2"}),
    ("deberta-v2", DEBERTA_V3, {"do_lower_case": False, "vocab_type": "spm"}),
    ("albert", SPIECE, {"model_max_length": 512}),
    ("xlnet", SPIECE, {}),
    ("xlm-roberta", hub_files.sentencepiece_model("sentencepiece.bpe.model"), {"model_max_length": 512}),
    ("camembert", hub_files.sentencepiece_model("sentencepiece.bpe.model"), {"model_max_length": 512}),
    ("gpt2", lambda folder: hub_files.bytes_bpe(folder, END), {"model_max_length": 1024}),
    ("opt", lambda folder: hub_files.bytes_bpe(folder, *ROBERTA),
     {"errors": "replace", "bos_token": "</s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "</s>",
      "tokenizer_class": "GPT2Tokenizer", "add_bos_token": True}),
    ("qwen3", lambda folder: hub_files.bytes_bpe(folder, END),
     {"tokenizer_class": "Qwen2Tokenizer", "eos_token": END, "pad_token": END, "model_max_length": 131072}),
    ("modernbert", lambda folder: hub_files.tokenizer_json(folder, "[PAD]", "[CLS]", "[SEP]"),
     {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]",
      "model_input_names": ["input_ids", "attention_mask"]}),
    ("llama", lambda folder: hub_files.tokenizer_json(folder, END),
     {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END, "bos_token": END}),
    ("gpt_neox", lambda folder: hub_files.tokenizer_json(folder, END),
     {"tokenizer_class": "GPTNeoXTokenizer", "eos_token": END, "bos_token": END, "unk_token": END}),
]  # fmt: skip


@pytest.mark.parametrize(("family", "write", "config"), PAGES, ids=[page[0] for page in PAGES])
def test_a_family_reads_pairs_with_the_files_of_its_page(
    tmp_path: Path, family: str, write: Callable[[Path], None], config: dict[str, Any]
) -> None:
    positions = {"gpt2": "n_positions", "xlnet": "clamp_len"}.get(family, "max_position_embeddings")
    model = tiny_model(family, vocab_size=400, **{positions: 64})
    model.save_pretrained(tmp_path)
    write(tmp_path)
    hub_files.configured(tmp_path, **config)
    source = find_model(str(tmp_path))
    loaded, _ = load_model(source, 2, None)
    tokenizer = load_tokenizer(source)
    texts = hub_files.SENTENCES[:4]
    examples = Examples(texts, texts[::-1], [0, 1, 0, 1])
    task = Task("pairs", "accuracy", ("no", "yes"), examples, examples, "here")
    separator = pair_separator(family, tokenizer)
    check_texts(source.name, loaded, tokenizer, task, 64, separator)
    tokens = tokenizer([texts[0]], [separator + texts[1]])["input_ids"][0]
    alone = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts[:2]]
    assert len(tokens) > len(alone[0]) + len(alone[1]), "nothing stands between the two"
    assert tokenizer.unk_token_id is None or tokens.count(tokenizer.unk_token_id) < len(tokens) / 2
    assert torch.isfinite(loaded(**tokenizer(texts, padding=True, return_tensors="pt")).logits).all()
