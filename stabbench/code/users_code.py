"""Users' code (a plugin, a recipe's hook, a study's file) may raise anything, and end the process."""

from __future__ import annotations

import argparse
import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import NoReturn

PACKAGE = __name__.partition(".")[0]


def is_users(thing: type | FunctionType) -> bool:
    """Whether a class or function is a user's own, and none of this package's."""
    return thing.__module__.partition(".")[0] != PACKAGE


class ProgramEndError(Exception):
    """Users' code called ``sys.exit()``, or raised another exception that is not meant to be caught."""


def in_short(error: BaseException) -> str:
    """The error's type and what it says; of code that ends the program only that it does."""
    text = str(error).strip() or "no message"
    return text if isinstance(error, ProgramEndError) else f"{type(error).__name__}: {text}"


@contextlib.contextmanager
def users_code() -> Iterator[None]:
    """Whatever users' code raises is an ``Exception``, but for Ctrl-C: no plugin ends a command, or a whole test run.

    Raises:
        ProgramEndError: In the place of ``SystemExit`` and its like, with their traceback.
    """
    usual = argparse.ArgumentParser.error
    argparse.ArgumentParser.error = _no_usage  # type: ignore[method-assign, assignment]
    try:
        yield
    except (Exception, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        ended = f"sys.exit({error.code!r})" if isinstance(error, SystemExit) else f"{type(error).__name__}: {error}"
        raise ProgramEndError(f"it ends the program by {ended}").with_traceback(error.__traceback__) from None
    finally:
        argparse.ArgumentParser.error = usual  # type: ignore[method-assign]


def _no_usage(_parser: argparse.ArgumentParser, message: str) -> NoReturn:
    """In the place of ``ArgumentParser.error``: how the plugin is called as a script is no help here."""
    raise SystemExit(f"argparse: {message}")


def where(error: BaseException) -> str:
    """The error in one line, with the place it came from: users' code may be to blame."""
    first_line = in_short(error).splitlines()[0]
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return first_line
    last = frames[-1]
    return f"{first_line} (at {Path(last.filename).name}:{last.lineno} in {last.name})"
