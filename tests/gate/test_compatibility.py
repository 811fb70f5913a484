"""What must be the same as when a baseline was recorded, what may differ, and what is under test."""

import json
from typing import Any

import pytest

from stabbench.errors import StabbenchError
from stabbench.gate.compatibility import DEFAULT_POLICY, POLICIES, Differences, Policy, differences
from stabbench.models.families import defaults_of
from stabbench.recipes import get_recipe
from stabbench.records.run import Fingerprint
from stabbench.runner.fingerprint import environment_of, fingerprint
from stabbench.tasks.registry import load_task

EXPERIMENT: dict[str, Any] = {
    "recipe": "devlin",
    "parameters": {"lr": 2e-5, "epochs": 3, "bias_correction": False},
    "task": "lab/entailment",
    "data": "d1",
    "model": "m1",
    "max_steps": None,
    "numerics": 2,
}
ENVIRONMENT: dict[str, Any] = {"python": "3.11", "device": "cpu", "torch": "2.7.1", "threads": 1, "recipe_code": "c1"}


def found(policy: Policy = DEFAULT_POLICY, *, absent: str = "", **changed: Any) -> Differences:
    """What differs where those fields, of either half, have changed."""
    now = [{k: changed.get(k, v) for k, v in half.items() if k != absent} for half in (EXPERIMENT, ENVIRONMENT)]
    return differences(EXPERIMENT, ENVIRONMENT, Fingerprint(*now), policy)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_same_is_comparable_under_every_policy(policy: Policy) -> None:
    assert found(policy) == Differences((), (), ())


def test_a_fingerprint_is_the_same_after_json() -> None:
    recipe = get_recipe("devlin").resolved(defaults_of("bert"))
    now = fingerprint(recipe, load_task("lab/entailment"), "digest", 32.0, environment_of("cpu"), None)
    experiment, environment = json.loads(json.dumps([dict(now.experiment), dict(now.environment)]))
    assert differences(experiment, environment, now, "same") == Differences((), (), ())


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("task", "lab/paraphrase", "task: lab/entailment → lab/paraphrase"),
        ("data", "d2", "data: d1 → d2"),
        ("model", "m2", "model: m1 → m2"),
        ("max_steps", 10, "max_steps: none → 10"),
        ("numerics", 3, "numerics: 2 → 3"),
    ],
)
def test_another_setting_is_refused_under_every_policy(policy: Policy, field: str, value: object, text: str) -> None:
    assert found(policy, **{field: value}) == Differences((text,), (), ())


@pytest.mark.parametrize("policy", POLICIES)
def test_a_field_that_one_side_lacks_is_a_difference_even_from_none(policy: Policy) -> None:
    assert found(policy, absent="max_steps").refused == ("max_steps: none → absent",)
    more = Fingerprint({**EXPERIMENT, "label_noise": None}, ENVIRONMENT)
    assert differences(EXPERIMENT, ENVIRONMENT, more, policy).refused == ("label_noise: absent → none",)


@pytest.mark.parametrize(
    ("policy", "refused", "environment"),
    [
        ("any", (), ("device: cpu → cuda", "torch: 2.7.1 → 2.8.0")),
        ("device", ("device: cpu → cuda",), ("torch: 2.7.1 → 2.8.0",)),
        ("same", ("device: cpu → cuda", "torch: 2.7.1 → 2.8.0"), ()),
    ],
)
def test_the_policy_says_which_part_of_the_environment_may_differ(
    policy: Policy, refused: tuple[str, ...], environment: tuple[str, ...]
) -> None:
    assert found(policy, device="cuda", torch="2.8.0") == Differences(refused, (), environment)


def test_the_recipe_is_under_test_so_its_changes_are_listed_not_refused() -> None:
    parameters = {"lr": 3e-5, "epochs": 3, "bias_correction": True, "warmup": 0.1}
    changes = (
        "lr: 2e-05 → 3e-05",
        "bias_correction: false → true",
        "warmup: absent → 0.1",
    )
    for policy in ("any", "device"):
        assert found(policy, parameters=parameters, recipe_code="c2") == Differences((), changes, ())
    assert found("same", parameters=parameters, recipe_code="c2") == Differences(changes, (), ())
    assert found("device", recipe_code="c2") == Differences((), ("recipe_code: c1 → c2",), ())


@pytest.mark.parametrize("before", ["3fa9", None])
def test_the_run_that_a_recipe_starts_from_belongs_to_the_recipe(before: str | None) -> None:
    made_of = EXPERIMENT if before is None else {**EXPERIMENT, "encoder": before}
    now = Fingerprint({**EXPERIMENT, "encoder": "77c0"}, ENVIRONMENT)
    change = (f"encoder: {before or 'absent'} → 77c0",)
    for policy in ("any", "device"):
        assert differences(made_of, ENVIRONMENT, now, policy) == Differences((), change, ())
    assert differences(made_of, ENVIRONMENT, now, "same") == Differences(change, (), ())


def test_another_recipe_may_be_judged_against_the_baseline() -> None:
    assert found(recipe="mosbach") == Differences((), (), ())


def test_the_default_policy_refuses_another_device_only() -> None:
    assert found(device="cuda", python="3.12", threads=2).refused == ("device: cpu → cuda",)


def test_an_unknown_policy_names_the_known_ones() -> None:
    with pytest.raises(StabbenchError, match="'strict'") as error:
        found("strict")  # type: ignore[arg-type]
    assert error.value.hint == "one of: any, device, same"


def test_a_baseline_that_does_not_tell_its_processor_is_compared_with_any() -> None:
    now = Fingerprint(EXPERIMENT, {**ENVIRONMENT, "processor": "AuthenticAMD 25 1, avx2"})
    assert differences(EXPERIMENT, ENVIRONMENT, now, "same") == Differences((), (), ())
    told = {**ENVIRONMENT, "processor": "AuthenticAMD 26 2, avx512"}
    change = ("processor: AuthenticAMD 26 2, avx512 → AuthenticAMD 25 1, avx2",)
    assert differences(EXPERIMENT, told, now) == Differences((), (), change)
