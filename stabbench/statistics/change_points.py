"""Steps in a series of samples: has the level changed at some point, and where?

The order of the samples is tested by permutation: if all values come from one distribution, every assignment of values
to samples is as likely. The largest standardised difference over all places of a step is compared with the largest one
of every permutation, so that the choice of the place costs nothing (Page 1955; Good 2005, ch. 3).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The second number where none of the first is as extreme as the series: many series share one alpha.
PERMUTATIONS = (999, 9999)
# Values that are permuted at a time.
_AT_ONCE = 2_000_000
# Of the permutations: the same series has the same p-value each time.
_SEED = 0


@dataclass(frozen=True)
class Step:
    """A change of level.

    Attributes:
        at: The number of the first sample after it.
        before: The mean of all values before it, since the last step.
        after: The mean of all values after it, up to the next step.
        p: Of the permutation test.
    """

    at: int
    before: float
    after: float
    p: float


def find_step(samples: Sequence[Sequence[float]]) -> Step | None:
    """The most likely place of a step, with its p-value; None under two samples with values, or where all are equal.

    Args:
        samples: In the order of time; an empty one is passed over.
    """
    sizes = [len(sample) for sample in samples]
    ends = np.cumsum(sizes)
    places = sorted({int(end) for end in ends[:-1]} - {0, int(ends[-1])}) if len(samples) > 1 else []
    values = np.array(list(itertools.chain.from_iterable(samples)), float)
    if not places or np.ptp(values) == 0:
        return None
    found = _differences(values[None], places)[0]
    best = int(np.argmax(found))
    cut = places[best]
    at = next(number for number, end in enumerate(ends) if end > cut)
    return Step(at, float(values[:cut].mean()), float(values[cut:].mean()), _p_value(values, places, found[best]))


def find_steps(samples: Sequence[Sequence[float]], level: float, first: Step | None = None) -> list[Step]:
    """All steps that are significant at ``level``, in the order of time: within what a step divides others are sought.

    In a flat series the first search decides, so that false alarms come at the rate of ``level``.

    Args:
        samples: In the order of time.
        level: Of each test.
        first: What :func:`find_step` gave for all samples, if that was done already.
    """
    step = first or find_step(samples)
    if step is None or step.p > level:
        return []
    left, right = samples[: step.at], samples[step.at :]
    later = [Step(step.at + s.at, s.before, s.after, s.p) for s in find_steps(right, level)]
    return [*find_steps(left, level), step, *later]


def _p_value(values: NDArray[np.float64], places: Sequence[int], found: float) -> float:
    generator = np.random.default_rng(_SEED)
    as_large = done = 0
    for wanted in PERMUTATIONS:
        while done < wanted and not (wanted > PERMUTATIONS[0] and as_large):
            some = min(wanted - done, max(1, _AT_ONCE // len(values)))
            shuffled = generator.permuted(np.tile(values, (some, 1)), axis=1)
            # Sums of the same values in another order differ in their last bits.
            as_large += int((_differences(shuffled, places).max(1) >= found * (1 - 1e-9)).sum())
            done += some
    return (as_large + 1) / (done + 1)


def _differences(values: NDArray[np.float64], places: Sequence[int]) -> NDArray[np.float64]:
    """The absolute difference of the means before and after each place, in units of its standard error.

    Args:
        values: ``[series, values]``.
        places: The number of values before a step.
    """
    total = values.shape[1]
    before = np.cumsum(values - values.mean(1, keepdims=True), axis=1)[:, np.array(places) - 1]
    n = np.array(places)
    return np.asarray(np.abs(before) / np.sqrt(n * (total - n) / total))
