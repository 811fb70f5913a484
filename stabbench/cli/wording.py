"""What a command says of an error that ends it."""

from __future__ import annotations

import io
import shutil
import sys
import textwrap
import traceback
from functools import partial

from click import ClickException

from stabbench.code.users_code import where
from stabbench.errors import StabbenchError, shortened


def in_words(error: BaseException, setting: str) -> str:
    """What went wrong, and what to do about it.

    Args:
        error: Whatever was raised.
        setting: The environment variable that shows the traceback.
    """
    if isinstance(error, ClickException):
        usage = io.StringIO()
        error.show(usage)
        return shortened(usage.getvalue().rstrip())
    if isinstance(error, StabbenchError) or (isinstance(error, OSError) and error.strerror):
        return _folded(f"Error: {error}")
    return _folded(f"Error: {where(error)}\n  {setting}=1 in the environment shows how it came to this")


def _folded(text: str) -> str:
    """Wrapped between words where it goes to a terminal; a log keeps every sentence in one line."""
    text = shortened(text)
    if sys.stderr is None or not sys.stderr.isatty():
        return text
    width = shutil.get_terminal_size().columns
    fold = partial(textwrap.fill, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(fold(line, width) for line in text.splitlines())


def traceback_of(error: BaseException) -> str:
    """As Python prints it."""
    return "".join(traceback.format_exception(error)).rstrip()
