"""Recipes: one plugin class a method, one file a class. None of this imports torch until a recipe is trained."""

from stabbench.recipes._answers import Intermediate as Intermediate
from stabbench.recipes._answers import ParameterGroup as ParameterGroup
from stabbench.recipes._answers import Stage as Stage
from stabbench.recipes._base import Recipe as Recipe
from stabbench.recipes._fit import check_fit as check_fit
from stabbench.recipes._fit import intermediate as intermediate
from stabbench.recipes._fit import planned_steps as planned_steps
from stabbench.recipes._parameters import parameter as parameter
from stabbench.recipes._registry import get_recipe as get_recipe
from stabbench.recipes._registry import load_file as load_file
from stabbench.recipes._registry import load_plugin as load_plugin
from stabbench.recipes._registry import parse_recipe as parse_recipe
from stabbench.recipes._registry import recipe_class as recipe_class
from stabbench.recipes._registry import recipe_names as recipe_names
from stabbench.recipes._registry import vary as vary

__all__ = [
    "Intermediate",
    "ParameterGroup",
    "Recipe",
    "Stage",
    "check_fit",
    "get_recipe",
    "intermediate",
    "load_file",
    "load_plugin",
    "parameter",
    "parse_recipe",
    "planned_steps",
    "recipe_class",
    "recipe_names",
    "vary",
]
