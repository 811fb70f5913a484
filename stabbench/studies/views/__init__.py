"""Tables and pictures of studies: one module a kind, each with a ``table`` and a ``draw``."""

from __future__ import annotations

from collections.abc import Mapping

from stabbench.studies.result import View
from stabbench.studies.views import bias, boxes, components, crossed, evaluations, lines, losses, scatter, tries

VIEWS: Mapping[str, View] = {
    "boxes": boxes,
    "lines": lines,
    "losses": losses,
    "tries": tries,
    "scatter": scatter,
    "evaluations": evaluations,
    "crossed": crossed,
    "components": components,
    "bias": bias,
}
