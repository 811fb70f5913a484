"""Reads the weights that a run has kept."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from stabbench.errors import StoreError


def read_weights(path: Path, device: str) -> dict[str, Tensor]:
    """Every parameter by name.

    Raises:
        StoreError: They cannot be read.
    """
    try:
        return load_file(path, device=device)
    except (OSError, SafetensorError) as error:
        raise StoreError(f"the weights {path} cannot be read: {error}", "--keep-weights makes them again") from error


def of_another_model(path: Path) -> StoreError:
    """The error where they do not fit."""
    return StoreError(f"the weights {path} are of another model", "remove them: --keep-weights makes them again")
