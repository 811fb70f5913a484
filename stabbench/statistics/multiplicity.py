"""Corrections for multiple tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down adjustment: rejecting adjusted p-values up to alpha keeps the family-wise error rate at alpha.

    A p-value of None is not counted in the family and stays None.

    Source: Holm 1979.
    """
    adjusted: list[float | None] = [None] * len(p_values)
    ordered = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    largest = 0.0
    for rank, (p, i) in enumerate(ordered):
        largest = max(largest, min(1.0, p * (len(ordered) - rank)))
        adjusted[i] = largest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjustment that controls the false discovery rate, for exploration; None as in :func:`holm`.

    Source: Benjamini and Hochberg 1995.
    """
    from scipy import stats

    known = [p for p in p_values if p is not None]
    adjusted = iter(stats.false_discovery_control(np.array(known)) if known else ())
    return [None if p is None else float(next(adjusted)) for p in p_values]
