"""Rooms of the package whose name is also that of a command: ``stabbench.gate`` is both a folder and a function."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


class Room(ModuleType):
    """A module that is called as the public function of its name.

    Python sets a package's attribute to whatever module of that name is imported, also where a function should be.
    """

    @property
    def __call__(self) -> Callable[..., Any]:
        package, _, name = self.__name__.rpartition(".")
        function: Callable[..., Any] = getattr(importlib.import_module(sys.modules[package]._HOMES[name]), name)
        return function

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self.__call__)


def is_function_too(name: str) -> None:
    """Say of a module that it is called as the public function of its name."""
    sys.modules[name].__class__ = Room
