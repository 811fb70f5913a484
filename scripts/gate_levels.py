"""The tables of docs/gate.md on made-up runs: false alarms by the numbers of runs, and what is found.

    python scripts/gate_levels.py

Trains nothing. Runs that succeed score N(.78, .012), runs that collapse .527. With a seed the tables are the same
again; on one idle core they take about six minutes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import click
import numpy as np
from scipy import stats
from tabulate import tabulate

from stabbench.gate.checks import measure
from stabbench.gate.judge import Pair, judge
from stabbench.gate.looks import FIXED
from stabbench.gate.rules import Rules, Verdict
from stabbench.statistics import Sample, clopper_pearson, detectable_spread

SIZES = (3, 5, 10, 20, 50)
MEAN, STD, COLLAPSED = 0.78, 0.012, 0.527
Draw = Callable[[np.random.Generator, int], Sample]


def runs(mean: float = MEAN, std: float = STD, collapsing: float = 0.0) -> Draw:
    """Normal scores, a share of which collapse."""

    def draw(generator: np.random.Generator, n: int) -> Sample:
        failed = (generator.random(n) < collapsing).tolist()
        scores = generator.normal(mean, std, n).tolist()
        return Sample([COLLAPSED if f else s for s, f in zip(scores, failed, strict=True)], failed)

    return draw


def skewed(generator: np.random.Generator, n: int) -> Sample:
    """Scores with a long tail downwards, and no failed runs."""
    return Sample((MEAN - STD * generator.lognormal(size=n)).tolist(), [False] * n)


SAME: dict[str, Draw] = {
    "no run fails": runs(),
    "scores skewed, no run fails": skewed,
    "one run in ten collapses": runs(collapsing=0.1),
    "one run in five collapses": runs(collapsing=0.2),
}
WORSE: dict[str, tuple[Draw, Draw]] = {
    "mean lower by .02": (runs(MEAN - 0.02), runs()),
    "mean lower by .03": (runs(MEAN - 0.03), runs()),
    "mean lower by .03, one run in twenty collapses": (runs(MEAN - 0.03, collapsing=0.05), runs(collapsing=0.05)),
    "standard deviation 2 times": (runs(std=2 * STD), runs()),
    "failed runs from 0 to .3": (runs(collapsing=0.3), runs()),
}
# Candidates and baselines for which the detectable spread is checked.
SPREADS = ((5, 50), (10, 50), (20, 50), (50, 50), (20, 20), (50, 20), (50, 10))
LEVEL = 0.05 / 3


@click.command(help=__doc__)
@click.option("--trials", default=500, show_default=True)
@click.option("--seed", default=0, show_default=True, help="Of the draws.")
def main(trials: int, seed: int) -> None:  # noqa: D103  # click shows the module's
    generator = np.random.default_rng(seed)
    most = max(k for k in range(trials) if clopper_pearson(k, trials, 0.01)[0] <= Rules().alpha)
    click.echo(f"FAIL, the same on both sides ({trials} draws a cell, seed {seed}; ! above {most / trials:.3f})\n")
    for what, draw in SAME.items():
        rows = []
        for n in SIZES:
            alarms = [_failed(generator, draw, draw, n, m, trials) for m in SIZES]
            rows.append([f"{n}", *(f"{k / trials:.3f}{' !' if k > most else ''}" for k in alarms)])
        _print([f"{what}: candidate", *(f"baseline {m}" for m in SIZES)], rows)
    rows = [
        [what, *(f"{_failed(generator, *draws, n, 50, trials) / trials:.3f}" for n in (10, 20))]
        for what, draws in WORSE.items()
    ]
    _print(["FAIL, what is worse, against 50", "candidate 10", "candidate 20"], rows)
    rows = [_spread_found(generator, n, m, trials) for n, m in SPREADS]
    _print(["candidate", "baseline", "smallest detectable spread", "detected"], rows)


def _print(columns: list[str], rows: list[list[str]]) -> None:
    click.echo(tabulate(rows, columns, tablefmt="github", disable_numparse=True) + "\n")


def _failed(generator: np.random.Generator, candidate: Draw, baseline: Draw, n: int, m: int, trials: int) -> int:
    """In how many trials a gate of this one cell says FAIL."""
    pairs = (Pair(candidate(generator, n), baseline(generator, m)) for _ in range(trials))
    return sum(judge({"cell": pair}, Rules())["cell"].verdict is Verdict.FAIL for pair in pairs)


def _spread_found(generator: np.random.Generator, n: int, m: int, trials: int) -> list[str]:
    """The ratio that is announced for normal scores, and how often the gate's check finds it."""
    z = stats.norm.ppf((np.arange(m) + 0.5) / m)
    ratio = detectable_spread(n, stats.zscore(z, ddof=1).tolist(), LEVEL)
    if ratio is None:
        return [f"{n}", f"{m}", "none", "-"]
    draws = ((runs(std=ratio * STD)(generator, n), runs()(generator, m)) for _ in range(trials))
    p_values = [measure(x, y, Rules(), FIXED)[1].test.p_worse for x, y in draws]
    found = sum(p is not None and p <= LEVEL for p in p_values)
    return [f"{n}", f"{m}", f"{ratio:.2f} times", f"{found / trials:.2f} ± {math.sqrt(0.16 / trials):.2f}"]


if __name__ == "__main__":
    main()
