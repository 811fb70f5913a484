"""The modules behind a class that is not of this package: what they import, at any depth, and what is in them.

First-party is what the user may change without an installer noticing: files beside the plugin, on ``PYTHONPATH`` or in
an editable install. Those count by content; other installed packages by their version; Python's own not at all.
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import pkgutil
import sys
import sysconfig
import textwrap
import tokenize
import warnings
from collections.abc import Collection
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType

from stabbench.code import bytecode
from stabbench.code.users_code import PACKAGE

# Their versions are in every fingerprint.
KNOWN = ("torch", "transformers", "tokenizers")
_DYNAMIC = {"import_module", "__import__"}


class Modules:
    """A growing set of modules, with everything that they import.

    Args:
        own: Modules that count by content wherever they are installed, with the rest of their package.
    """

    def __init__(self, own: Collection[str] = ()) -> None:
        self._own = {name.partition(".")[0] for name in own}
        self._roots = frozenset(own)
        self._contents: dict[str, str] = {}
        self._versions: dict[str, str] = {}
        for name in sorted(own):
            self.add(name)

    def add(self, name: str) -> bool:
        """Whether that module counts, in full or by its package's version; what it imports is added as well."""
        waiting, known = [name], True
        while waiting:
            found = waiting.pop()
            if found in self._contents or found in self._versions:
                continue
            top = found.partition(".")[0]
            if top == PACKAGE:
                continue
            spec = _spec(found)
            if spec is None:
                known = known and found != name
            elif top not in self._own and is_installed(found):
                self._versions[found] = _version(top)
            else:
                self._contents[found], imported = _read(spec)
                waiting += imported
        return known

    def contents(self) -> list[str]:
        """The texts of all of them, in one order. The name of a file's module depends on its folder and is left out."""
        texts = [("" if name in self._roots else name, text) for name, text in self._contents.items()]
        return [f"{name}\n{text}" for name, text in sorted(texts)] + sorted(set(filter(None, self._versions.values())))


def is_installed(name: str, *, standard_only: bool = False) -> bool:
    """Whether a module was installed, and not put there as source: by a package manager, or with Python."""
    spec = _spec(name.partition(".")[0])
    if spec is None:
        return False
    places = [spec.origin] if spec.has_location else list(spec.submodule_search_locations or ())
    if not places or spec.origin in ("built-in", "frozen"):
        return True
    for place in map(Path, filter(None, places)):
        managed = bool({"site-packages", "dist-packages"} & set(place.parts))
        if managed or any(place.is_relative_to(folder) for folder in _standard()):
            return not (managed and standard_only)
    return False


@cache
def _standard() -> tuple[str, ...]:
    return tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})


def _version(package: str) -> str:
    """``scipy 1.15.0``; empty for what Python brings and for what is in every fingerprint by itself."""
    if package in KNOWN or package in sys.stdlib_module_names:
        return ""
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return package


def _spec(name: str) -> ModuleSpec | None:
    """Where a module is; unlike ``importlib.util.find_spec``, nothing is imported for it, not even its package."""
    module = sys.modules.get(name)
    if module is not None and getattr(module, "__spec__", None) is not None:
        return module.__spec__
    parent, path = name.rpartition(".")[0], None
    if parent:
        above = _spec(parent)
        if above is None or above.submodule_search_locations is None:
            return None
        path = list(above.submodule_search_locations)
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, path)
        except (AttributeError, ImportError, ValueError):
            continue
        if spec is not None:
            return spec
    return None


_read_before: dict[str, tuple[ModuleSpec, tuple[str, list[str]]]] = {}


def _read(spec: ModuleSpec) -> tuple[str, list[str]]:
    """The content of a module and the names of what it imports: as it was when first asked for, or reloaded."""
    before = _read_before.get(spec.name)
    if before is None or before[0] is not spec:
        before = _read_before[spec.name] = (spec, _read_now(spec))
    return before[1]


def _read_now(spec: ModuleSpec) -> tuple[str, list[str]]:
    source = _source(spec)
    if source is not None:
        try:
            return normalised(source), sorted(_imported(_compiled(source), spec))
        except (SyntaxError, ValueError):  # it is not imported, or that fails
            return source, _parents(spec.name)
    code = getattr(spec.loader, "get_code", lambda _: None)(spec.name)
    if code is not None:  # compiled, and no source beside it
        return bytecode.as_text(code), sorted(_imported(code, spec))
    is_file = spec.origin is not None and Path(spec.origin).is_file()
    return (Path(spec.origin).read_bytes().hex() if is_file and spec.origin else ""), _parents(spec.name)


def _source(spec: ModuleSpec) -> str | None:
    if spec.origin is not None and spec.origin.endswith(".py") and Path(spec.origin).is_file():
        try:
            with tokenize.open(spec.origin) as file:
                return file.read()
        except (SyntaxError, UnicodeDecodeError):  # of its encoding
            return None
    try:
        text: str | None = getattr(spec.loader, "get_source", lambda _: None)(spec.name)
    except (ImportError, OSError):
        return None
    return text


def _compiled(source: str) -> CodeType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said when it was imported
        return compile(source, "module", "exec", dont_inherit=True)


def normalised(source: str) -> str:
    """Source without comments and docstrings, written in one way.

    Raises:
        SyntaxError: It is no Python.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said when it was imported
        tree = ast.parse(textwrap.dedent(source))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _imported(code: CodeType, spec: ModuleSpec) -> set[str]:
    """Names of the modules that a module may import: at its top, inside functions, or by ``import_module``."""
    found = set(_parents(spec.name))
    for statement in bytecode.imports(code, spec.parent or ""):
        found |= {*_parents(statement.module), statement.module}
        found |= {name for m in statement.members if _spec(name := f"{statement.module}.{m}") is not None}
    for part in bytecode.nested(code):
        if _DYNAMIC & set(part.co_names):
            found |= _dynamic(part, spec)
    return found - {spec.name}


def _dynamic(code: CodeType, spec: ModuleSpec) -> set[str]:
    """What ``import_module`` may import: modules that are named there, and all of a package that looks for its own."""
    named = {c for c in code.co_consts if isinstance(c, str) and all(map(str.isidentifier, c.strip(".").split(".")))}
    absolute = {importlib.util.resolve_name(n, spec.parent) if n.startswith(".") and spec.parent else n for n in named}
    found = {name for name in absolute if name and not name.startswith(".") and _spec(name) is not None}
    package = _spec(spec.parent) if spec.parent else None
    return found | (_inside(package) if package is not None else set())


def _inside(package: ModuleSpec) -> set[str]:
    found: set[str] = set()
    for module in pkgutil.iter_modules(package.submodule_search_locations):
        name = f"{package.name}.{module.name}"
        found.add(name)
        inner = _spec(name) if module.ispkg else None
        if inner is not None:
            found |= _inside(inner)
    return found


def _parents(name: str) -> list[str]:
    parts = name.split(".")[:-1]
    return [".".join(parts[: i + 1]) for i in range(len(parts))]
