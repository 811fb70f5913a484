"""Numbers and texts beyond all reason: each is refused with a message in under a second, before anything is trained."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stabbench
from stabbench.errors import EXCERPT, StabbenchError, excerpt
from stabbench.gate.calibration import same_against_same
from stabbench.gate.gate import GateOptions
from stabbench.gate.rules import Rules
from stabbench.recipes import parse_recipe
from stabbench.records.seeds import LARGEST_SEED, Seeds, given_seeds, parse_seeds
from stabbench.runner.plan import Plan
from stabbench.runner.resources import Resources
from stabbench.statistics import Sample
from stabbench.studies.loading import load_study
from stabbench.studies.study import Study

HUGE = 10**400
NINES = "9" * 400
DEEP = {
    "lists": "seeds = " + "[" * 30_000 + "]" * 30_000,
    "tables": "grid = " + "{a = " * 5_000 + "1" + "}" * 5_000,
    "header": "[grid" + ".a" * 40_000 + "]",
    "key": "grid" + " . a" * 20_000 + " = 1",
    "quoted key": "grid" + '."a b"' * 10_000 + " = 1",
    "inline key": "grid = {a" + ".a" * 20_000 + " = 1}",
    "long": "# " + "x" * 200_000,
}


def refused(call: Callable[[], object], message: str) -> None:
    started = time.perf_counter()
    with pytest.raises(StabbenchError, match=message) as caught:
        call()
    assert time.perf_counter() - started < 1
    assert len(str(caught.value)) < 600


def study(**changes: Any) -> Study:
    return Study(**{"name": "mine", "title": "A title", "recipes": ["devlin"], **changes})


def plan(**changes: Any) -> Plan:
    made = {"recipes": [parse_recipe("devlin")], "task": "lab/entailment", "model": "lab", "seeds": [Seeds.of(0)]}
    return Plan(**{**made, **changes})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (-1, "-1 is no number of seeds"),
        (True, "cannot be True"),
        (2.0, "cannot be 2.0"),
        (float("nan"), "cannot be nan"),
        ("5", "cannot be '5'"),
        (None, "cannot be None"),
        ({1: 2}, "cannot be"),
        (np.float64(3), "cannot be"),
        (1_000_001, "over 1,000,000, the largest number of seeds"),
        (20261126, r"seeds=\[20261126\]"),
        (HUGE, "some 400 digits is over"),
        (itertools.count(), "more than 1,000,000 seeds"),
        ([1.0], "1.0 is no seed"),
        ([True], "True is no seed"),
        (["3"], "'3' is no seed"),
    ],
    ids=itertools.count(),
)
def test_what_is_no_seeds_is_refused_in_python_in_a_gate_and_in_pytest(given: Any, message: str) -> None:
    refused(lambda: given_seeds(given), message)
    if not isinstance(given, itertools.count):
        refused(lambda: stabbench.compare(["devlin"], seeds=given), message)
        refused(lambda: GateOptions(seeds=given), message)


@pytest.mark.parametrize("given", [3, np.int64(3), np.array(3), np.uint8(3)])
def test_a_number_of_seeds_may_be_numpys(given: Any) -> None:
    assert given_seeds(given) == 3


@pytest.mark.parametrize("given", [[4, 9], (4, 9), np.array([4, 9]), iter([4, 9])])
def test_seeds_may_be_any_list(given: Any) -> None:
    made = given_seeds(given)
    assert made == [4, 9]
    assert isinstance(made, list)
    assert all(type(seed) is int for seed in made)


@pytest.mark.parametrize("seed", [20261126, 10**9, LARGEST_SEED])
def test_a_seed_may_be_a_date_or_whatever_the_store_holds(seed: int, tmp_path: Path) -> None:
    """The number of seeds is limited, not their value."""
    assert parse_seeds(f"{seed},") == [seed]
    (record,) = stabbench.compare(["devlin"], seeds=[seed], max_steps=1, store=tmp_path).recipes[0].records
    with stabbench.Store(tmp_path, write=False) as store:
        assert [kept.seeds.seed for kept in store.records()] == [record.seeds.seed] == [seed]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (NINES, "a number of some 400 digits is over 1,000,000"),
        ("9" * 10_000, "is over"),
        ("20261126", "20261126,"),
        ("1_0", "neither"),
        ("+2", "neither"),
        ("٣", "neither"),
        ("1.0", "neither"),
        ("", "neither"),
        (",", "neither"),
        ("x" * 100_000, "neither"),
    ],
    ids=itertools.count(),
)
def test_a_text_that_is_no_seeds_is_refused(text: str, message: str) -> None:
    refused(lambda: parse_seeds(text), message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": [Seeds.of(LARGEST_SEED + 1)]}, "is over 9,223,372,036,854,775,807"),
        ({"seeds": [Seeds.of(HUGE)]}, "some 400 digits is over"),
        ({"seeds": [Seeds.of(0, order=HUGE)]}, "some 400 digits is over"),
        ({"seeds": [Seeds.of(1.5)]}, "1.5 is no seed"),  # type: ignore[arg-type]
        ({"max_steps": HUGE}, "max_steps is 10,000,000 at most"),
        ({"max_steps": "3"}, "max_steps must be a whole number"),
        ({"task": f"glue/rte:examples={NINES}"}, "examples must be a positive number"),
        ({"task": f"glue/rte:{'x' * 10_000}"}, "is not option=value"),
        ({"recipes": [parse_recipe(f"devlin:steps={n + 1}") for n in range(1001)]}, "1,001 recipes are too many"),
    ],
    ids=itertools.count(),
)
def test_a_plan_has_bounds(changes: dict[str, Any], message: str) -> None:
    refused(lambda: plan(**changes), message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stack": HUGE}, "stack is 1,000,000 at most"),
        ({"stack": True}, "stack must be a whole number"),
        ({"workers": 10**6}, "workers is 10,000 at most"),
        ({"workers": 1.5}, "workers must be a whole number"),
        ({"device": "tpu"}, "unknown device 'tpu'"),
        ({"executor": "slurm"}, "unknown executor 'slurm'"),
        ({"ray_address": "here:1"}, "has no effect here"),
        ({"executor": "ray", "ray_address": ""}, "is empty"),
    ],
    ids=itertools.count(),
)
def test_resources_have_bounds(changes: dict[str, Any], message: str) -> None:
    refused(lambda: Resources(**changes), message)


def test_a_plan_has_a_number_of_runs_that_a_machine_can_list() -> None:
    recipes, seeds = [parse_recipe(f"devlin:steps={n + 1}") for n in range(1000)], [Seeds.of(n) for n in range(1001)]
    refused(lambda: plan(recipes=recipes, seeds=seeds), "over 1,000,000 runs")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("evaluations=10001", "evaluations is 10,000 at most"),
        (f"evaluations={NINES}", "evaluations is out of range"),
        ("epochs=1e7", "epochs is 1,000,000 at most"),
        (f"epochs={NINES}", "epochs must be"),
        ("steps=10000001", "steps is 10,000,000 at most"),
        (f"steps={NINES}", "steps is out of range, got a number of some 400 digits"),
        (f"steps={'9' * 5000}", "steps must be int or none"),
        ("batch_size=1000001", "batch_size is 1,000,000 at most"),
        ("max_length=1000001", "max_length is 1,000,000 at most"),
        (f"lr={NINES}", "lr must be finite and above 0, got inf"),
        ("dropout=1e-6", "dropout is finer than masks, which drop in steps of 1/65536, got 1e-06"),
        ("dropout=0.999999", "dropout is finer than masks"),
        (f"{'x' * 100_000}=1", "unknown parameter"),
        ("x" * 100_000, "is not parameter=value"),
    ],
    ids=itertools.count(),
)
def test_a_recipe_has_bounds(text: str, message: str) -> None:
    refused(lambda: parse_recipe(f"devlin:{text}"), message)


@pytest.mark.parametrize("value", [HUGE, -HUGE, [HUGE], [[[1]]] * 10_000], ids=range(4))
@pytest.mark.parametrize("name", ["lr", "steps", "epochs", "bias_correction", "keep"])
def test_a_parameter_set_from_python_has_bounds(name: str, value: Any) -> None:
    refused(lambda: stabbench.get_recipe("devlin", **{name: value}), f"parameter {name}")


def test_epochs_that_make_too_many_steps_are_refused(tmp_path: Path) -> None:
    refused(lambda: stabbench.compare(["devlin:epochs=1e6"], seeds=1, store=tmp_path), "steps are over 10,000,000")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"grid": {name: [0.1] * 300 for name in ("lr", "epochs", "weight_decay")}}, "grid has 27000000 recipes"),
        ({"grid": {f"p{n}": [1] * 10 for n in range(400)}}, "some 400 digits recipes"),
        ({"recipes": ["devlin"] * 100_000}, "grid has 100000 recipes"),
        ({"seeds": 1001, "crossed": True}, "it has 1,002,001 runs, 1,000,000 at most, and crossed seeds count squared"),
        ({"seeds": HUGE}, "seeds are too many"),
        ({"seeds": [HUGE]}, "some 400 digits is over"),
        ({"seeds": 1000, "tasks": [f"t{n}" for n in range(1001)]}, "1,001,000 runs"),
        ({"seeds": [LARGEST_SEED], "crossed": True}, "too large to be crossed"),
        ({"parameters": {"steps": HUGE}}, "out of range"),
        ({"title": [HUGE] * 1000}, "title must be a text"),
    ],
    ids=itertools.count(),
)
def test_a_study_has_bounds(changes: dict[str, Any], message: str) -> None:
    refused(lambda: study(**changes), message)


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP.keys())
def test_a_study_that_is_nested_or_long_beyond_reason_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(f'title = "t"\nrecipes = ["devlin"]\n{text}\n')
    refused(lambda: load_study(str(tmp_path / "mine.toml")), "cannot be read: it is (nested too deeply|over 100,000)")


@pytest.mark.parametrize("number", [NINES, "9" * 5000], ids=["400", "5000"])
@pytest.mark.parametrize("line", ["seeds = {}", "seeds = [{}]", "[parameters]\nsteps = {}", "[grid]\nsteps = [{}]"])
def test_a_study_with_an_endless_number_is_refused(line: str, number: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(f'title = "t"\nrecipes = ["devlin"]\n{line.format(number)}\n')
    refused(lambda: load_study(str(tmp_path / "mine.toml")), "(digits|number)")


@pytest.mark.parametrize("trials", [0, 10**9, HUGE], ids=["0", "1e9", "1e400"])
def test_splits_are_counted(trials: int) -> None:
    bank = Sample((0.5, 0.6, 0.7, 0.8), (False,) * 4)
    refused(lambda: same_against_same({"a": bank}, Rules(), trials=trials), "trials must be from 1 to 100,000")


@pytest.mark.parametrize(
    "value", ["x" * 10**6, [HUGE] * 10**5, HUGE, 10**5000, [10**5000], {"a": b"\x00" * 10**6}], ids=range(6)
)
def test_an_excerpt_is_short(value: object) -> None:
    assert len(excerpt(value)) < EXCERPT + 40
