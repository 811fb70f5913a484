"""Pure statistics of scores: numbers in, numbers out. No torch, no records, scipy wherever scipy has it."""

from stabbench.statistics.summary import Summary as Summary
from stabbench.statistics.summary import summarise as summarise
from stabbench.statistics.tests import DirectedTest as DirectedTest
from stabbench.statistics.tests import LeveneTest as LeveneTest
from stabbench.statistics.tests import failure_test as failure_test
from stabbench.statistics.tests import levene_test as levene_test
from stabbench.statistics.tests import mean_test as mean_test
from stabbench.statistics.tests import spread_test as spread_test

__all__ = [
    "DirectedTest",
    "LeveneTest",
    "Summary",
    "failure_test",
    "levene_test",
    "mean_test",
    "spread_test",
    "summarise",
]
