"""Training code in a test: a function, or a training file."""

from __future__ import annotations

import pytest
from training_files import training_file

TEST = """
import random
SPREAD = 0.01

def train(seed):
    return random.Random(seed).gauss(0.8, SPREAD)

def test_training(stability):
    result = stability.measure(train, constant_score=0.527)
    result.has_no_failed_runs().std_below(0.02).mean_above(0.7).not_less_stable_than_baseline()
"""
OPTIONS = ("--stability-seeds", "20", "-p", "no:cacheprovider")


def test_a_function_has_a_baseline_and_is_judged_against_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TEST)
    missing = pytester.runpytest_subprocess(*OPTIONS)
    missing.stdout.fnmatch_lines(["*no baseline of train (training code) in baselines.json*"])
    assert "stabbench baseline record" not in missing.stdout.str(), "no command can call a function"
    pytester.runpytest_subprocess(*OPTIONS, "--stability-update").stdout.fnmatch_lines(["*recorded in baselines.json*"])
    judged = pytester.runpytest_subprocess(*OPTIONS)
    judged.assert_outcomes(passed=1)
    judged.stdout.fnmatch_lines(["stability: 0 of 20 runs from the store"])
    pytester.makepyfile(TEST.replace("SPREAD = 0.01", "SPREAD = 0.08").replace(".std_below(0.02)", ""))
    worse = pytester.runpytest_subprocess(*OPTIONS)
    worse.assert_outcomes(failed=1)
    worse.stdout.fnmatch_lines(["*FAIL: the standard deviation rose*"])


def test_a_training_file_stands_where_a_recipe_stands(pytester: pytest.Pytester) -> None:
    training_file(pytester.path, constant_score=None)
    training_file(pytester.path, name="judged")
    pytester.makepyfile("""
        def test_unknown(stability):
            stability.run("mine.toml", seeds=3).has_no_failed_runs()

        def test_known(stability):
            result = stability.run("judged.toml", seeds=3)
            assert result.has_no_failed_runs().against("judged.toml").mean.p_worse is not None
    """)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*nobody knows which runs failed: give constant_score*"])
