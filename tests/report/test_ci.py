"""Annotations and badges of a gate, of cells that anybody may have named."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report.test_gate import CELLS, gated

from stabbench.escape import workflow_command
from stabbench.gate.gate import CellResult, GateResult
from stabbench.gate.rules import Rules, Verdict
from stabbench.report.ci import badge, cell_annotations

CELL = next(iter(CELLS.values()))


@pytest.mark.parametrize(
    ("verdict", "level", "colour"),
    [
        (Verdict.PASS, None, "brightgreen"),
        (Verdict.FAIL, "error", "red"),
        (Verdict.INCONCLUSIVE, "warning", "yellow"),
        (Verdict.ERROR, "error", "lightgrey"),
        (Verdict.INCOMPARABLE, "error", "lightgrey"),
    ],
)
def test_a_cell_is_annotated_unless_it_passes(verdict: Verdict, level: str | None, colour: str) -> None:
    (judged,) = gated([CELL], 20, 0.3).cells
    result = GateResult([dataclasses.replace(judged, verdict=verdict)], Rules())
    assert [found.level for found in cell_annotations(result)] == ([] if level is None else [level])
    assert badge(result) == {
        "schemaVersion": 1,
        "label": "fine-tuning stability",
        "message": verdict.value,
        "color": colour,
    }


def test_every_cell_has_its_own_and_the_badge_the_worst() -> None:
    cells = [
        CellResult(dataclasses.replace(CELL, recipe=recipe), verdict, error=f"of {recipe}")
        for recipe, verdict in (("a", Verdict.PASS), ("b", Verdict.ERROR), ("c", Verdict.FAIL))
    ]
    result = GateResult(cells, Rules())
    where = f"on {CELL.task}, {CELL.model}"
    assert [found.message for found in cell_annotations(result)] == [f"b {where}: of b", f"c {where}: of c"]
    assert badge(result)["message"] == "FAIL"


@given(title=st.text(), message=st.text())
def test_a_command_is_one_line_and_has_what_it_was_given(title: str, message: str) -> None:
    """GitHub reads ``::level title=…::…`` and turns back %25, %3A and %2C."""
    line = workflow_command("error", title, message)
    assert len(line.splitlines()) == 1
    head, _, said = line.removeprefix("::error title=").partition("::")
    assert ":" not in head
    assert "," not in head
    assert "%" not in said.replace("%25", "")
    assert "%" not in head.replace("%25", "").replace("%3A", "").replace("%2C", "")
    assert not any(ord(character) < 0x20 for character in line.replace("\t", ""))
