"""What the benchmarks share."""

from __future__ import annotations

from pathlib import Path

import pytest

from stabbench.gate.baselines_file import load

BASELINES = Path(__file__).parents[1] / "baselines.json"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """No figure is claimed for a tier that was never measured."""
    measured = sum(cell.environment.get("device") == "cuda" for cell in load(BASELINES).values())
    if not measured:
        terminalreporter.write_line("GPU tier: not yet measured, none of its cells has a baseline (test_gpu.py)")
