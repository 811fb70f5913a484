"""Reading compiled code: what it names, and what it imports."""

from __future__ import annotations

import dis
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

_LOADS = ("LOAD_CONST", "LOAD_SMALL_INT")
_NAMED = ("IMPORT_NAME",)


def nested(code: CodeType) -> Iterator[CodeType]:
    """The code itself, and that of every class and function in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from nested(constant)


def names(code: CodeType) -> set[str]:
    """Global names and attributes that the code uses."""
    return {name for part in nested(code) for name in part.co_names}


def as_text(code: CodeType) -> str:
    """The instructions, with the names and constants that they use; line numbers and files are left out."""
    lines = []
    for part in nested(code):
        constants = [repr(c) for c in part.co_consts if not isinstance(c, CodeType)]
        lines.append(f"{part.co_code.hex()} {part.co_names} {constants}")
    return "\n".join(lines)


@dataclass(frozen=True)
class Import:
    """An import statement.

    Attributes:
        module: The module's absolute name.
        members: What is taken from it; empty for ``import module``.
    """

    module: str
    members: tuple[str, ...]


def imports(code: CodeType, package: str) -> Iterator[Import]:
    """Every import statement, also inside functions; ``package`` is what relative ones start from."""
    for part in nested(code):
        for operation, value, level, members in _with_loaded(part):
            if operation == "IMPORT_NAME":
                module = absolute(str(value), level, package)
                if module:
                    yield Import(module, members if isinstance(members, tuple) else ())


def absolute(module: str, level: object, package: str) -> str:
    """The absolute name of a module that is imported with ``level`` dots; empty where there is no such package."""
    if not isinstance(level, int) or level < 1:
        return module
    try:
        return importlib.util.resolve_name("." * level + module, package)
    except ImportError:
        return ""


def _with_loaded(code: CodeType) -> Iterator[tuple[str, object, object, object]]:
    """Every instruction that loads no constant, with the last two constants: of an import its level and members."""
    level: object = 0
    members: object = None
    for operation, value in _instructions(code):
        if operation in _LOADS:
            level, members = members, value
        else:
            yield operation, value, level, members


def _instructions(code: CodeType) -> Iterator[tuple[str, object]]:
    """Name and argument of every instruction; as ``dis`` gives them, in a tenth of the time."""
    instructions, extended = code.co_code, 0
    for place in range(0, len(instructions), 2):
        operation, argument = dis.opname[instructions[place]], instructions[place + 1] | extended
        extended = argument << 8 if operation == "EXTENDED_ARG" else 0
        if operation in _NAMED:
            yield operation, code.co_names[argument]
        elif operation == "LOAD_CONST":
            yield operation, code.co_consts[argument]
        else:
            yield operation, argument
