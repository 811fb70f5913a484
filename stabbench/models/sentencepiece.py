"""Tokenizers that exist as a SentencePiece model only, which transformers reads with two more packages."""

from __future__ import annotations

from importlib.util import find_spec

from stabbench.errors import ModelError
from stabbench.models.source import TOKENIZERS, ModelSource

# Each with the module that shows that it is installed. They are the extra "sentencepiece" of stabbench.
_PACKAGES = {"sentencepiece": "sentencepiece", "protobuf": "google.protobuf"}


def check_sentencepiece(source: ModelSource) -> None:
    """Find out whether the model's tokenizer can be read with what is installed.

    Raises:
        ModelError: It is a SentencePiece model, as those of DeBERTa-v2 and v3 on the hub, and a package is missing.
    """
    files = [file for file in TOKENIZERS if (source.folder / file).is_file()]
    if not all(file.endswith(".model") for file in files):
        return
    missing = [package for package, module in _PACKAGES.items() if not _is_installed(module)]
    if missing:
        raise ModelError(
            f"model {source.name!r}: its tokenizer is a SentencePiece model ({files[0]}), and "
            f"{' and '.join(missing)} {'are' if missing[1:] else 'is'} not installed",
            f"pip install {' '.join(_PACKAGES)} (stabbench's extra sentencepiece has both)",
        )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package around it
        return False
