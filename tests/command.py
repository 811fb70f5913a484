"""The real command, as users give it."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from warm import Warm

COMMAND = [sys.executable, "-m", "stabbench"]


def stabbench(
    *arguments: str | Path, cwd: Path, expect: int = 0, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Ends with that exit code, and never with a traceback."""
    given = [str(argument) for argument in arguments]
    if _warm().usable:
        done = _warm().run(given, cwd, timeout)
    else:
        done = subprocess.run([*COMMAND, *given], cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


@cache
def _warm() -> Warm:
    return Warm()


def without_origin(output: str) -> str:
    """What a command printed, but for the line that says how many of its runs the store had."""
    kept, lines = re.subn(r"(?m)^\d+ of \d+ runs from the store.*\n", "", output)
    assert lines == 1, output
    return kept


def unfolded(text: str) -> str:
    """Every sentence in one line, as it is before it is wrapped."""
    return re.sub(r"\n +", " ", text)
