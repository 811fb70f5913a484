"""`scripts/kills.py`: a few kills, of the many that it can do."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

SCRIPT = Path(__file__).parents[2] / "scripts" / "kills.py"


def test_a_few_kills_lose_double_change_and_leave_nothing() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--kills", "5"], capture_output=True, text=True, timeout=1200)
    *_, counts = done.stdout.splitlines()
    assert re.sub(r"of \d+ stores", "", counts) == (
        "5 kills : 0 lost, 0 doubled, 0 other numbers, 0 orphans, 0 hung, 0 wrong exit codes, 0 files left"
    ), done.stdout + done.stderr
    assert done.returncode == 0
