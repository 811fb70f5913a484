"""The files of a model: every one that loading reads counts in the digest, and none lies elsewhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from safetensors.torch import load_file, save_file

from stabbench.errors import ModelError
from stabbench.models.loading import load_model
from stabbench.models.source import find_model

if TYPE_CHECKING:
    from pathlib import Path


def with_index(folder: Path, shard: str) -> Path:
    """The weights of ``folder`` moved to where an index names them; the index."""
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    target = folder / shard
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, target, metadata={"format": "pt"})
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": dict.fromkeys(weights, shard)}))
    return index


def changed(path: Path) -> None:
    """Change one weight of a file."""
    weights = load_file(path)
    weights["pooler.dense.bias"][0] += 1e-3
    save_file(weights, path, metadata={"format": "pt"})


@pytest.mark.parametrize("shard", ["model-00001-of-00001.safetensors", "part/one.safetensors", "./a/b/c.safetensors"])
def test_a_shard_counts_wherever_in_the_folder_it_is(tiny_bert: Path, shard: str) -> None:
    with_index(tiny_bert, shard)
    source = find_model(str(tiny_bert))
    load_model(source, 2, None)
    before = source.digest()
    assert source.weights_bytes() == (tiny_bert / shard).stat().st_size
    changed(tiny_bert / shard)
    assert source.digest() != before


@pytest.mark.parametrize("shard", ["../outside.safetensors", "part/../../outside.safetensors", "..\\outside", "C:\\a"])
def test_a_shard_outside_of_the_folder_is_refused(tiny_bert: Path, shard: str) -> None:
    with_index(tiny_bert, shard)
    with pytest.raises(ModelError, match="outside of the model's folder"):
        find_model(str(tiny_bert))


def test_a_shard_by_its_absolute_path_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    with_index(tiny_bert, str(tmp_path / "outside.safetensors"))
    with pytest.raises(ModelError, match="outside of the model's folder"):
        find_model(str(tiny_bert))


def test_the_shards_of_pickled_weights_are_found_as_well(tiny_bert: Path) -> None:
    index = with_index(tiny_bert, "../outside.bin")
    index.rename(tiny_bert / "pytorch_model.bin.index.json")
    with pytest.raises(ModelError, match="outside of the model's folder"):
        find_model(str(tiny_bert), allow_pickle=True)


def test_a_link_counts_by_what_it_leads_to(tiny_bert: Path, tmp_path: Path) -> None:
    """A hub's cache is made of links."""
    plain = find_model(str(tiny_bert)).digest()
    blob = (tiny_bert / "model.safetensors").rename(tmp_path / "blob")
    (tiny_bert / "model.safetensors").symlink_to(blob)
    source = find_model(str(tiny_bert))
    assert source.digest() == plain
    changed(blob)
    assert source.digest() != plain


def test_an_index_that_is_not_read_names_nothing(tiny_bert: Path) -> None:
    (tiny_bert / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../elsewhere"}}))
    load_model(find_model(str(tiny_bert)), 2, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "holds no object"),
        ("{", "cannot be read"),
        ("{}", "is no index"),
        ('{"weight_map": []}', "is no index"),
        ('{"weight_map": {"a": 3}}', "is no index"),
        ('{"weight_map": {"a": "none.safetensors"}}', "there is no such file"),
        ('{"weight_map": {"a": "."}}', "there is no such file"),
        ("[" * 10_000 + "]" * 10_000, "nested"),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, "nested"),
    ],
)
def test_an_index_that_is_none_is_refused(tiny_bert: Path, content: str, message: str) -> None:
    with_index(tiny_bert, "shard.safetensors").write_text(content)
    with pytest.raises(ModelError, match=message):
        find_model(str(tiny_bert))


def test_an_adapter_beside_a_model_is_refused_as_transformers_would_load_it(tiny_bert: Path) -> None:
    (tiny_bert / "adapter_config.json").write_text('{"base_model_name_or_path": "org/base"}')
    with pytest.raises(ModelError, match="has an adapter beside the model") as caught:
        find_model(str(tiny_bert))
    assert "merge_and_unload" in caught.value.hint


def test_an_adapter_alone_is_refused_with_the_model_that_it_adapts(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "org/base"}')
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="is an adapter of 'org/base' and no model") as caught:
        find_model(str(tmp_path))
    assert "merge_and_unload" in caught.value.hint


JSON = ["config.json", "tokenizer_config.json", "tokenizer.json", "special_tokens_map.json", "added_tokens.json"]
NO_OBJECT = {
    "empty": "", "torn": '{"a": ', "list": "[]", "text": '"bert"', "number": "3", "null": "null",
    "deep": '{"a":' * 10_000 + "1" + "}" * 10_000, "deep enough": '{"a":' * 200 + "1" + "}" * 200,
    "digits": '{"a": ' + "9" * 5000 + "}",
}  # fmt: skip


@pytest.mark.parametrize("content", NO_OBJECT.values(), ids=NO_OBJECT)
@pytest.mark.parametrize("file", JSON)
def test_json_that_is_no_object_or_too_deep_is_refused(tiny_bert: Path, file: str, content: str) -> None:
    from stabbench.models.loading import load_tokenizer

    (tiny_bert / file).write_text(content)
    with pytest.raises(ModelError, match=r"json|tokenizer"):
        load_tokenizer(find_model(str(tiny_bert)))


@pytest.mark.parametrize("file", ["spm.model", "sentencepiece.bpe.model", "part/adapter.txt"])
def test_every_tokenizers_file_counts_and_no_other(tiny_bert: Path, file: str, request: Any) -> None:
    before = find_model(str(tiny_bert)).digest()
    (tiny_bert / file).parent.mkdir(exist_ok=True)
    (tiny_bert / file).write_text("a")
    assert (find_model(str(tiny_bert)).digest() == before) == file.startswith("part/")
