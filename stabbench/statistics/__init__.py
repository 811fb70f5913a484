"""Statistics of scores, as pure functions: numbers in, numbers out; scipy wherever scipy has the method."""

from stabbench.statistics.agreement import SpreadParts as SpreadParts
from stabbench.statistics.agreement import answer_counts as answer_counts
from stabbench.statistics.agreement import coded as coded
from stabbench.statistics.agreement import disagreement as disagreement
from stabbench.statistics.agreement import fleiss_kappa as fleiss_kappa
from stabbench.statistics.agreement import jensen_shannon as jensen_shannon
from stabbench.statistics.agreement import spread_parts as spread_parts
from stabbench.statistics.best import expected_best as expected_best
from stabbench.statistics.best import expected_selected as expected_selected
from stabbench.statistics.components import Component as Component
from stabbench.statistics.components import VarianceComponents as VarianceComponents
from stabbench.statistics.components import variance_components as variance_components
from stabbench.statistics.effects import UNDEFINED as UNDEFINED
from stabbench.statistics.effects import Effect as Effect
from stabbench.statistics.effects import clopper_pearson as clopper_pearson
from stabbench.statistics.effects import mean_deviation as mean_deviation
from stabbench.statistics.effects import mean_difference as mean_difference
from stabbench.statistics.effects import rate_difference as rate_difference
from stabbench.statistics.effects import spread_ratio as spread_ratio
from stabbench.statistics.effects import superiority as superiority
from stabbench.statistics.effects import wilson as wilson
from stabbench.statistics.hypothesis_tests import DirectedTest as DirectedTest
from stabbench.statistics.hypothesis_tests import LeveneTest as LeveneTest
from stabbench.statistics.hypothesis_tests import failure_test as failure_test
from stabbench.statistics.hypothesis_tests import levene_test as levene_test
from stabbench.statistics.hypothesis_tests import mean_test as mean_test
from stabbench.statistics.hypothesis_tests import spread_test as spread_test
from stabbench.statistics.multiplicity import benjamini_hochberg as benjamini_hochberg
from stabbench.statistics.multiplicity import holm as holm
from stabbench.statistics.paired import PairedTest as PairedTest
from stabbench.statistics.paired import paired_test as paired_test
from stabbench.statistics.permutation import permuted_mean_difference as permuted_mean_difference
from stabbench.statistics.permutation import permuted_mean_test as permuted_mean_test
from stabbench.statistics.permutation import permuted_spread_test as permuted_spread_test
from stabbench.statistics.power import detectable_drop as detectable_drop
from stabbench.statistics.power import detectable_rate as detectable_rate
from stabbench.statistics.power import detectable_spread as detectable_spread
from stabbench.statistics.sequential import failure_evidence as failure_evidence
from stabbench.statistics.sequential import information as information
from stabbench.statistics.sequential import nominal_levels as nominal_levels
from stabbench.statistics.sequential import spent as spent
from stabbench.statistics.summary import Sample as Sample
from stabbench.statistics.summary import Summary as Summary
from stabbench.statistics.summary import summarise as summarise

__all__ = [
    "UNDEFINED",
    "Component",
    "DirectedTest",
    "Effect",
    "LeveneTest",
    "PairedTest",
    "Sample",
    "SpreadParts",
    "Summary",
    "VarianceComponents",
    "answer_counts",
    "benjamini_hochberg",
    "clopper_pearson",
    "coded",
    "detectable_drop",
    "detectable_rate",
    "detectable_spread",
    "disagreement",
    "expected_best",
    "expected_selected",
    "failure_evidence",
    "failure_test",
    "fleiss_kappa",
    "holm",
    "information",
    "jensen_shannon",
    "levene_test",
    "mean_deviation",
    "mean_difference",
    "mean_test",
    "nominal_levels",
    "paired_test",
    "permuted_mean_difference",
    "permuted_mean_test",
    "permuted_spread_test",
    "rate_difference",
    "spent",
    "spread_parts",
    "spread_ratio",
    "spread_test",
    "summarise",
    "superiority",
    "variance_components",
    "wilson",
]
