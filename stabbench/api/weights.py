"""The kept weights of a run."""

from __future__ import annotations

from pathlib import Path

from stabbench.records import weights
from stabbench.records.store import Store
from stabbench.runner.resources import DEFAULT_STORE


def kept_weights(run_id: str, *, store: str | Path = DEFAULT_STORE) -> Path:
    """The safetensors file of a run's weights as its training ended, each parameter by its name in the model.

    With ``keep="best"`` the score of a run may be that of an earlier evaluation; the weights are those of the end.

    Args:
        run_id: The run's id, or its beginning.
        store: The folder of the run store.

    Raises:
        StoreError: There is no such run, or its weights were not kept or are gone.
    """
    with Store(Path(store), write=False) as opened:
        return weights.kept_weights(Path(store), opened.find(run_id))
