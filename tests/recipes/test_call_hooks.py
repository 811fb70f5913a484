"""What hooks answer is checked before and during every training, and by check_recipe alike."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stabbench
from stabbench import Outcome, Recipe, check_recipe
from stabbench.errors import StabbenchError
from stabbench.recipes import Intermediate, ParameterGroup, Stage
from stabbench.records.seeds import Seeds

STATE = {"calls": 0}


def recipe(**hooks: Any) -> Recipe:
    made = type("Mine", (Recipe,), {"__doc__": "Mine.", "name": "mine", **hooks})()
    assert isinstance(made, Recipe)
    return made


def group(**fields: Any) -> Any:
    """A hook whose one group holds everything."""
    made = {"weight_decay": 0.0, **fields}
    return lambda self, layout: [ParameterGroup(**{"names": [p.name for p in layout.parameters], **made})]


def all_of(layout: Any) -> frozenset[str]:
    return frozenset(p.name for p in layout.parameters)


def drawn(draw: Any) -> Any:
    """A schedule that draws a number and does not even use it."""

    def schedule(self: Recipe, step: int, total: int) -> float:
        draw()
        return 1.0

    return schedule


def counted(self: Recipe, *arguments: Any) -> Any:
    STATE["calls"] += 1
    return arguments[0] * STATE["calls"]


def in_place(self: Recipe, weight: torch.Tensor, pretrained: torch.Tensor, bernoulli: object) -> torch.Tensor:
    with torch.no_grad():
        pretrained.mul_(0.5)
    return weight + pretrained


IGNORED = recipe(penalty=print)
BEFORE: list[tuple[str, Any, str]] = [
    ("total_steps", lambda self, size: True, "total_steps gives True, not a positive int"),
    ("total_steps", lambda self, size: 2.0, "total_steps gives 2.0"),
    ("total_steps", lambda self, size: None, "total_steps gives None"),
    ("total_steps", lambda self, size: 10**400, "steps are over 10,000,000"),
    ("total_steps", lambda self, size: exec("raise SystemExit(0)"), "total_steps fails: .*ends the program"),
    ("resolved", lambda self, defaults, depth: None, "resolved gives None, not a Mine"),
    ("resolved", lambda self, defaults, depth: stabbench.get_recipe("devlin"), "resolved gives Devlin"),
    ("intermediate", lambda self, task: "glue/mnli", "intermediate gives 'glue/mnli'"),
    ("intermediate", lambda self, task: Intermediate("lab/inference", "devlin", Seeds.of(0)), "a recipe"),  # type: ignore[arg-type]
    ("intermediate", lambda self, task: Intermediate("lab/inference", IGNORED, Seeds.of(0)), "penalty is no hook"),
    ("schedule", lambda self, step, total: None, r"schedule\(0, 189\) gives None, not a finite number from 0 up"),
    ("schedule", lambda self, step, total: float("nan"), "gives nan"),
    ("schedule", lambda self, step, total: 1.0 if step < 100 else -0.1, r"schedule\(100, 189\) gives -0.1"),
    ("schedule", lambda self, step, total: True, "gives True"),
    ("schedule", lambda self, step, total: torch.tensor(1.0), "gives tensor"),
    ("schedule", lambda self, step, total: 1 / (step - 1), "schedule fails: ZeroDivisionError"),
    ("schedule", lambda self, step, total: 0.0, "its schedule is 0 all the time"),
    ("schedule", drawn(random.random), "schedule draws random numbers from Python's random"),
    ("schedule", drawn(np.random.rand), "schedule draws random numbers from NumPy's random"),
    ("schedule", drawn(lambda: torch.rand(1)), "schedule draws random numbers from PyTorch's generator"),
    ("schedule", lambda self, step, total: np.random.default_rng().random(), "another answer to the same arguments"),
    ("fresh", lambda self, layout: None, "fresh gives None, not a set of names"),
    ("fresh", lambda self, layout: ["head"], "not a set of names"),
    ("groups", lambda self, layout: None, "groups gives None, not a list of ParameterGroup"),
    ("groups", lambda self, layout: [{"params": []}], "not a list of ParameterGroup"),
    ("groups", group(weight_decay=float("nan")), "gives nan, not a finite weight_decay from 0 up"),
    ("groups", group(weight_decay=-1.0), "not a finite weight_decay from 0 up"),
    ("groups", group(lr_factor="2"), "not a finite lr_factor from 0 up"),
    ("groups", group(to_pretrained=1), "not True or False as to_pretrained"),
    ("groups", group(names="weight"), "not a list of names"),
    ("staging", lambda self, layout: Stage(all_of(layout)), "staging gives Stage"),
    ("staging", lambda self, layout: {Stage(all_of(layout))}, "not a list of Stage"),
    ("staging", lambda self, layout: [Stage([*all_of(layout)])], "stages of a set of names"),  # type: ignore[arg-type]
]
DURING: list[tuple[str, Any, str]] = [
    ("gradient_scales", lambda self, norms: None, "gradient_scales gives None, not a tensor"),
    ("gradient_scales", lambda self, norms: norms[0], "gradient_scales changes the shape"),
    ("gradient_scales", lambda self, norms: norms.double(), "changes the dtype torch.float32 to torch.float64"),
    ("gradient_scales", lambda self, norms: norms.to("meta"), "changes the device cpu to meta"),
    ("gradient_scales", lambda self, norms: norms.clamp_(max=1.0), "gradient_scales changes its argument"),
    ("gradient_scales", lambda self, norms: norms - 1e9, "negative or not finite"),
    ("gradient_scales", lambda self, norms: norms * float("nan"), "negative or not finite"),
    ("gradient_scales", lambda self, norms: torch.rand_like(norms), "draws random numbers from PyTorch's generator"),
    ("gradient_scales", counted, "gradient_scales gives another answer to the same arguments"),
    ("forward_weight", lambda self, w, p, b: None, "forward_weight gives None, not a tensor"),
    ("forward_weight", lambda self, w, p, b: w[:, :1], "forward_weight changes the shape"),
    ("forward_weight", lambda self, w, p, b: w.double(), "forward_weight changes the dtype"),
    ("forward_weight", lambda self, w, p, b: w.to("meta"), "forward_weight changes the device"),
    ("forward_weight", lambda self, w, p, b: w * float("inf"), "weights that are not finite"),
    ("forward_weight", in_place, "forward_weight changes its arguments"),
    ("forward_weight", counted, "forward_weight gives another answer to the same arguments"),
    ("forward_weight", lambda self, w, p, b: w * torch.rand(()), "forward_weight gives another|draws random numbers"),
    (
        "forward_weight",
        lambda self, w, p, b: w * float(np.random.default_rng().random()),
        "forward_weight gives another answer",
    ),
]


@pytest.mark.parametrize(("hook", "answer", "message"), [*BEFORE, *DURING])
def test_an_answer_that_cannot_be_used_is_refused_and_nothing_is_stored(
    tmp_path: Path, hook: str, answer: Any, message: str
) -> None:
    with pytest.raises(StabbenchError, match=message):
        stabbench.compare([recipe(**{hook: answer})], seeds=1, max_steps=2, store=tmp_path)
    if (tmp_path / "runs.sqlite").exists():
        with stabbench.Store(tmp_path, write=False) as store:
            assert list(store.records()) == []


@pytest.mark.parametrize(("hook", "answer", "message"), [BEFORE[0], BEFORE[11], *DURING[:1], *DURING[9:11]])
def test_check_recipe_refuses_the_same(hook: str, answer: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_recipe(recipe(**{hook: answer}))


def test_a_hook_that_draws_at_a_later_step_only_is_refused(tmp_path: Path) -> None:
    def late(self: Recipe, norms: torch.Tensor) -> torch.Tensor:
        STATE["calls"] += 1
        return norms if STATE["calls"] < 6 else torch.rand_like(norms)

    STATE["calls"] = 0
    with pytest.raises(StabbenchError, match="draws random numbers"):
        stabbench.compare([recipe(gradient_scales=late)], seeds=1, max_steps=8, store=tmp_path)


def test_a_hook_may_draw_from_the_seeds_own_stream_and_looking_costs_no_draw(tmp_path: Path) -> None:
    """The built-in mixout, which is asked once, and the same as a user's own, which is asked twice."""

    def mixout(self: Any, weight: torch.Tensor, pretrained: torch.Tensor, bernoulli: Any) -> torch.Tensor:
        from stabbench.optim._mixout import mix

        return mix(weight, pretrained, bernoulli(0.3, (1, weight.shape[-1])), 0.7)

    own = recipe(forward_weight=mixout, dropout=0.0)
    done = stabbench.compare(["mixout", own], seeds=2, max_steps=3, store=tmp_path)
    first, second = ([r.final_loss for r in runs.records] for runs in done.recipes)
    assert first == second
    assert all(r.outcome is not Outcome.MISSING for runs in done.recipes for r in runs.records)
