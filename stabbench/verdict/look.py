"""Which of the planned looks at the data a verdict is made at."""

from __future__ import annotations

from dataclasses import dataclass

from stabbench.statistics import information, nominal_levels


@dataclass(frozen=True)
class Look:
    """Which of the planned looks at the data this is; by default the only one.

    Attributes:
        waves: The candidate's runs at each planned look.
        number: From 0.
    """

    waves: tuple[int, ...] = (1,)
    number: int = 0

    @property
    def sequential(self) -> bool:
        """Whether there is more than one."""
        return len(self.waves) > 1

    def level(self, alpha: float, reference: int) -> float:
        """The p-value that alarms at this look, so that all looks together alarm falsely at ``alpha``.

        Args:
            alpha: One-sided.
            reference: The number of baseline runs; they are all in from the first look.
        """
        if not self.sequential:
            return alpha
        fractions = tuple(information(n, self.waves[-1], reference) for n in self.waves)
        return nominal_levels(alpha, fractions)[self.number]


FIXED = Look()
