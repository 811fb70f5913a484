"""Tables and pictures of studies: one module a kind, or two kinds that are alike, each with ``table`` and ``draw``."""

from __future__ import annotations

from collections.abc import Mapping

from stabbench.studies.result import View
from stabbench.studies.views import (
    bias,
    boxes,
    components,
    crossed,
    distances,
    evaluations,
    lines,
    losses,
    norms,
    outcomes,
    perplexity,
    scatter,
    surface,
    tries,
    updates,
)

VIEWS: Mapping[str, View] = {
    "boxes": boxes,
    "lines": lines,
    "losses": losses,
    "tries": tries,
    "scatter": scatter,
    "evaluations": evaluations,
    "crossed": crossed,
    "components": components,
    "bias": bias.RATIO,
    "correction": bias.FACTOR,
    "outcomes": outcomes,
    "norms": norms,
    "distances": distances,
    "updates": updates.RMS,
    "perplexity": perplexity,
    "surface": surface.LOSS,
    "gradient-surface": surface.NORM,
    "turns": updates.COSINE,
}
