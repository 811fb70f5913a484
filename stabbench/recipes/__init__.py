"""Recipes: one plugin class a method, one file a class. None of this imports torch until a recipe is trained."""

from stabbench.recipes._base import Intermediate as Intermediate
from stabbench.recipes._base import Recipe as Recipe
from stabbench.recipes._class import check_class as check_class
from stabbench.recipes._hook_types import FurtherPass as FurtherPass
from stabbench.recipes._hook_types import ParameterGroup as ParameterGroup
from stabbench.recipes._hook_types import Stage as Stage
from stabbench.recipes._hook_types import Subnetwork as Subnetwork
from stabbench.recipes._optimizers import OPTIMIZERS as OPTIMIZERS
from stabbench.recipes._parameters import MOST_STEPS as MOST_STEPS
from stabbench.recipes._parameters import parameter as parameter
from stabbench.recipes._registry import get_recipe as get_recipe
from stabbench.recipes._registry import load_file as load_file
from stabbench.recipes._registry import load_plugin as load_plugin
from stabbench.recipes._registry import parse_recipe as parse_recipe
from stabbench.recipes._registry import recipe_class as recipe_class
from stabbench.recipes._registry import recipe_names as recipe_names
from stabbench.recipes._registry import vary as vary
from stabbench.recipes._validation import check_fit as check_fit
from stabbench.recipes._validation import check_label as check_label
from stabbench.recipes.call_hooks import intermediate as intermediate
from stabbench.recipes.call_hooks import planned_steps as planned_steps
from stabbench.recipes.call_hooks import resolve as resolve

__all__ = [
    "MOST_STEPS",
    "OPTIMIZERS",
    "FurtherPass",
    "Intermediate",
    "ParameterGroup",
    "Recipe",
    "Stage",
    "Subnetwork",
    "check_class",
    "check_fit",
    "check_label",
    "get_recipe",
    "intermediate",
    "load_file",
    "load_plugin",
    "parameter",
    "parse_recipe",
    "planned_steps",
    "recipe_class",
    "recipe_names",
    "resolve",
    "vary",
]
