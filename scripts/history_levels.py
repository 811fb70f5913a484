"""How often `stabbench history` marks a step where nothing changed, over simulated files of gates.

    python scripts/history_levels.py --files 2000

Every file has gates of one cell or of several, whose runs come from one distribution; a file with any step is a false
alarm.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from stabbench.gate.history import SCHEMA, PastCell, PastGate, find_changes
from stabbench.report.table import Table
from stabbench.statistics import wilson

ALPHA = 0.05
CONSTANT = 0.5
KINDS: dict[str, Callable[[Generator, int], np.ndarray]] = {
    "normal": lambda draws, n: draws.normal(0.78, 0.01, n),
    "1 in 10 collapses": lambda draws, n: np.where(draws.random(n) < 0.1, 0.49, draws.normal(0.78, 0.01, n)),
    "half collapse": lambda draws, n: np.where(draws.random(n) < 0.5, 0.49, draws.normal(0.78, 0.01, n)),
    "few levels": lambda draws, n: np.round(draws.normal(0.78, 0.02, n) * 40) / 40,
}
#: Gates, cells, and the runs of each gate, in turn.
DESIGNS = ((5, 1, (20,)), (20, 1, (20,)), (20, 1, (5, 50)), (20, 8, (20,)), (3, 1, (3,)))


def has_step(draws: Generator, kind: str, gates: int, cells: int, runs: tuple[int, ...]) -> bool:
    """Whether a flat file has a step."""
    file = []
    for gate in range(gates):
        found = []
        for cell in range(cells):
            scores = KINDS[kind](draws, runs[gate % len(runs)]).tolist()
            failed = [score <= CONSTANT for score in scores]
            found.append(PastCell(f"recipe {cell}", "task", "model", "PASS", scores, failed, f"{gate}"))
        file.append(PastGate(SCHEMA, "2026-01-01", "", "", False, "PASS", found))
    return bool(find_changes(file, ALPHA))


def main() -> None:
    """Print one row a design and kind of scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=500)
    files = parser.parse_args().files
    rows = []
    for gates, cells, runs in DESIGNS:
        for kind in KINDS:
            draws = np.random.default_rng(0)
            alarms = sum(has_step(draws, kind, gates, cells, runs) for _ in range(files))
            low, high = wilson(alarms, files) or (0.0, 1.0)
            rows.append(
                [
                    str(gates),
                    str(cells),
                    "/".join(map(str, runs)),
                    kind,
                    f"{alarms / files:.3f}",
                    f"{low:.3f} to {high:.3f}",
                ]
            )
    print(
        Table(
            ["gates", "cells", "runs", "scores", "alarms", "95%"], rows, [f"alpha {ALPHA:g}, {files} files a row"]
        ).text()
    )


if __name__ == "__main__":
    main()
