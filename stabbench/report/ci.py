"""A gate's result for a CI service: annotations on its cells, and a badge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from stabbench.gate.gate import GateResult
from stabbench.gate.rules import Verdict
from stabbench.report.gate import cell_reason

LABEL = "fine-tuning stability"
_COLOURS = {Verdict.PASS: "brightgreen", Verdict.FAIL: "red", Verdict.INCONCLUSIVE: "yellow"}
_LEVELS: dict[Verdict, Literal["error", "warning"]] = {
    Verdict.FAIL: "error",
    Verdict.ERROR: "error",
    Verdict.INCOMPARABLE: "error",
    Verdict.INCONCLUSIVE: "warning",
}


@dataclass(frozen=True)
class Annotation:
    """What a CI service shows beside a job.

    Attributes:
        level: How it is shown.
        title: In a few words.
        message: In a sentence.
    """

    level: Literal["error", "warning"]
    title: str
    message: str


def cell_annotations(result: GateResult) -> Iterator[Annotation]:
    """One for each cell that does not pass."""
    for cell in result.cells:
        if cell.verdict in _LEVELS:
            title = f"{LABEL}: {cell.verdict}"
            yield Annotation(_LEVELS[cell.verdict], title, f"{cell.baseline.name}: {cell_reason(cell)}")


def badge(result: GateResult) -> dict[str, str | int]:
    """What shields.io draws from a URL: the JSON of its endpoint badge, https://shields.io/badges/endpoint-badge."""
    colour = _COLOURS.get(result.verdict, "lightgrey")
    return {"schemaVersion": 1, "label": LABEL, "message": result.verdict.value, "color": colour}
