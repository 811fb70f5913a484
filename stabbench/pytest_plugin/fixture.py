"""The ``stability`` fixture: assertions about recipes that read like sentences.

::

    def test_our_recipe(stability):
        result = stability.run("mosbach:lr=1e-5", task="glue/rte", model="bert-large-uncased", data_dir="GLUE")
        result.has_no_failed_runs()
        result.std_below(0.03)
        result.not_less_stable_than_baseline()
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from stabbench.api import seed_list
from stabbench.baselines import cell_name, load
from stabbench.plan import DEFAULT_MODEL, DEFAULT_TASK, Plan
from stabbench.pytest_plugin.result import StabilityResult
from stabbench.pytest_plugin.session import Session, explained
from stabbench.recipes import Recipe, parse_recipe


class Stability(Session):
    """Runs recipes for a test."""

    def run(
        self,
        recipe: str | Recipe,
        *,
        task: str = DEFAULT_TASK,
        model: str = DEFAULT_MODEL,
        seeds: int | Sequence[int] | None = None,
        **options: Any,
    ) -> StabilityResult:
        """Train a recipe over seeds, or take what the store has.

        Args:
            recipe: Such as ``"mosbach"`` or ``"devlin:lr=3e-5"``, or a :class:`stabbench.Recipe`.
            task: Such as ``"lab/entailment"`` or ``"glue/rte"``.
            model: ``"lab"``, a local folder or a hub id.
            seeds: Their number (none of them the baseline's, if there is one), or a list; by default the number that
                ``--stability-seeds`` says.
            options: Further fields of :class:`stabbench.plan.Plan`, such as ``data_dir``, ``max_steps`` or ``workers``.
        """
        __tracebackhide__ = True
        with explained():
            made = parse_recipe(recipe) if isinstance(recipe, str) else recipe
            # Each process of pytest-xdist trains by itself; and a recipe of a test file is known in this process only.
            own = not type(made).__module__.startswith("stabbench.")
            options.setdefault("workers", 1 if own or "PYTEST_XDIST_WORKER" in os.environ else None)
            baseline = load(self.settings.baselines, must_exist=False).get(cell_name(made.label, task, model))
            count = self.settings.seeds if seeds is None else seeds
            if isinstance(count, int):
                numbers = baseline.fresh_seeds(count) if baseline else list(range(count))
            else:
                numbers = list(count)
            plan = Plan(
                recipes=[made],
                task=task,
                model=model,
                seeds=seed_list(numbers),
                **{"device": self.settings.device, **options},
            )
            result = StabilityResult(self, plan, baseline)
            if not self.settings.sequential:
                _ = result.runs
            return result
