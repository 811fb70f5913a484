"""Which model a run starts from: the lab's, a local folder, or a hub id; found and hashed without loading torch."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from stabbench.errors import ModelError, unknown

# The papers' peak rate 2e-5 belongs to BERT-large, hidden size 1024. The lab model's is 32; 16 times the papers' rate
# is what its documentation (docs/lab.md) measures. One factor, for all recipes alike.
LAB_LR_MULTIPLIER = 16.0

WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
PICKLED_WEIGHTS = ("pytorch_model.bin", "pytorch_model.bin.index.json")
_HASHED = ("*.safetensors", "*.bin", "config.json", "tokenizer*", "vocab*", "merges.txt", "*.model", "*.index.json")
# Beside what is hashed, what a hub download needs.
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

    def digest(self) -> str:
        """SHA-256 over the weights, the configuration and the tokenizer."""
        total = hashlib.sha256()
        for path in sorted({path for pattern in _HASHED for path in self.folder.glob(pattern) if path.is_file()}):
            with path.open("rb") as file:
                total.update(f"{path.name}:{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        return total.hexdigest()

    def weights_bytes(self) -> int:
        """The size of the weights on disk."""
        weights = [*self.folder.glob("*.safetensors")] or [*self.folder.glob("*.bin")]
        return sum(path.stat().st_size for path in weights)

    def _config(self) -> dict[str, object]:
        try:
            config = json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(f"model {self.name!r}: {self.folder / 'config.json'} cannot be read: {error}") from error
        if not isinstance(config, dict):
            raise ModelError(f"model {self.name!r}: {self.folder / 'config.json'} holds no configuration")
        return config


def find_model(name: str, revision: str | None = None, *, allow_pickle: bool = False) -> ModelSource:
    """Find a model by the name of a preset, as a local folder, or on the hub (downloading it if need be).

    Raises:
        ModelError: Nothing of that name can be found, or what is found has no usable weights.
    """
    if name == "lab":
        lab = Path(__file__).parent.parent / "lab" / "checkpoint"
        source = ModelSource(name, lab, lr_multiplier=LAB_LR_MULTIPLIER)
    elif Path(name).is_dir():
        source = ModelSource(name, Path(name).resolve(), allow_pickle=allow_pickle)
    elif name.startswith((".", "/", "~")) or "\\" in name or name.count("/") > 1:
        raise ModelError(f"model {name!r}: no such folder")
    else:
        source = _from_hub(name, revision, allow_pickle)
    _check_weights(source)
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


def _check_weights(source: ModelSource) -> None:
    if not (source.folder / "config.json").is_file():
        raise ModelError(f"model {source.name!r}: {source.folder} has no config.json")
    if any((source.folder / file).is_file() for file in WEIGHTS):
        return
    if any((source.folder / file).is_file() for file in PICKLED_WEIGHTS):
        if source.allow_pickle:
            return
        raise ModelError(
            f"model {source.name!r}: its weights are pickled (pytorch_model.bin), and unpickling runs code",
            "convert them to safetensors, or insist with --allow-pickle if you trust the file",
        )
    raise ModelError(f"model {source.name!r}: {source.folder} has no weights ({' or '.join(WEIGHTS)})")


# What `stabbench list models` shows; any other hub id or local folder works as well.
MODELS = {
    "lab": "the embedded lab model: BERT, 12 layers of width 32 (default)",
    "google-bert/bert-large-uncased": "the papers' model",
    "FacebookAI/roberta-large": "RoBERTa, with the family's defaults",
    "albert/albert-large-v2": "ALBERT, with the family's defaults",
    "google/electra-large-discriminator": "ELECTRA",
    "distilbert/distilbert-base-uncased": "DistilBERT",
}
