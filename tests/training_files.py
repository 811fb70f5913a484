"""Training files whose command is a few lines of Python, for several folders of tests."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

# Without what an environment adds: a tenth of a second a run.
PYTHON = f"{shlex.quote(sys.executable)} -I -S"
#: A score that the seed decides, and a loss beside it.
GOOD = """
import json, pathlib, random, sys
seed, output = int(sys.argv[1]), pathlib.Path(sys.argv[2])
draw = random.Random(seed)
result = {"accuracy": round(draw.gauss(0.8, 0.02), 3), "loss": draw.random(), "runtime": 1.5}
(output / "result.json").write_text(json.dumps(result))
print("done")
"""


def training_file(folder: Path, script: str = GOOD, name: str = "mine", more: str = "", **keys: Any) -> Path:
    """Write a script and its training file. ``keys`` are the file's, for the usual ones; None leaves one out."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(script)
    usual = {
        "command": f"{PYTHON} {name}.py {{seed}} {{output}}",
        "score": "{output}/result.json:accuracy",
        "constant_score": 0.5,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in {**usual, **keys}.items() if value is not None]
    path = folder / f"{name}.toml"
    path.write_text("\n".join([*lines, more]))
    return path
