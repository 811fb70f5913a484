"""Notes what each module that trains or scores contains when its import ends, to find what was changed later.

A plugin may import a module of this package before anything else does, and change it at once. So the modules are noted
by the import itself, which costs nothing that can be measured, and holds for whatever a module has: compiled files,
files whose assertions pytest rewrites, and machine code alike.
"""

from __future__ import annotations

import builtins
import dataclasses
import functools
import sys
from collections import ChainMap, Counter, OrderedDict, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any

from stabbench.code.modules import is_installed
from stabbench.code.users_code import PACKAGE

# What training and scoring is made of; the rest cannot change a run's numbers.
TRAINING = (
    *(f"{PACKAGE}.{room}" for room in ("engine", "models", "optim", "recipes", "tasks")),
    f"{PACKAGE}.records.seeds",
)

Held = Mapping[str, object]
_noted: dict[str, tuple[ModuleType, Held]] = {}


def note_imports() -> None:
    """Note from now on what the modules of :data:`TRAINING` hold."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def changed() -> Iterator[str]:
    """The full names of whatever is not what it was when its module was imported."""
    for name, (module, before) in sorted(_noted.items()):
        if sys.modules.get(name) is module:
            yield from _different(before, dict(_held(module)))


def innermost(value: Any) -> Any:
    """What is behind decorators of Python and of installed packages; a plugin's own decorator is a replacement."""
    while True:
        if isinstance(value, property):
            value = value.fget
        elif isinstance(value, classmethod | staticmethod):
            value = value.__func__
        elif isinstance(value, cached_property):
            value = value.func
        elif isinstance(value, functools._lru_cache_wrapper) or (
            isinstance(value, FunctionType) and hasattr(value, "__wrapped__") and _is_installed(home(value))
        ):
            value = value.__wrapped__
        else:
            return value


def home(function: FunctionType) -> str:
    """The module that a function is really of, whatever a wrapper says."""
    return str(function.__globals__.get("__name__", "__main__"))


_is_installed = cache(is_installed)


class _Finder(MetaPathFinder):
    """Finds what the finders behind it find, and has it noted."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not any(fullname == room or fullname.startswith(f"{room}.") for room in TRAINING):
            return None
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader)
                return spec
        return None


class _Loader(Loader):
    """Loads a module by its own loader, which is in its place again before the module can see it."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _noted[module.__name__] = (module, dict(_held(module)))

    def __getattr__(self, name: str) -> Any:  # its source, its code, its resources
        return getattr(self._loader, name)


def _held(module: ModuleType) -> Iterator[tuple[str, object]]:
    """Functions, classes with all that is in them, imported names, and constants; other data may change as it runs."""
    for name, value in vars(module).items():
        full = f"{module.__name__}.{name}"
        if isinstance(value, type) and value.__module__ == module.__name__:
            yield from _held_by_class(full, value)
        elif name in vars(builtins) or (not name.startswith("__") and (name.isupper() or _is_code(value))):
            yield full, _content(value)


def _held_by_class(full: str, cls: type) -> Iterator[tuple[str, object]]:
    yield full, (_Same(cls), tuple(map(_Same, cls.__bases__)))
    for name, value in vars(cls).items():
        function = innermost(value)
        is_function = isinstance(function, FunctionType)
        # Python itself adds names of its own, and functions to a protocol, when they are first used.
        if (name.startswith("__") and not is_function) or (is_function and home(function) == "typing"):
            continue
        if isinstance(value, type) and value.__qualname__ == f"{cls.__qualname__}.{name}":
            yield from _held_by_class(f"{full}.{name}", value)
        else:
            yield f"{full}.{name}", _content(value)


def _is_code(value: Any) -> bool:
    return isinstance(value, ModuleType | type) or callable(value)


def _different(before: Held, now: Held) -> Iterator[str]:
    found: set[str] = set()
    for name in before.keys() | now.keys():
        class_or_module, _, own = name.rpartition(".")
        # A module may get more, such as its submodules; but not what hides a name of Python's.
        is_extra = name not in before and class_or_module not in before and own not in vars(builtins)
        if not is_extra and before.get(name) != now.get(name):
            found.add(name)
    # A class that was replaced has other methods, too.
    return (name for name in sorted(found) if name.rpartition(".")[0] not in found)


def _content(value: Any) -> object:
    """What a value is, to be compared: numbers, texts and collections by what is in them, functions by their code."""
    kind = type(value)
    if kind in _SCALARS:
        return kind, repr(value)
    if kind in (tuple, list):
        return kind, tuple(map(_content, value))
    function = innermost(value)
    if isinstance(function, FunctionType):
        defaults = (_content(function.__defaults__), _content(function.__kwdefaults__))
        return _Same(function), function.__code__, defaults
    # To look into another library's mapping may import half of it: transformers' map from configurations to models.
    if kind in _MAPPINGS:
        return kind, tuple((_content(key), _content(each)) for key, each in value.items())
    if kind in (set, frozenset):
        return kind, frozenset(map(_content, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return kind, tuple(_content(getattr(value, field.name)) for field in dataclasses.fields(value))
    return _Same(value)


_SCALARS = frozenset((type(None), bool, int, float, complex, str, bytes))
_MAPPINGS = frozenset((dict, MappingProxyType, OrderedDict, defaultdict, Counter, ChainMap))


class _Same:
    """Equal to nothing but the very same object."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._value is other._value

    def __hash__(self) -> int:
        return id(self._value)
