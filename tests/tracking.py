"""An installed package with trackers: one that writes a run a line, one that fails, and one that is not there."""

import json
from pathlib import Path

import pytest

PACKAGE = '''
import json
import os
from pathlib import Path


class Lines:
    """A run a line of a file."""

    def __init__(self):
        self.path = Path(os.environ["LINES"])
        self.path.touch()

    def logged(self, run_id):
        return any(json.loads(line)["id"] == run_id for line in self.path.read_text().splitlines())

    def log(self, run):
        with self.path.open("a") as file:
            file.write(json.dumps({**vars(run), "parameters": dict(run.parameters)}) + "\\n")

    def close(self):
        self.path.with_suffix(".closed").touch()


class Full(Lines):
    def log(self, run):
        if run.parameters["seed"] == 1:
            raise SystemExit("\\x1b[2Jthe disk is full")
        super().log(run)


class Unreachable:
    def __init__(self):
        raise ConnectionError("nobody listens")
'''


def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the package; the file that its trackers write."""
    site = tmp_path / "site"
    (site / "our_tracking-1.0.dist-info").mkdir(parents=True)
    (site / "our_tracking.py").write_text(PACKAGE)
    entries = "".join(f"{name.lower()} = our_tracking:{name}\n" for name in ("Lines", "Full", "Unreachable"))
    (site / "our_tracking-1.0.dist-info" / "METADATA").write_text("Name: our-tracking\nVersion: 1.0\n")
    (site / "our_tracking-1.0.dist-info" / "entry_points.txt").write_text(f"[stabbench.trackers]\n{entries}")
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("LINES", str(tmp_path / "runs.jsonl"))
    return tmp_path / "runs.jsonl"


def logged(path: Path) -> list[int]:
    """The seeds of the runs that were logged, in order."""
    return [json.loads(line)["parameters"]["seed"] for line in path.read_text().splitlines()]
