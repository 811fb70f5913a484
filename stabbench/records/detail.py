"""How much of what happens during a run is kept: no part of its identity, and none of its numbers depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Detail = Literal["brief", "usual", "full"]
DEFAULT_DETAIL: Detail = "usual"
#: What each level keeps (:class:`stabbench.records.history.History`), besides all that the one before keeps.
DETAILS: Mapping[Detail, str] = {
    "brief": "the loss of every step; at the probes the learning rate and every part's gradient norm; the scores",
    "usual": "at the probes every component's gradient norms and its way from the start; the final predictions",
    "full": "the predictions of every evaluation",
}
