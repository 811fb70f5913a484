"""What the code of a recipe class is, as a text that changes with it: a part of the identity of its runs.

A class of this package counts by its ``name`` and its ``version``, so that neither a rename nor a comment nor another
way to write the same makes a stored run another one. A class of anyone else counts by content: its own module and every
first-party module behind it (:mod:`stabbench.code.modules`), and the values that it was built with.

What a module reads while it is imported (a data file, an environment variable) cannot be known, and does not count.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Set
from enum import Enum
from typing import Any

from stabbench.code import bytecode
from stabbench.code.modules import Modules, is_installed, normalised
from stabbench.code.users_code import is_users

# A script, and the same script where a worker process has imported it.
MAIN = ("__main__", "__mp_main__")


def code_identity(recipe: type) -> str:
    """Names and versions of the built-in classes, ``mosbach 1, recipe 1``; before them a digest of a user's code."""
    classes = [cls for cls in recipe.__mro__ if cls.__module__ != "builtins"]
    built_in = [cls for cls in classes if not is_users(cls)]
    # Bases from the standard library, such as `abc.ABC`, come with Python, whose version counts by itself.
    others = [cls for cls in classes if is_users(cls) and not is_installed(cls.__module__, standard_only=True)]
    versions = [f"{getattr(c, 'name', '') or 'recipe'} {vars(c)['version']}" for c in built_in if "version" in vars(c)]
    return ", ".join([*([_digest(others)] if others else []), *versions])


def function_identity(function: types.FunctionType) -> str:
    """A digest of a user's function, by content as :func:`code_identity`; empty for one of this package."""
    if not is_users(function):
        return ""
    modules = Modules(own={function.__module__} - set(MAIN))
    return _total([_Described(modules).of_value(function)], modules)


def callable_identity(given: Callable[..., Any]) -> str:
    """A digest of whatever can be called: a function, a partial, a method, or an object of a class of its own.

    By content as :func:`code_identity`, and with the values that it is bound to, as far as they are plain data.
    """
    parts = list(_parts(given))
    homes = {part.__module__ for part in parts if isinstance(part, type | types.FunctionType) and part.__module__}
    modules = Modules(own={home for home in homes if home not in MAIN and not is_installed(home)})
    described = _Described(modules)
    return _total([described.of_value(part) for part in parts], modules)


def _parts(given: Any) -> Iterator[Any]:
    """The code of a callable, and what it is bound to."""
    if isinstance(given, functools.partial):
        yield from _parts(given.func)
        yield from (given.args, given.keywords)
    elif isinstance(given, types.MethodType):
        yield from (given.__func__, getattr(given.__self__, "__dict__", {}))
    elif isinstance(given, types.FunctionType | types.BuiltinFunctionType | type):
        yield given
    else:
        yield from (type(given), getattr(given, "__dict__", {}))


def _digest(classes: list[type]) -> str:
    modules = Modules(own={cls.__module__ for cls in classes if cls.__module__ not in MAIN})
    return _total([_Described(modules).of_class(cls) for cls in classes], modules)


def _total(described: list[str], modules: Modules) -> str:
    total = hashlib.sha256()
    for text in (*described, *modules.contents()):
        total.update(f"{len(text)}:{text}".encode())
    return total.hexdigest()[:16]


class _Described:
    """Values of a running program as texts.

    Args:
        modules: Is told of every module that is found on the way.
    """

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._seen: set[int] = set()

    def of_class(self, cls: type) -> str:
        if id(cls) in self._seen:
            return cls.__qualname__
        self._seen.add(id(cls))
        parts = [self._code(cls)]
        for name, value in sorted(vars(cls).items()):
            if not name.startswith("__") or _function(value):
                parts.append(f"{name}={self.of_value(value)}")
        return "\n".join(parts)

    def of_value(self, value: Any) -> str:
        """A value that a method may use: in full where it is plain data or code, by its type where it is neither."""
        if value is None or isinstance(value, bool | int | float | complex | str | bytes):
            return repr(value)
        if isinstance(value, Mapping):
            return f"{{{', '.join(sorted(f'{self.of_value(k)}: {self.of_value(v)}' for k, v in value.items()))}}}"
        if isinstance(value, Set):
            return f"{{{', '.join(sorted(map(self.of_value, value)))}}}"
        if isinstance(value, list | tuple):
            return f"[{', '.join(map(self.of_value, value))}]"
        if isinstance(value, Enum):
            return f"{type(value).__qualname__}.{value.name}"
        if not isinstance(value, type):
            kind = type(value).__qualname__
            if isinstance(value, types.SimpleNamespace) or dataclasses.is_dataclass(value):
                return f"{kind} {self.of_value(vars(value))}"
            if hasattr(value, "tolist"):  # an array or a tensor
                return f"{kind} {value.tolist()!r}"
        if isinstance(value, functools.partial):
            return f"partial {[self.of_value(part) for part in (value.func, value.args, value.keywords)]}"
        if function := _function(value):
            return self._of_function(function)
        if isinstance(value, types.ModuleType):
            self._modules.add(value.__name__)
            return value.__name__.rpartition(".")[2]
        if isinstance(value, type):
            return self._elsewhere(value) or self.of_class(value)
        return type(value).__qualname__

    def _of_function(self, function: types.FunctionType) -> str:
        if id(function) in self._seen:
            return function.__qualname__
        self._seen.add(id(function))
        bound = [self.of_value(function.__defaults__), self.of_value(function.__kwdefaults__)]
        for cell in function.__closure__ or ():
            try:
                bound.append(self.of_value(cell.cell_contents))
            except ValueError:  # not filled yet
                bound.append("empty")
        return f"{self._elsewhere(function) or self._code(function)} {' '.join(bound)}"

    def _code(self, thing: type | types.FunctionType) -> str:
        """Of a class or function of a module its name, as the module counts in full; of a script or a prompt the code.

        A script counts in what is used of it only: it may also say which seeds to run.
        """
        if name := self._elsewhere(thing):
            return name
        if isinstance(thing, types.FunctionType):
            functions = [thing]
        else:
            functions = [function for value in vars(thing).values() if (function := _function(value))]
        used: dict[str, str] = {}
        for function in functions:
            for name in sorted(bytecode.names(function.__code__) & function.__globals__.keys()):
                used[name] = self.of_value(function.__globals__[name])
        try:
            text = normalised(inspect.getsource(thing))
        except (OSError, TypeError, SyntaxError):
            # Typed at a prompt: no source to read, but the compiled functions are there.
            text = "\n".join(bytecode.as_text(function.__code__) for function in functions)
        return "\n".join([text, *(f"{name}={value}" for name, value in sorted(used.items()))])

    def _elsewhere(self, thing: type | types.FunctionType) -> str:
        """The name of what a module defines that counts in full, or that is installed."""
        elsewhere = thing.__module__ and thing.__module__ not in MAIN and self._modules.add(thing.__module__)
        return thing.__qualname__ if elsewhere else ""


def _function(value: object) -> types.FunctionType | None:
    """The function behind a method, property or static method."""
    for attribute in ("fget", "__func__", "func"):
        if not isinstance(value, types.FunctionType):
            value = getattr(value, attribute, value)
    return value if isinstance(value, types.FunctionType) else None
