"""The shell steps of ``action.yml``, run as GitHub runs them, and its comment against a stand-in for GitHub's API."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from github import GitHub

import stabbench

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"] if "run" in step}
GATE = "--from mosbach=new.csv --constant-score 0.5"


@pytest.fixture
def github() -> Iterator[GitHub]:
    hub = GitHub()
    thread = threading.Thread(target=hub.server.serve_forever, args=(0.02,))
    thread.start()
    yield hub
    hub.server.shutdown()
    thread.join()
    hub.server.server_close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """With a baseline, and with new results that are as good."""
    stabbench.record_results({"mosbach": EXAMPLES / "scores.csv"}, tmp_path / "baselines.json", constant_score=0.5)
    (tmp_path / "new.csv").write_text((EXAMPLES / "new_scores.csv").read_text())
    return tmp_path


class Job:
    """A job of a workflow: what its steps write is there for the later ones."""

    def __init__(self, project: Path, api: str, **inputs: str) -> None:
        self.project, self.api = project, api
        self.inputs = {name: str(given.get("default", "")) for name, given in ACTION["inputs"].items()}
        self.inputs |= {"token": "a token", **inputs}
        self.outputs: dict[str, str] = {}
        self.summary = project / "summary.md"

    def value(self, text: str) -> str:
        """What an expression stands for."""
        known = {f"inputs.{name}": value for name, value in self.inputs.items()}
        known |= {f"steps.gate.outputs.{name}": value for name, value in self.outputs.items()}
        known |= {"github.event.pull_request.number": "7", "github.token": "a token"}
        known |= {"github.run_id": "1000", "github.run_attempt": "2"}
        return re.sub(r"\$\{\{ ([^}]*) \}\}", lambda found: known[found[1]], text)

    def run(self, name: str, expect: int = 0, more: Mapping[str, str] | None = None) -> str:
        """A step's output."""
        step, output = STEPS[name], self.project / "output"
        output.write_text("")
        environment = {
            **os.environ,
            **{key: self.value(text) for key, text in step.get("env", {}).items()},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_API_URL": self.api,
            "GITHUB_REPOSITORY": "ours/models",
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self.project),
            **(more or {}),
        }
        script = self.project / "step.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.project, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == expect, f"{done.stdout}\n{done.stderr}"
        if step.get("id") == "gate":
            self.outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return done.stdout


def worse(project: Path, recipe: str = "mosbach") -> None:
    """New results of which most are no better than a constant."""
    with (project / "new.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["recipe", "seed", "accuracy"])
        rows.writerows([recipe, 100 + seed, 0.5 if seed % 3 else 0.8] for seed in range(20))


def test_a_gate_that_passes(project: Path, github: GitHub) -> None:
    job = Job(project, github.url, arguments=GATE)
    said = job.run("gate")
    assert "::" not in said
    assert (job.outputs["verdict"], job.outputs["exit-code"]) == ("PASS", "0")
    folder = Path(job.outputs["folder"])
    assert json.loads((folder / "verdict.json").read_text())["verdict"] == "PASS"
    assert json.loads((folder / "badge.json").read_text()) == {
        "schemaVersion": 1, "label": "fine-tuning stability", "message": "PASS", "color": "brightgreen",
    }  # fmt: skip
    assert len((folder / "runs.csv").read_text().splitlines()) > 20
    assert "## ✅ Fine-tuning stability: PASS" in job.summary.read_text()
    assert "comment: https://new" in job.run("comment")
    job.run("verdict")


def test_the_comment_is_written_once_and_then_over(project: Path, github: GitHub) -> None:
    others = [{"id": n, "body": f"> <!-- stabbench gate: gate -->\nquoted {n}", "html_url": ""} for n in range(150)]
    github.comments += [*others, {"id": 500, "body": None, "html_url": ""}]
    before = json.dumps(github.comments)
    job = Job(project, github.url, arguments=GATE)
    job.run("gate")
    job.run("comment")
    worse(project)
    job.run("gate")
    assert "comment: https://same" in job.run("comment")
    other = Job(project, github.url, arguments=GATE, name="another gate")
    other.run("gate")
    assert "comment: https://new" in other.run("comment")
    assert json.dumps(github.comments[:151]) == before
    gate, another = github.comments[151:]
    assert gate["body"].startswith("<!-- stabbench gate: gate -->\n## ❌ Fine-tuning stability: FAIL")
    assert another["body"].startswith("<!-- stabbench gate: another gate -->\n")


def test_a_gate_that_fails_is_annotated_and_fails_the_job(project: Path, github: GitHub) -> None:
    worse(project)
    job = Job(project, github.url, arguments=GATE)
    (command,) = [line for line in job.run("gate").splitlines() if line.startswith("::")]
    assert command.startswith("::error title=fine-tuning stability%3A FAIL::mosbach (measured elsewhere): ")
    assert json.loads((Path(job.outputs["folder"]) / "badge.json").read_text())["color"] == "red"
    job.run("verdict", expect=1)


def test_an_inconclusive_gate_is_a_warning_unless_it_is_to_fail(project: Path, github: GitHub) -> None:
    lines = (project / "new.csv").read_text().splitlines()
    (project / "new.csv").write_text("\n".join(lines[:5]))
    job = Job(project, github.url, arguments=GATE)
    assert "\n::warning title=fine-tuning stability%3A INCONCLUSIVE::" in job.run("gate")
    job.run("verdict")
    job.inputs["inconclusive"] = "fail"
    job.run("verdict", expect=2)


def test_a_gate_without_a_verdict_says_so_and_fails_the_job(project: Path, github: GitHub) -> None:
    job = Job(project, github.url, arguments="--from 'mosbach=no such file.csv' --constant-score 0.5")
    job.run("gate")
    assert (job.outputs["verdict"], job.outputs["exit-code"]) == ("ERROR", "3")
    assert "There is no verdict" in job.summary.read_text()
    job.run("comment")
    assert "There is no verdict" in github.comments[0]["body"]
    job.run("verdict", expect=3)


def test_a_token_that_may_not_comment_is_a_warning(project: Path, github: GitHub, closed_endpoint: str) -> None:
    job = Job(project, github.url, arguments=GATE)
    job.run("gate")
    github.refuses = True
    assert re.match(r"::warning title=no comment::HTTPError%?.*403", job.run("comment"))
    job.api = closed_endpoint
    assert job.run("comment").startswith("::warning title=no comment::URLError")


def test_what_a_file_says_is_no_command(project: Path, github: GitHub) -> None:
    """A name with what GitHub takes as a command, or with what its command line would take for code."""
    hostile = "a\n::error::b%0A::set-output name=x::y,::$(touch pwned)"
    (project / "baselines.json").unlink()
    (project / "old.jsonl").write_text(
        "".join(json.dumps({"recipe": hostile, "seed": s, "score": 0.8}) + "\n" for s in range(30))
    )
    stabbench.record_results(project / "old.jsonl", project / "baselines.json", constant_score=0.5)
    (project / "new.jsonl").write_text(
        "".join(json.dumps({"recipe": hostile, "seed": 50 + s, "score": 0.4}) + "\n" for s in range(30))
    )
    job = Job(project, github.url, arguments="--from new.jsonl --constant-score 0.5 '$(touch pwned)' ; touch pwned")
    job.run("gate")
    assert job.outputs["verdict"] == "ERROR"
    job.inputs["arguments"] = "--from new.jsonl --constant-score 0.5"
    commands = [line for line in job.run("gate").splitlines() if line.lstrip().startswith("::")]
    assert job.outputs["verdict"] == "FAIL"
    (command,) = commands
    assert command.startswith("::error title=fine-tuning stability%3A FAIL::a ")
    assert "%250A" in command, "a percent sign is one, and no escape"
    assert not list(project.rglob("pwned"))


def test_the_package_is_installed_from_the_actions_own_source(project: Path, tmp_path: Path) -> None:
    """Without what it depends on, and with the build backend that is here: a test asks no network."""
    pytest.importorskip("hatchling")
    target = tmp_path / "installed"
    environment = {"PIP_TARGET": str(target), "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1"}
    Job(project, "").run("install", more=environment)
    assert (target / "stabbench" / "cli" / "commands.py").is_file()
    assert list((target / "bin").glob("stabbench*"))


# What https://github.com/actions/cache and https://github.com/actions/upload-artifact document of these versions.
KNOWN_INPUTS = {
    "actions/cache/restore@v4": {
        "path", "key", "restore-keys", "enableCrossOsArchive", "fail-on-cache-miss", "lookup-only",
    },
    "actions/cache/save@v4": {"path", "key", "upload-chunk-size", "enableCrossOsArchive"},
    "actions/upload-artifact@v4": {
        "name", "path", "if-no-files-found", "retention-days", "compression-level", "overwrite",
        "include-hidden-files",
    },
}  # fmt: skip


def test_other_actions_get_what_they_know(project: Path) -> None:
    """A misspelt input is a warning on GitHub, and has no effect."""
    job, used = Job(project, ""), [step for step in ACTION["runs"]["steps"] if "uses" in step]
    assert [step["uses"] for step in used] == list(KNOWN_INPUTS)
    for step in used:
        assert set(step["with"]) <= KNOWN_INPUTS[step["uses"]]
    job.outputs = {"folder": "/tmp/folder"}
    restored, saved, kept = ({key: job.value(str(text)) for key, text in step["with"].items()} for step in used)
    assert restored["path"] == saved["path"] == "./.stabbench"
    # A key is written once and never again: each attempt has its own, and begins with the newest of its name.
    assert restored["key"] == saved["key"] == "stabbench-gate-1000-2"
    assert saved["key"].startswith(restored["restore-keys"])
    assert kept == {"name": "stabbench-gate", "path": "/tmp/folder", "overwrite": "True"}
    order = [step.get("name", step.get("uses")) for step in ACTION["runs"]["steps"]]
    assert order.index("gate") < order.index("actions/cache/save@v4") < order.index("verdict"), (
        "before it fails the job"
    )
    assert used[1]["if"] == "always()"


def test_every_expression_stands_for_something() -> None:
    """Inputs and outputs that are misspelt are empty texts on GitHub."""
    text = (ROOT / "action.yml").read_text()
    steps = {step["id"] for step in ACTION["runs"]["steps"] if "id" in step}
    conditions = " ".join(str(step.get("if", "")) for step in ACTION["runs"]["steps"])
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    assert set(re.findall(r"steps\.(\w+)\.outputs", text)) == steps
    assert set(re.findall(r"steps\.gate\.outputs\.([\w-]+)", text + conditions)) == {"verdict", "exit-code", "folder"}
    for step in ACTION["runs"]["steps"]:
        assert ("run" in step) != ("uses" in step)
        assert "run" not in step or step["shell"] == "bash"


def test_no_script_has_an_expression_in_it() -> None:
    """GitHub would put the value into the script as text, and it would be code."""
    assert STEPS.keys() == {"install", "gate", "comment", "verdict"}
    for step in STEPS.values():
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"


def test_a_report_that_is_too_long_for_a_comment_loses_what_is_folded_up() -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); from pull_request_comment import comment as c\n"
    code += "long = 'the table\\n<details>' + 'x' * 70000; print(len(c('t' * 70000, 'n')) <= 65536, c(long, 'n'))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "scripts")], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("True <!-- stabbench gate: n -->\nthe table\n")
    assert "in the summary of the job" in done.stdout
