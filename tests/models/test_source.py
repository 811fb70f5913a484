"""Finding a model: the lab's, a folder on disk, and everything that is no model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from stabbench.errors import ModelError
from stabbench.models.source import find_model

if TYPE_CHECKING:
    from pathlib import Path


def refusal(name: object, **options: bool) -> ModelError:
    with pytest.raises(ModelError) as caught:
        find_model(str(name), **options)
    return caught.value


@pytest.fixture
def pickled(tiny_bert: Path) -> Path:
    """The tiny model with its weights pickled only."""
    torch.save(load_file(tiny_bert / "model.safetensors"), tiny_bert / "pytorch_model.bin")
    (tiny_bert / "model.safetensors").unlink()
    return tiny_bert


def test_the_lab_model_is_found_with_its_learning_rate_multiplier() -> None:
    source = find_model("lab")
    assert (source.name, source.family, source.revision, source.depth) == ("lab", "bert", None, 12)
    assert source.lr_multiplier > 1
    assert source.weights_bytes() > 0
    assert source.digest() == find_model("lab").digest()


def test_a_folder_is_found_by_its_path(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = find_model(str(tiny_bert))
    assert (source.folder, source.family, source.revision, source.lr_multiplier) == (tiny_bert, "bert", None, 1.0)
    assert source.weights_bytes() == (tiny_bert / "model.safetensors").stat().st_size
    monkeypatch.chdir(tiny_bert.parent)
    for relative in (tiny_bert.name, f"./{tiny_bert.name}"):
        assert find_model(relative).folder == tiny_bert


@pytest.mark.parametrize("name", ["./none", "/none/such", "~/none", "a/b/c", "models\\none"])
def test_a_path_that_is_no_folder_is_refused_without_asking_the_hub(name: str) -> None:
    assert "no such folder" in str(refusal(name))


def test_a_name_that_no_folder_can_have_is_refused() -> None:
    refusal("long" * 100)


def test_a_folder_without_a_configuration_is_refused(tiny_bert: Path) -> None:
    (tiny_bert / "config.json").unlink()
    assert f"{tiny_bert} has no config.json" in str(refusal(tiny_bert))


@pytest.mark.parametrize("content", ["", "{", "[]", '"bert"'])
def test_a_damaged_configuration_has_no_family(tiny_bert: Path, content: str) -> None:
    (tiny_bert / "config.json").write_text(content)
    with pytest.raises(ModelError, match=r"config\.json"):
        _ = find_model(str(tiny_bert)).family


def test_a_folder_without_weights_is_refused(tiny_bert: Path) -> None:
    (tiny_bert / "model.safetensors").unlink()
    assert f"{tiny_bert} has no weights (model.safetensors or" in str(refusal(tiny_bert))


def test_pickled_weights_are_refused_with_the_option_that_allows_them(pickled: Path) -> None:
    error = refusal(pickled)
    assert "unpickling runs code" in error.message
    assert "--allow-pickle" in error.hint


def test_pickled_weights_are_accepted_when_allowed(pickled: Path) -> None:
    source = find_model(str(pickled), allow_pickle=True)
    assert source.allow_pickle
    assert source.weights_bytes() == (pickled / "pytorch_model.bin").stat().st_size


def test_the_digest_changes_with_a_single_weight(tiny_bert: Path) -> None:
    before = find_model(str(tiny_bert)).digest()
    weights = load_file(tiny_bert / "model.safetensors")
    weights["pooler.dense.bias"][0] += 1e-3
    save_file(weights, tiny_bert / "model.safetensors", metadata={"format": "pt"})
    assert find_model(str(tiny_bert)).digest() != before


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "tokenizer_config.json"])
def test_the_digest_changes_with_the_configuration_and_the_tokenizer(tiny_bert: Path, file: str) -> None:
    before = find_model(str(tiny_bert)).digest()
    (tiny_bert / file).write_text((tiny_bert / file).read_text() + "\n")
    assert find_model(str(tiny_bert)).digest() != before


@pytest.mark.parametrize(
    "file", ["vocab.txt", "merges.txt", "spiece.model", "added_tokens.json", "special_tokens_map.json"]
)
def test_the_digest_changes_with_every_file_that_a_tokenizer_may_have(tiny_bert: Path, file: str) -> None:
    before = find_model(str(tiny_bert)).digest()
    (tiny_bert / file).write_text("{}")
    assert find_model(str(tiny_bert)).digest() != before


def test_the_digest_does_not_change_with_the_folder_or_other_files(tiny_bert: Path) -> None:
    before = find_model(str(tiny_bert)).digest()
    (tiny_bert / "README.md").write_text("about")
    moved = tiny_bert.rename(tiny_bert.parent / "moved")
    assert find_model(str(moved)).digest() == before


def test_an_unknown_model_offline_is_refused_with_what_was_tried(run_python: Any) -> None:
    script = "from stabbench.models.source import find_model; find_model('org/none')"
    done = run_python(script, HF_HUB_OFFLINE="1")
    for part in ("ModelError", "'org/none'", "not a local folder", "offline:", "--model", "HF_HOME"):
        assert part in done.stderr
