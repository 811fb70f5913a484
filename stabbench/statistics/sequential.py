"""Looking before all runs are in, without more false alarms.

Waves of seeds are planned in advance; each look may use up a share of alpha (Lan and DeMets 1983). For failed runs
there is an evidence process that may be looked at after every run (a likelihood ratio; Ville 1939).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

# Points of the grid on which the paths that have not stopped are followed. Levels are exact to about four digits.
GRID = 2001
# The first looks' levels are astronomically small; nothing is lost by never alarming there.
SMALLEST_LEVEL = 1e-12


def spent(alpha: float, fraction: float) -> float:
    """How much of a one-sided ``alpha`` may be used up when this fraction of the information is in.

    The O'Brien-Fleming-like function of Lan and DeMets 1983: next to nothing early, all of it at the end.
    """
    from scipy.special import ndtr, ndtri

    if fraction <= 0:
        return 0.0
    return float(2 * ndtr(ndtri(alpha / 2) / math.sqrt(min(1.0, fraction))))


@lru_cache(maxsize=4096)
def nominal_levels(alpha: float, fractions: tuple[float, ...]) -> tuple[float, ...]:
    """For each planned look, the p-value at or below which it alarms, so that all together alarm falsely at ``alpha``.

    Args:
        alpha: One-sided.
        fractions: Of the information, increasing, the last one 1.

    Source: the recursive integration of Armitage, McPherson and Rowe 1969.
    """
    from scipy.integrate import simpson
    from scipy.special import ndtr, ndtri

    levels: list[float] = []
    paths = density = np.empty(0)  # where the score process is that has not crossed yet, and how likely
    before = 0.0
    for number, fraction in enumerate(fractions):
        to_spend = spent(alpha, fraction) - (spent(alpha, before) if number else 0.0)
        if number == 0:
            level = max(to_spend, SMALLEST_LEVEL)
        else:
            step = math.sqrt(fraction - before)

            def crossing(z: float, end: float = fraction, step: float = step) -> float:
                return float(simpson(density * ndtr((paths - z * math.sqrt(end)) / step), x=paths))  # noqa: B023

            level = float(ndtr(-_solve(crossing, to_spend)))
        levels.append(level)
        edge = -float(ndtri(level)) * math.sqrt(fraction)
        grid = np.linspace(-8 * math.sqrt(fraction), edge, GRID)
        if number == 0:
            density = _normal(grid / math.sqrt(fraction)) / math.sqrt(fraction)
        else:
            density = simpson(_normal((grid[:, None] - paths) / step) / step * density, x=paths, axis=1)
        paths, before = grid, fraction
    return tuple(levels)


def _solve(crossing: object, to_spend: float) -> float:
    from scipy.optimize import brentq

    largest = 8.0
    if to_spend <= 0 or crossing(largest) >= to_spend:  # type: ignore[operator]
        return largest
    return float(brentq(lambda z: crossing(z) - to_spend, -8.0, largest))  # type: ignore[operator]


def _normal(z: np.ndarray) -> np.ndarray:
    return np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def information(seeds: int, planned: int, reference: int) -> float:
    """The fraction of the information of ``planned`` runs that ``seeds`` of them have, against ``reference`` others."""
    return (1 / planned + 1 / reference) / (1 / seeds + 1 / reference)


def failure_evidence(failed: Sequence[bool], tolerated: float, alarming: float) -> float:
    """A p-value for "the rate of failed runs is at most ``tolerated``", valid whenever one looks.

    It is one over the largest likelihood ratio, seen after any of the runs so far, of the ``alarming`` rate against the
    tolerated one: under the hypothesis that ratio reaches 1/p with probability p at most, however often one looks.
    """
    if not tolerated < alarming:
        return 1.0
    evidence = largest = 0.0
    for run_failed in failed:
        evidence += math.log(alarming / tolerated) if run_failed else math.log((1 - alarming) / (1 - tolerated))
        largest = max(largest, evidence)
    return math.exp(-largest)
