"""stabbench: a benchmark harness for fine-tuning stability.

The names below are loaded when they are first used, so that ``import stabbench`` is fast and torch is not imported
before it is needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stabbench import optim as optim
    from stabbench.api import compare as compare
    from stabbench.comparison import Comparison as Comparison
    from stabbench.contract import check_recipe as check_recipe
    from stabbench.errors import StabbenchError as StabbenchError
    from stabbench.functional import mixout as mixout
    from stabbench.recipes import Recipe as Recipe
    from stabbench.recipes import get_recipe as get_recipe
    from stabbench.recipes import load_plugin as load_plugin
    from stabbench.recipes import parameter as parameter
    from stabbench.recipes import recipe_names as recipe_names
    from stabbench.records import Outcome as Outcome
    from stabbench.records import RunRecord as RunRecord
    from stabbench.seeds import Seeds as Seeds
    from stabbench.store import Store as Store
    from stabbench.studies import Study as Study
    from stabbench.studies import run_study as run_study

__version__ = "0.1.0"

_HOMES = {
    "Comparison": "stabbench.comparison",
    "Outcome": "stabbench.records",
    "Recipe": "stabbench.recipes",
    "RunRecord": "stabbench.records",
    "Seeds": "stabbench.seeds",
    "StabbenchError": "stabbench.errors",
    "Store": "stabbench.store",
    "Study": "stabbench.studies",
    "check_recipe": "stabbench.contract",
    "compare": "stabbench.api",
    "get_recipe": "stabbench.recipes",
    "load_plugin": "stabbench.recipes",
    "mixout": "stabbench.functional",
    "parameter": "stabbench.recipes",
    "recipe_names": "stabbench.recipes",
    "run_study": "stabbench.studies",
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
