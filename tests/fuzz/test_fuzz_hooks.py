"""Recipes of users whose hooks return or raise anything, trained for two steps."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from fuzz.harness import Hang, fuzz, odd_values, refused_or_sane
from hypothesis import strategies as st

import stabbench
from stabbench import Outcome, Recipe
from stabbench.recipes import Intermediate, ParameterGroup, Stage

HOOKS = [
    "total_steps", "schedule", "fresh", "groups", "staging", "intermediate", "gradient_scales", "forward_weight",
    "resolved", "parameters",
]  # fmt: skip


class Own(BaseException):
    """As a library's own kind of exit."""


answers = st.one_of(
    odd_values,
    st.sampled_from([torch.zeros(()), torch.ones(3), torch.full((2, 2), float("nan")), torch.tensor(1e38)]),
    st.builds(frozenset, st.lists(st.text(max_size=3), max_size=2)),
    st.just([ParameterGroup(["nowhere"], 0.0)]),
    st.just([ParameterGroup([], float("nan"))]),
    st.just([Stage(frozenset())]),
    st.just([Stage(frozenset({"nowhere"}))]),
    st.just(Intermediate("lab/nowhere", Recipe(), stabbench.Seeds.of(0))),
)
errors = st.sampled_from(
    [
        ValueError("no"),
        RuntimeError(""),
        KeyError("x"),
        SystemExit(0),
        SystemExit("bye"),
        Own(),
        AssertionError(),
        TypeError(),
    ]
)


def recipe_with(hook: str, answer: Any, error: BaseException | None) -> Recipe:
    def own(self: Recipe, *_: Any, **__: Any) -> Any:
        if error is not None:
            raise error
        return answer

    return type("Odd", (Recipe,), {"name": "odd", "bias_correction": True, hook: own})()


@fuzz(0.015, hook=st.sampled_from(HOOKS), answer=answers, error=st.none() | errors)
def test_hooks(hook: str, answer: Any, error: BaseException | None) -> None:
    with tempfile.TemporaryDirectory() as here, refused_or_sane():
        try:
            made = recipe_with(hook, answer, error)
            done = stabbench.compare([made], seeds=2, max_steps=2, store=Path(here), workers=1)
        except (Hang, stabbench.StabbenchError):
            raise
        except BaseException as other:
            raise AssertionError(f"{hook}: {type(other).__name__} came through") from other
        for run in done.recipes[0].records:
            assert run.outcome in (Outcome.OK, Outcome.FAILED)
            assert run.score is None or 0 <= run.score <= 1
