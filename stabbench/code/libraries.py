"""Whether what computes in PyTorch and transformers is those libraries' own.

A plugin that assigns to ``torch.nn.functional.linear`` changes the numbers of every recipe, and no identity says so.
Nothing need be noted to find that: a function knows the module that it is of.
"""

from __future__ import annotations

import builtins
import functools
import re
import sys
from collections.abc import Iterator
from functools import cache
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, ModuleType
from typing import Any

from stabbench.code import bytecode
from stabbench.code.modules import is_installed
from stabbench.code.noted import home, innermost

_LIBRARIES = ("torch", "transformers")
# What computes. What else may be replaced there (to read files, to find a GPU) changes no number in silence.
_COMPUTES = re.compile(
    r"torch\.(nn\.functional|nn\.modules\.\w+|nn\.init|functional|linalg|special|optim\.optimizer|autograd\.function)"
    r"|transformers\.(activations|pytorch_utils|masking_utils|models\.(?!auto\b)\w+\.modeling_\w+)"
)
_HOOKED = ("torch.nn.modules.module", "torch.optim.optimizer")


def replaced_in_libraries() -> Iterator[str]:
    """The full names of functions and methods there that others wrote, and of hooks on all modules or optimizers."""
    if "torch" not in sys.modules:
        return
    torch = sys.modules["torch"]
    yield from (f"torch.{name}" for name in _of_others(torch) if name in _operations())
    yield from (
        f"torch.Tensor.{name}" for name in _of_others(torch.Tensor) if _is_known(name, torch.Tensor, torch._tensor)
    )
    for full, module in list(sys.modules.items()):
        if _COMPUTES.fullmatch(full):
            yield from (f"{full}.{name}" for name in _of_others(module) if _is_known(name, module, module))
            for own, value in vars(module).items():
                if isinstance(value, type) and value.__module__ == full:
                    yield from (f"{full}.{own}.{name}" for name in _of_others(value) if _is_known(name, value, module))
    for full in _HOOKED:
        for own, hooks in vars(sys.modules.get(full, object)).items():
            if own.startswith("_global_") and isinstance(hooks, dict) and any(map(_is_of_others, hooks.values())):
                yield f"{full}.{own}"


@cache
def _operations() -> frozenset[str]:
    import torch

    return frozenset(dir(torch._C._VariableFunctions)) | frozenset(torch.functional.__all__)


def _is_known(name: str, place: ModuleType | type, module: ModuleType) -> bool:
    """Whether the library has or uses that name: what is only put beside its own replaces nothing."""
    inherited = isinstance(place, type) and any(hasattr(base, name) for base in place.__bases__)
    return inherited or name in vars(builtins) or name in _names_in(module)


@cache
def _names_in(module: ModuleType) -> frozenset[str]:
    spec = module.__spec__
    code = getattr(spec and spec.loader, "get_code", lambda _: None)(module.__name__)
    return frozenset(vars(module)) if code is None else frozenset(bytecode.names(code))


# Nothing that a plugin could have written; they are most of what there is.
_PLAIN = frozenset((BuiltinFunctionType, MethodDescriptorType, str, int, bool, float, dict, list, tuple, type(None)))


def _of_others(place: ModuleType | type) -> list[str]:
    return [name for name, value in vars(place).items() if type(value) not in _PLAIN and _is_of_others(value)]


def _is_of_others(value: Any) -> bool:
    function = innermost(value)
    while isinstance(function, functools.partial):
        function = innermost(function.func)
    if isinstance(function, FunctionType):
        return not _is_theirs(home(function))
    return not _is_theirs(function.__module__ if isinstance(function, type) else type(function).__module__)


@cache
def _is_theirs(module: str) -> bool:
    """Theirs, or what they use: of Python, or of another installed package. A named tuple has a module of its own."""
    top = module.partition(".")[0]
    return top in _LIBRARIES or top.startswith("namedtuple_") or is_installed(top)
