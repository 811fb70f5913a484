"""Which model a run starts from: the lab's, a local folder, or a hub id; found and hashed without loading torch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stabbench.errors import ModelError, unknown
from stabbench.models.configuration import check_configuration
from stabbench.models.families import depth_of
from stabbench.models.files import PICKLED_WEIGHTS, WEIGHTS, files_read, read_object, shards, weight_files

# The papers' peak rate 2e-5 belongs to BERT-large, whose width is 1024; the lab model's is 32. One factor, the ratio of
# the widths, for all recipes alike (docs/lab.md).
LAB_LR_MULTIPLIER = 1024 / 32

# A tokenizer is made from one of these. Where none is there, transformers would make one up.
TOKENIZERS = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "spm.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)
# transformers reads it unasked: the model is then another one, or whatever its base is.
ADAPTER = "adapter_config.json"
_DOWNLOADED = ("*.safetensors", "*.json", "*.txt", "*.model")


@dataclass(frozen=True)
class ModelSource:
    """A model on disk.

    Attributes:
        name: As the user named it.
        folder: Where its files are.
        revision: The hub's commit, or None for a local folder.
        lr_multiplier: On every recipe's peak learning rate.
        allow_pickle: Weights may be unpickled.
    """

    name: str
    folder: Path
    revision: str | None = None
    lr_multiplier: float = 1.0
    allow_pickle: bool = False

    @property
    def family(self) -> str:
        """The ``transformers`` model type."""
        return str(self._config().get("model_type", "unknown"))

    @property
    def depth(self) -> int | None:
        """The number of blocks that own parameters; None where the family is unknown or config.json does not say."""
        return depth_of(self.family, self._config())

    def digest(self) -> str:
        """SHA-256 over the weights, the configuration and the tokenizer: every file that loading may read."""
        total = hashlib.sha256()
        for path in files_read(self.folder):
            with path.open("rb") as file:
                name = path.relative_to(self.folder).as_posix()
                total.update(f"{name}:{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        return total.hexdigest()

    def weights_bytes(self) -> int:
        """The size of the weights on disk."""
        return sum(path.stat().st_size for path in weight_files(self.folder))

    def _config(self) -> dict[str, Any]:
        return read_object(self.folder / "config.json")


def find_model(name: str, revision: str | None = None, *, allow_pickle: bool = False) -> ModelSource:
    """Find a model by the name of a preset, as a local folder, or on the hub (downloading it if need be).

    Raises:
        ModelError: Nothing of that name can be found, or what is found has no usable weights.
    """
    is_folder = _is_folder(name)
    if revision is not None and (is_folder or name == "lab"):
        raise ModelError(f"model {name!r} has no revision {revision!r}: only hub models have revisions")
    if name == "lab":
        lab = Path(__file__).parent.parent / "tasks" / "lab" / "checkpoint"
        source = ModelSource(name, lab, lr_multiplier=LAB_LR_MULTIPLIER)
    elif is_folder:
        source = ModelSource(name, Path(name).resolve(), allow_pickle=allow_pickle)
    elif name.startswith((".", "/", "~")) or "\\" in name or name.count("/") > 1:
        raise ModelError(f"model {name!r}: no such folder")
    else:
        source = _from_hub(name, revision, allow_pickle)
    _check_files(source)
    return source


def _from_hub(name: str, revision: str | None, allow_pickle: bool) -> ModelSource:
    from huggingface_hub import snapshot_download

    patterns = [*_DOWNLOADED, *(["*.bin"] if allow_pickle else [])]
    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except Exception as error:  # the client raises whatever its HTTP library does, besides its own errors
        near = unknown("model", name, MODELS) if "/" not in name else ""
        raise ModelError(
            f"model {name!r}: not a local folder, and the hub (or its cache) does not give it: {type(error).__name__}"
            + (f" ({near})" if "did you mean" in near else ""),
            "offline: download the model elsewhere and give its folder with --model, or fill the cache (HF_HOME)",
        ) from error
    # A snapshot's folder is named after its commit.
    return ModelSource(name, folder, revision=folder.name, allow_pickle=allow_pickle)


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except OSError:  # a name too long to be one
        return False


def _check_files(source: ModelSource) -> None:
    try:
        _check_parts(source)
        _check_weights(source)
    except ModelError as error:
        raise ModelError(f"model {source.name!r}: {error.message}", error.hint) from error


def _check_parts(source: ModelSource) -> None:
    if _has(source, ADAPTER):
        raise _adapter_refusal(source)
    if not _has(source, "config.json"):
        raise ModelError(f"{source.folder} has no config.json")
    check_configuration(read_object(source.folder / "config.json"), source.folder / "config.json")
    if not _has(source, *TOKENIZERS):
        raise ModelError(f"{source.folder} has no tokenizer ({', '.join(TOKENIZERS)})")
    for file in ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"):
        if _has(source, file):
            read_object(source.folder / file)


def _check_weights(source: ModelSource) -> None:
    """Find out whether there are weights that may be read, without reading them."""
    if _has(source, *WEIGHTS) and not _index_names_pickles(source):
        return
    if _has(source, *WEIGHTS, *PICKLED_WEIGHTS):
        if source.allow_pickle:
            weight_files(source.folder)
            return
        raise ModelError(
            "its weights are pickled, and unpickling runs code",
            "convert them to safetensors, or insist with --allow-pickle if you trust the files",
        )
    raise ModelError(
        f"{source.folder} has no weights ({' or '.join(WEIGHTS)})",
        "a hub model that has only pickled weights needs --allow-pickle" if source.revision else "",
    )


def _adapter_refusal(source: ModelSource) -> ModelError:
    if not _has(source, *WEIGHTS, *PICKLED_WEIGHTS):
        base = read_object(source.folder / ADAPTER).get("base_model_name_or_path")
        return ModelError(
            f"{source.folder} is an adapter" + (f" of {base!r}" if base else "") + " and no model",
            "give the model that it adapts, or merge the two: PEFT's merge_and_unload(), then save_pretrained() of the "
            "model and of its tokenizer",
        )
    return ModelError(
        f"{source.folder} has an adapter beside the model ({ADAPTER}), which transformers would load unasked",
        f"move {ADAPTER} out of the folder for the model alone, or merge the two with PEFT's merge_and_unload()",
    )


def _has(source: ModelSource, *files: str) -> bool:
    return any((source.folder / file).is_file() for file in files)


def _index_names_pickles(source: ModelSource) -> bool:
    """An index of safetensors may name any file as a shard."""
    if _has(source, WEIGHTS[0]):
        return False
    return not all(path.suffix == ".safetensors" for path in shards(source.folder / WEIGHTS[1]))


# What `stabbench list models` shows; any other hub id or local folder works as well.
MODELS = {
    "lab": "the embedded lab model: BERT, 12 layers of width 32 (default)",
    "google-bert/bert-large-uncased": "the papers' model",
    "FacebookAI/roberta-large": "RoBERTa, with the family's defaults",
    "albert/albert-large-v2": "ALBERT, with the family's defaults",
    "google/electra-large-discriminator": "ELECTRA, with the family's learning rate",
    "xlnet/xlnet-large-cased": "XLNet, with the family's learning rate; one seed at a time",
    "facebook/bart-large": "BART; one seed at a time",
    "distilbert/distilbert-base-uncased": "DistilBERT",
    "answerdotai/ModernBERT-large": "ModernBERT",
    "Qwen/Qwen3-0.6B": "a decoder; others of its kind work as well",
}
