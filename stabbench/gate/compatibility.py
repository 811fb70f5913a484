"""Whether runs can be judged against a baseline: which settings must be the same, and which may differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from stabbench.errors import StabbenchError
from stabbench.records.run import Fingerprint

# Which part of the environment must be the same. With the default a baseline of one machine can gate on another, and
# an upgrade can be tested, but scores of a GPU are not judged against those of a CPU.
Policy = Literal["any", "device", "same"]
POLICIES: tuple[Policy, ...] = get_args(Policy)
DEFAULT_POLICY: Policy = "device"

# The recipe is what is tested: its definition may have changed since the baseline was recorded under its name.
UNDER_TEST = ("recipe", "parameters", "encoder", "command")
# The same holds for its code, and for the code of an intermediate training.
CODE = ("recipe_code", "encoder_code")
# What older baselines do not tell: nothing can be compared then.
NEWER = ("processor",)


@dataclass(frozen=True)
class Differences:
    """Differences from the baseline, each as ``field: before → now``.

    Attributes:
        refused: Differences that make the two incomparable.
        recipe: Differences of the recipe's parameters and code.
        environment: Differences of library versions and hardware.
    """

    refused: tuple[str, ...]
    recipe: tuple[str, ...]
    environment: tuple[str, ...]


def differences(
    experiment: Mapping[str, Any], environment: Mapping[str, Any], now: Fingerprint, policy: Policy = DEFAULT_POLICY
) -> Differences:
    """Compare a baseline's ``experiment`` and ``environment`` with the fingerprint of the new runs.

    Raises:
        StabbenchError: An unknown policy.
    """
    if policy not in POLICIES:
        raise StabbenchError(f"unknown environment policy {policy!r}", f"one of: {', '.join(POLICIES)}")
    setting = _changed(_without(experiment, UNDER_TEST), _without(now.experiment, UNDER_TEST))
    recipe = _changed(experiment.get("parameters", {}), now.experiment.get("parameters", {}))
    recipe |= _changed(_only(experiment, ("encoder", "command")), _only(now.experiment, ("encoder", "command")))
    if not recipe:
        # A changed default is a change of the code, too; once is enough.
        recipe = _changed(_only(environment, CODE), _only(now.environment, CODE))
    untold = (*CODE, *(key for key in NEWER if key not in environment))
    around = _changed(_without(environment, untold), _without(now.environment, untold))
    refused = dict(setting)
    if policy == "device" and "device" in around:
        refused["device"] = around.pop("device")
    if policy == "same":
        refused |= recipe | around
        recipe, around = {}, {}
    return Differences(*(tuple(f"{k}: {v}" for k, v in part.items()) for part in (refused, recipe, around)))


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, str]:
    return {
        key: f"{_text(before, key)} → {_text(now, key)}"
        for key in (*before, *(k for k in now if k not in before))
        if before.get(key) != now.get(key) or (key in before) != (key in now)
    }


def _text(values: Mapping[str, Any], key: str) -> str:
    if key not in values:
        return "absent"
    value = values[key]
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _without(values: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {k: v for k, v in values.items() if k not in keys}


def _only(values: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {k: v for k, v in values.items() if k in keys}
