"""What a RECIPE on a command line, in Python or in a study may be: a recipe, or a training file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

from stabbench.errors import StabbenchError
from stabbench.recipes import Recipe, parse_recipe
from stabbench.recipes import vary as vary_recipe
from stabbench.trainings.training import Training, split_text

Method: TypeAlias = Recipe | Training


def find_method(text: str) -> Method:
    """A recipe such as ``devlin:lr=3e-5``, or the training of a file such as ``rte.toml:lr=3e-5``.

    Raises:
        StabbenchError: There is none.
    """
    if not is_training_file(text):
        return parse_recipe(text)
    from stabbench.trainings.file import read_training  # what runs it is not for `stabbench --help`

    return read_training(text)


def vary(method: Method, parameters: Mapping[str, Any]) -> Method:
    """``method`` with some parameters set anew.

    Raises:
        StabbenchError: A parameter that it does not have, or a value that it cannot have.
    """
    if isinstance(method, Recipe):
        return vary_recipe(method, parameters)
    from stabbench.trainings.command import CommandTraining

    assert isinstance(method, CommandTraining), "a study names files"
    return method.varied(parameters)


def label_of(text: str, known: Collection[str]) -> str:
    """The label of a RECIPE in any spelling: ``devlin:lr=0.00001`` is ``devlin:lr=1e-5``, ``rte.toml`` is ``bert-rte``.

    Args:
        text: The recipe, or a training file.
        known: The labels that there are: a text that is one of them is taken as it is.

    Raises:
        StabbenchError: A training file that cannot be read.
    """
    if text in known:
        return text
    if is_training_file(text):
        return find_method(text).label
    try:
        return find_method(text).label
    except StabbenchError:  # a recipe of a plugin that was not named, or something else
        return text


def is_training_file(text: str) -> bool:
    """Whether a text names a training file, there or not, rather than a recipe."""
    return split_text(text) is not None
