"""Reading a TOML file that anybody may have written."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

MOST_BYTES = 100_000
# The time that tomllib takes grows with the square of a dotted key's length: minutes for a line.
_DEEP_KEY = re.compile(r"(?<![\w-])(?:[\w-]+\s*\.\s*){50}")
_STRING = re.compile(r""" "(?:[^"\\\n]|\\.)*" | '[^'\n]*' """, re.VERBOSE)


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        ValueError: It is too large, nested too deeply, not UTF-8, or no TOML.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        text = file.read(MOST_BYTES + 1).decode("utf-8")
    if len(text) > MOST_BYTES:
        raise ValueError(f"it is over {MOST_BYTES:,} bytes")
    if _DEEP_KEY.search(_STRING.sub("s", text)):
        raise ValueError("it is nested too deeply")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
