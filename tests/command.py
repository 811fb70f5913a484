"""The real command, as users give it."""

import subprocess
import sys
from pathlib import Path

COMMAND = [sys.executable, "-m", "stabbench"]


def stabbench(
    *arguments: str | Path, cwd: Path, expect: int = 0, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Ends with that exit code, and never with a traceback."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done
