"""One recipe "more stable than" another: known situations."""

import pytest

from stabbench.errors import StabbenchError
from stabbench.gate.rules import Verdict
from stabbench.gate.superiority import more_stable
from stabbench.statistics import Sample, holm


def sample(failed: int, width: float, runs: int = 20) -> Sample:
    scores = [0.5] * failed + [0.7 + width * (i / runs - 0.5) for i in range(runs - failed)]
    return Sample(scores, [i < failed for i in range(runs)])


@pytest.mark.parametrize(
    ("candidate", "reference", "verdict"),
    [
        (sample(0, 0.02), sample(10, 0.02), Verdict.PASS),  # fewer failed runs
        (sample(0, 0.02), sample(0, 0.2), Verdict.PASS),  # a smaller spread
        (sample(10, 0.02), sample(0, 0.02), Verdict.FAIL),
        (sample(0, 0.2), sample(0, 0.02), Verdict.FAIL),
        (sample(20, 0.0), sample(20, 0.0), Verdict.FAIL),  # no run is left that could be stable
        (sample(0, 0.02), sample(0, 0.02), Verdict.FAIL),  # no better in this sample either
        (sample(0, 0.020), sample(1, 0.021), Verdict.INCONCLUSIVE),
    ],
)
def test_known_situations(candidate: Sample, reference: Sample, verdict: Verdict) -> None:
    assert more_stable(candidate, reference, alpha=0.05).verdict is verdict


def test_holm_is_over_all_four_tests() -> None:
    found = more_stable(sample(0, 0.02), sample(4, 0.02), alpha=0.05)
    raw = [p for check in found.checks for p in (check.test.p_better, check.test.p_worse)]
    assert [p for pair in zip(found.p_better, found.p_worse, strict=True) for p in pair] == holm(raw)


def test_alpha_is_checked() -> None:
    with pytest.raises(StabbenchError, match="alpha"):
        more_stable(sample(0, 0.02), sample(0, 0.02), alpha=0.7)
