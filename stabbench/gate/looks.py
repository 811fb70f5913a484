"""Looks: the planned interim analyses of a group-sequential gate."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from stabbench.statistics import information, nominal_levels


@dataclass(frozen=True)
class Look:
    """One look among the planned ones; by default the only one.

    Attributes:
        waves: The candidate's number of runs at each planned look.
        number: The number of this look, from 0.

    Raises:
        ValueError: The number of runs does not grow from look to look, or there is no look of this number.
    """

    waves: tuple[int, ...] = (1,)
    number: int = 0

    def __post_init__(self) -> None:
        if not all(before < after for before, after in itertools.pairwise((0, *self.waves))):
            raise ValueError(f"the runs at each look must grow from look to look, got {self.waves}")
        if not 0 <= self.number < len(self.waves):
            raise ValueError(f"there is no look {self.number} among {len(self.waves)} (from 0)")

    @property
    def sequential(self) -> bool:
        """Whether more than one look is planned."""
        return len(self.waves) > 1

    def level(self, alpha: float, reference: int) -> float:
        """The nominal level at this look, so that all looks together alarm falsely with probability ``alpha``.

        Args:
            alpha: The one-sided level of the whole test.
            reference: The number of baseline runs, all available at the first look; 0 counts as 1.
        """
        if not self.sequential:
            return alpha
        fractions = tuple(information(n, self.waves[-1], max(1, reference)) for n in self.waves)
        return nominal_levels(alpha, fractions)[self.number]


FIXED = Look()
