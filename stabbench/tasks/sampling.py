"""Random parts of a set of examples, drawn once and always the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stabbench.tasks.lab.language import Dice
from stabbench.tasks.task import Examples


def split(
    examples: Examples, strata: Sequence[Any], sizes: Mapping[Any, int], task: str, purpose: str
) -> tuple[Examples, Examples]:
    """``sizes`` random examples of each stratum, and the rest, each in the original order; always the same ones."""
    left = dict(sizes)
    chosen = set()
    for i in Dice(task, purpose, sum(sizes.values())).shuffled(range(len(examples))):
        if left[strata[i]]:
            left[strata[i]] -= 1
            chosen.add(i)
    inside = [i for i in range(len(examples)) if i in chosen]
    outside = [i for i in range(len(examples)) if i not in chosen]
    return _pick(examples, inside), _pick(examples, outside)


def _pick(examples: Examples, rows: Sequence[int]) -> Examples:
    second = examples.second
    return Examples(
        [examples.first[i] for i in rows],
        None if second is None else [second[i] for i in rows],
        [examples.labels[i] for i in rows],
    )
