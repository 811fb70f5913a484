"""Measure how often the paired test of `compare --paired` and Welch's test find a difference, by simulation.

    python scripts/paired_test_rates.py

Two recipes on the same examples, whose easiness is drawn anew for each pair of banks. Models of a recipe differ by a
standard deviation of their accuracy. Without a difference the rate is the size of the test, at a nominal 5%; with one
of two points it is the power. All tests are two-sided.
"""

from __future__ import annotations

import click
import numpy as np
from numpy.typing import NDArray
from scipy import stats
from tabulate import tabulate

from stabbench.statistics import paired_test

LEVEL = 0.05
DIFFERENCE = 0.02


def bank(
    rng: np.random.Generator, easiness: NDArray[np.float64], runs: int, std: float, shift: float
) -> NDArray[np.bool_]:
    """Which runs are right on which examples."""
    models = rng.normal(0, std, size=(runs, 1))
    return rng.random((runs, len(easiness))) < np.clip(easiness + models + shift, 0, 1)


def rates(rng: np.random.Generator, draws: int, runs: int, examples: int, std: float, shift: float) -> list[float]:
    """Of the paired test, of Welch's, and of the paired test for these runs alone."""
    found = np.zeros(3)
    for _ in range(draws):
        easiness = rng.beta(2, 0.8, size=examples)
        one, other = bank(rng, easiness, runs, std, shift), bank(rng, easiness, runs, std, 0.0)
        paired = paired_test(one, other)
        sides = min(paired.p_worse or 1.0, paired.p_better or 1.0)
        welch = stats.ttest_ind(one.mean(1), other.mean(1), equal_var=False).pvalue
        found += [2 * sides < LEVEL, welch < LEVEL, (paired.p_these_runs or 1.0) < LEVEL]
    return [float(each) for each in found / draws]


@click.command(help=__doc__)
@click.option("--draws", default=1000, show_default=True)
@click.option("--examples", default=277, show_default=True, help="Of the evaluation set; RTE's has 277.")
def main(draws: int, examples: int) -> None:  # noqa: D103
    rng, rows = np.random.default_rng(0), []
    for runs in (3, 5, 10, 25):
        for std in (0.0, 0.01, 0.03):
            size, power = (rates(rng, draws, runs, examples, std, shift) for shift in (0.0, DIFFERENCE))
            rows.append([str(runs), f"{std:g}", *(f"{rate:.3f}" for rate in (*size, *power))])
    tests = ["paired", "Welch", "these runs"]
    headings = ["runs", "std of models", *(f"{name}, {what}" for what in ("size", "power") for name in tests)]
    click.echo(tabulate(rows, headings, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
