"""Perplexity of masked words, against `transformers` alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification, AutoTokenizer

from stabbench.engine.engine import Engine
from stabbench.engine.job import Job, Perplexities, PerplexityPart
from stabbench.engine.perplexity import SHARE, masked
from stabbench.errors import ModelError, StoreError
from stabbench.models.source import find_model
from stabbench.recipes import parse_recipe
from stabbench.records.seeds import Seeds
from stabbench.runner.plan import Plan
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources
from stabbench.tasks.lab.tasks import held_out_sentences

LAB = find_model("lab")
TEXTS = tuple(held_out_sentences(60))
DEPTH = 12


def of(weights: Path, model: str = "lab") -> Perplexities:
    plan = Plan([parse_recipe("devlin")], "lab/entailment:examples=64", model, [Seeds.of(0)])
    resolved = resolve(plan, Resources(device="cpu"))
    cell = resolved.cells[0]
    job = Job(
        cell.recipe, cell.label, cell.source, resolved.model, tuple(cell.seeds), True, "cpu", None, cell.fingerprint
    )
    return Engine().perplexities(PerplexityPart(job, weights, TEXTS), lambda _: None)


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier as if trained: the lab's encoder, each of its weights a little moved."""
    generator = torch.Generator().manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(LAB.folder, num_labels=2)
    path = tmp_path_factory.mktemp("weights") / "moved.safetensors"
    save_file(
        {n: p.detach() + 0.05 * torch.randn(p.shape, generator=generator) for n, p in model.named_parameters()}, path
    )
    return path


def reference(weights: dict[str, torch.Tensor]) -> float:
    """One text after another, each word on its own."""
    model = AutoModelForMaskedLM.from_pretrained(LAB.folder).eval()
    model.load_state_dict(weights, strict=False)
    model.tie_weights()
    losses = []
    for tokens, words in masked(TEXTS, AutoTokenizer.from_pretrained(LAB.folder), 128):
        for row in range(len(words)):
            real = tokens["attention_mask"][row].bool()
            with torch.no_grad():
                shares = model(input_ids=tokens["input_ids"][row][real][None]).logits[0].log_softmax(-1)
            asked = words[row][real]
            losses += [-float(shares[place, word]) for place, word in enumerate(asked.tolist()) if word != -100]
    return float(torch.tensor(losses, dtype=torch.float64).mean().exp())


def test_with_nothing_put_back_it_is_that_of_the_trained_encoder(moved: Path) -> None:
    found = of(moved)
    trained = {name: values for name, values in load_file(moved).items() if name.startswith("bert.")}
    trained = {name: values for name, values in trained.items() if "pooler" not in name}
    assert len(found.put_back) == DEPTH + 1
    assert found.put_back[0] == pytest.approx(reference(trained), rel=1e-4)
    assert found.pretrained == pytest.approx(reference({}), rel=1e-4)
    embeddings = {name: values for name, values in trained.items() if "embeddings" in name}
    assert found.put_back[-1] == pytest.approx(reference(embeddings), rel=1e-4)
    blocks = {name: values for name, values in trained.items() if ".layer.11." not in name and ".layer.10." not in name}
    assert found.put_back[2] == pytest.approx(reference(blocks), rel=1e-4)


def test_an_encoder_that_was_not_trained_is_the_pretrained_one(tmp_path: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(LAB.folder, num_labels=2)
    save_file({name: values.detach().clone() for name, values in model.named_parameters()}, tmp_path / "w.safetensors")
    found = of(tmp_path / "w.safetensors")
    assert set(found.put_back) == {found.pretrained}


def test_words_are_masked_and_nothing_else() -> None:
    tokenizer = AutoTokenizer.from_pretrained(LAB.folder)
    texts = ["cats see dogs", "birds"] * 200
    found = masked(texts, tokenizer, 128)
    share, total = 0, 0
    for tokens, words in found:
        chosen = words != -100
        assert (tokens["input_ids"][chosen] == tokenizer.mask_token_id).all()
        assert chosen.any(1).all()
        special = (
            (words == tokenizer.cls_token_id) | (words == tokenizer.sep_token_id) | (words == tokenizer.pad_token_id)
        )
        assert not special.any()
        share, total = share + int(chosen.sum()), total + int(tokens["attention_mask"].sum()) - 2 * len(words)
    # Three words or one a text, of which at least one is asked for.
    assert SHARE < share / total < 0.65
    again = masked(texts, tokenizer, 128)
    assert all(torch.equal(one[1], other[1]) for one, other in zip(found, again, strict=True))


def test_a_checkpoint_without_the_head_and_weights_that_are_none_are_refused(moved: Path, tmp_path: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(LAB.folder, num_labels=2)
    folder = tmp_path / "classifier"
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(LAB.folder).save_pretrained(folder)
    with pytest.raises(ModelError, match="has no masked-language-model head"):
        of(moved, str(folder))
    save_file({"classifier.weight": torch.zeros(2, 3)}, tmp_path / "other.safetensors")
    with pytest.raises(StoreError, match="are of another model"):
        of(tmp_path / "other.safetensors")
    with pytest.raises(StoreError, match="cannot be read"):
        of(tmp_path / "none.safetensors")
