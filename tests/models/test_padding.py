"""What models are padded with and where, and that padding changes nothing."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
import torch
from tiny_models import tiny_config, tiny_model
from transformers import AutoModel

from stabbench.errors import ModelError
from stabbench.models.families import FAMILIES
from stabbench.models.loading import load_model, load_tokenizer
from stabbench.models.source import find_model

DECODERS = [family for family, known in FAMILIES.items() if known.pools_last]
TEXTS = ["a b c a", "b", "c c a b a b"]


@pytest.mark.parametrize("family", DECODERS)
def test_right_padding_gives_the_logits_of_no_padding(family: str) -> None:
    model = tiny_model(family).eval()
    ids = torch.tensor([5, 6, 7, 8])
    batch = torch.tensor([[5, 6, 7, 8, 0, 0], [9, 9, 9, 9, 9, 9]])
    with torch.no_grad():
        alone = model(input_ids=ids[None], attention_mask=torch.ones(1, 4)).logits
        padded = model(input_ids=batch, attention_mask=(batch != 0).long()).logits
    torch.testing.assert_close(padded[:1], alone)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_without_a_padding_token_the_end_of_a_sequence_pads(save_model: Any, family: str) -> None:
    encoder = AutoModel.from_config(tiny_config(family, pad_token_id=None))
    source = find_model(str(save_model(encoder, eos_token="[SEP]")))
    tokenizer = load_tokenizer(source)
    model, _ = load_model(source, 2, None)
    assert (tokenizer.pad_token, tokenizer.padding_side) == ("[SEP]", "right")
    assert model.config.pad_token_id == tokenizer.pad_token_id == tokenizer.eos_token_id
    # The embedding of the token is still the pretrained one.
    assert torch.equal(model.get_input_embeddings().weight, encoder.get_input_embeddings().weight)
    model.eval()

    def logits(texts: list[str]) -> torch.Tensor:
        tokens = tokenizer(texts, padding=True, return_tensors="pt", return_token_type_ids=False)
        with torch.no_grad():
            return model(**tokens).logits

    together = logits(TEXTS)
    torch.testing.assert_close(together, torch.cat([logits([text]) for text in TEXTS]))
    # Its own end is not told from padding: the head reads the token before.
    torch.testing.assert_close(logits([text + " [SEP]" for text in TEXTS]), together)


def test_the_tokenizers_padding_wins_over_the_configurations(save_model: Any) -> None:
    source = find_model(str(save_model(AutoModel.from_config(tiny_config("llama", pad_token_id=7)), eos_token="[SEP]")))
    assert load_model(source, 2, None)[0].config.pad_token_id == 3


def test_a_decoder_is_padded_on_the_right_whatever_its_tokenizer_says(save_model: Any, edit: Any) -> None:
    folder = save_model(AutoModel.from_config(tiny_config("gpt2")))
    edit(folder / "tokenizer_config.json", padding_side="left")
    assert load_tokenizer(find_model(str(folder)))(TEXTS, padding=True)["input_ids"][1] == [5, 0, 0, 0, 0, 0]


def test_xlnet_keeps_its_padding_on_the_left(save_model: Any, edit: Any) -> None:
    folder = save_model(AutoModel.from_config(tiny_config("xlnet")))
    edit(folder / "tokenizer_config.json", padding_side="left")
    assert load_tokenizer(find_model(str(folder)))(TEXTS, padding=True)["input_ids"][1] == [0, 0, 0, 0, 0, 5]


def test_a_tokenizer_that_cannot_pad_is_refused_with_what_to_do(save_model: Any) -> None:
    plain = save_model(AutoModel.from_config(tiny_config("gpt2", pad_token_id=None)), "plain", eos_token="[SEP]")
    folder = plain.with_name("without")
    shutil.copytree(plain, folder)
    config = (folder / "tokenizer_config.json").read_text().replace('"eos_token": "[SEP]"', '"eos_token": null')
    (folder / "tokenizer_config.json").write_text(config)
    for load in (load_tokenizer, lambda source: load_model(source, 2, None)):
        with pytest.raises(ModelError, match="no token for padding") as caught:
            load(find_model(str(folder)))
        assert "tokenizer_config.json" in caught.value.hint


def test_a_decoder_without_its_final_norm_is_refused(save_model: Any) -> None:
    model = AutoModel.from_config(tiny_config("llama"))
    del model.norm
    with pytest.raises(ModelError, match=r"lack 1 of .* model\.norm\.weight"):
        load_model(find_model(str(save_model(model))), 2, None)


def test_an_encoder_is_padded_on_the_right_whatever_its_tokenizer_says(save_model: Any) -> None:
    """Its head reads the first position."""
    source = find_model(
        str(save_model(AutoModel.from_config(tiny_config("bert")), pad_token="[PAD]", padding_side="left"))
    )
    assert load_tokenizer(source).padding_side == "right"
