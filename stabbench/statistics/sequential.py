"""Group-sequential tests: interim analyses ("looks") before all runs are done, without more false alarms.

The looks are planned in advance, and each spends a part of alpha (Lan and DeMets 1983). For failed runs there is also
an anytime-valid p-value, which may be computed after every run (a likelihood ratio; Ville 1939).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

# Points of the grid for the distribution of paths that have not stopped. Levels are exact to about four digits.
GRID = 2001
# The levels of the first looks are astronomically small: no power is lost by not testing below this.
SMALLEST_LEVEL = 1e-12


def spent(alpha: float, fraction: float) -> float:
    """The part of a one-sided ``alpha`` that may be spent at this fraction of the information.

    The O'Brien-Fleming-like spending function of Lan and DeMets 1983: almost nothing early, all of it at the end.
    """
    from scipy.special import ndtr, ndtri

    if fraction <= 0:
        return 0.0
    return float(2 * ndtr(ndtri(alpha / 2) / math.sqrt(min(1.0, fraction))))


@lru_cache(maxsize=4096)
def nominal_levels(alpha: float, fractions: tuple[float, ...]) -> tuple[float, ...]:
    """The nominal level of each planned look, so that all looks together alarm falsely with probability ``alpha``.

    Args:
        alpha: The one-sided level of the whole test.
        fractions: The fraction of the information at each look, increasing, the last one 1.

    Source: the recursive integration of Armitage, McPherson and Rowe 1969.
    """
    from scipy.integrate import simpson
    from scipy.special import ndtr, ndtri

    levels: list[float] = []
    paths = density = np.empty(0)  # values of the score process that has not crossed yet, and their density
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
    """The information of the first ``seeds`` of ``planned`` runs, as a fraction, against ``reference`` baseline runs.

    All three numbers are at least 1.
    """
    return (1 / planned + 1 / reference) / (1 / seeds + 1 / reference)


def failure_evidence(failed: Sequence[bool], tolerated: float, alarming: float) -> float:
    """An anytime-valid p-value for "the rate of failed runs is at most ``tolerated``".

    It is one over the largest likelihood ratio so far of the ``alarming`` rate against the tolerated one: under the
    hypothesis that ratio ever reaches 1/p with probability at most p, however often it is computed.

    Raises:
        ValueError: A rate outside [0, 1].
    """
    if not (0 <= tolerated <= 1 and 0 <= alarming <= 1):
        raise ValueError(f"rates must be between 0 and 1, got {tolerated} and {alarming}")
    if not tolerated < alarming:
        return 1.0
    if tolerated == 0 and any(failed):
        return 0.0  # what must never fail has failed
    evidence = largest = 0.0
    for run_failed in failed:
        if alarming == 1 and not run_failed:
            break  # what must always fail has not: no later run brings the alarming rate back
        evidence += math.log(alarming / tolerated) if run_failed else math.log((1 - alarming) / (1 - tolerated))
        largest = max(largest, evidence)
    return math.exp(-largest)
