"""stabbench: a benchmark harness for fine-tuning stability.

The names below are loaded when they are first used, so that ``import stabbench`` is fast and torch is not imported
before it is needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stabbench import optim as optim
    from stabbench.api.baselines import gate as gate
    from stabbench.api.baselines import record_baselines as record_baselines
    from stabbench.api.baselines import update_baselines as update_baselines
    from stabbench.api.diagnosis import diagnose as diagnose
    from stabbench.api.elsewhere import compare_results as compare_results
    from stabbench.api.elsewhere import diagnose_results as diagnose_results
    from stabbench.api.elsewhere import gate_results as gate_results
    from stabbench.api.elsewhere import record_results as record_results
    from stabbench.api.elsewhere import report_results as report_results
    from stabbench.api.machine import doctor as doctor
    from stabbench.api.page import report as report
    from stabbench.api.past import history as history
    from stabbench.api.past import show_baselines as show_baselines
    from stabbench.api.past import verify_baselines as verify_baselines
    from stabbench.api.training import compare as compare
    from stabbench.api.training import measure as measure
    from stabbench.api.training import run_study as run_study
    from stabbench.api.weights import kept_weights as kept_weights
    from stabbench.errors import StabbenchError as StabbenchError
    from stabbench.gate.comparison import Comparison as Comparison
    from stabbench.optim._mixout import mixout as mixout
    from stabbench.recipes import Recipe as Recipe
    from stabbench.recipes import get_recipe as get_recipe
    from stabbench.recipes import load_plugin as load_plugin
    from stabbench.recipes import parameter as parameter
    from stabbench.recipes import recipe_names as recipe_names
    from stabbench.records.run import Outcome as Outcome
    from stabbench.records.run import RunRecord as RunRecord
    from stabbench.records.seeds import Seeds as Seeds
    from stabbench.records.store import Store as Store
    from stabbench.studies.loading import study_names as study_names
    from stabbench.studies.study import Study as Study
    from stabbench.tasks.given import task as task
    from stabbench.tasks.metrics import metric as metric
    from stabbench.tasks.registry import task_names as task_names
    from stabbench.tasks.task import Examples as Examples
    from stabbench.tasks.task import Task as Task
    from stabbench.testing import check_recipe as check_recipe

from stabbench._version import __version__ as __version__
from stabbench.code.noted import note_imports

note_imports()

_HOMES = {
    "Comparison": "stabbench.gate.comparison",
    "Examples": "stabbench.tasks.task",
    "Outcome": "stabbench.records.run",
    "Recipe": "stabbench.recipes",
    "RunRecord": "stabbench.records.run",
    "Seeds": "stabbench.records.seeds",
    "StabbenchError": "stabbench.errors",
    "Store": "stabbench.records.store",
    "Study": "stabbench.studies.study",
    "Task": "stabbench.tasks.task",
    "check_recipe": "stabbench.testing",
    "compare": "stabbench.api.training",
    "compare_results": "stabbench.api.elsewhere",
    "diagnose": "stabbench.api.diagnosis",
    "diagnose_results": "stabbench.api.elsewhere",
    "doctor": "stabbench.api.machine",
    "gate": "stabbench.api.baselines",
    "gate_results": "stabbench.api.elsewhere",
    "get_recipe": "stabbench.recipes",
    "history": "stabbench.api.past",
    "kept_weights": "stabbench.api.weights",
    "load_plugin": "stabbench.recipes",
    "measure": "stabbench.api.training",
    "metric": "stabbench.tasks.metrics",
    "mixout": "stabbench.optim._mixout",
    "parameter": "stabbench.recipes",
    "record_baselines": "stabbench.api.baselines",
    "record_results": "stabbench.api.elsewhere",
    "recipe_names": "stabbench.recipes",
    "report": "stabbench.api.page",
    "report_results": "stabbench.api.elsewhere",
    "run_study": "stabbench.api.training",
    "show_baselines": "stabbench.api.past",
    "study_names": "stabbench.studies.loading",
    "task": "stabbench.tasks.given",
    "task_names": "stabbench.tasks.registry",
    "update_baselines": "stabbench.api.baselines",
    "verify_baselines": "stabbench.api.past",
}

__all__ = ["__version__", "optim", *_HOMES]


def __getattr__(name: str) -> Any:
    if name == "optim":
        return importlib.import_module("stabbench.optim")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'stabbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
