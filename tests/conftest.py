"""What several folders of tests share: a stand-in for the hub on loopback, and Python in a fresh process."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import hypothesis
import pytest

from stabbench.recipes import _registry
from stabbench.tasks import given, metrics

pytest_plugins = ["pytester"]

# How long an example takes says nothing on a machine that other tests share.
hypothesis.settings.register_profile("shared machine", deadline=None)
hypothesis.settings.load_profile("shared machine")


# What trains through a command, a pool of processes, a cluster or a script: left out by `tox -e quick`.
WHOLE = (
    "api", "cli", "fuzz", "integrations", "pytest_plugin", "runner", "scripts", "trackers", "trainings",
    "test_api.py", "test_real.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in WHOLE:
            item.add_marker("whole")


@pytest.fixture(autouse=True)
def recipes_of_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test loads is known to this test only, whatever runs after it in the same process."""
    monkeypatch.setattr("stabbench.recipes._registry._from_plugins", dict(_registry._from_plugins))
    for offered in (given._offered, metrics._offered):
        monkeypatch.setattr(offered, "_added", dict(offered._added))


COMMIT = hashlib.sha1(b"the only commit").hexdigest()
# Variables of the hub's client and of a proxy would lead a test away from its own server.
_LEADING_AWAY = ("HF_", "HUGGING", "TRANSFORMERS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

RunPython = Callable[..., "subprocess.CompletedProcess[str]"]


class Hub:
    """Repositories of one commit: ``repositories["models/org/name"]`` or ``["datasets/org/name"]`` is a folder."""

    commit = COMMIT

    def __init__(self) -> None:
        self.repositories: dict[str, Path] = {}
        hub = self

        class Handler(_Handler):
            repositories = hub.repositories

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    repositories: dict[str, Path]

    asked: tuple[str, ...] = ()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path).strip("/")
        for key, folder in self.repositories.items():
            name = key.removeprefix("models/")
            if path.startswith(f"api/{key}"):
                return self._describe(name, folder, path.removeprefix(f"api/{key}").strip("/"))
            if path.startswith(f"{name}/resolve/"):
                revision, *parts = path.removeprefix(f"{name}/resolve/").split("/")
                if revision not in ("main", COMMIT):
                    return self._missing("RevisionNotFound")
                file = folder.joinpath(*parts)
                return self._send(file.read_bytes()) if file.is_file() else self._missing("EntryNotFound")
        return self._missing("RepoNotFound")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.asked = tuple(json.loads(body)["paths"] if body.startswith("{") else parse_qs(body)["paths"])
        self.do_GET()

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _describe(self, name: str, folder: Path, question: str) -> None:
        kind, _, rest = question.partition("/")
        revision, _, below = rest.partition("/")
        if rest and revision not in ("main", COMMIT):
            return self._missing("RevisionNotFound")
        if kind == "tree":
            found = sorted(folder.joinpath(below).glob("**/*" if "recursive=true" in self.path.lower() else "*"))
            return self._json([_entry(path, folder) for path in found])
        if kind == "paths-info":
            return self._json([_entry(folder / path, folder) for path in self.asked if (folder / path).exists()])
        siblings = [{"rfilename": str(path.relative_to(folder))} for path in folder.rglob("*") if path.is_file()]
        return self._json({"id": name.removeprefix("datasets/"), "sha": COMMIT, "siblings": siblings})

    def _json(self, content: object) -> None:
        self._send(json.dumps(content).encode())

    def _missing(self, code: str) -> None:
        self._send(b"{}", 404, code)

    def _send(self, body: bytes, status: int = 200, code: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        if code:
            self.send_header("X-Error-Code", code)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _entry(path: Path, folder: Path) -> dict[str, object]:
    name = str(path.relative_to(folder))
    if path.is_dir():
        return {"type": "directory", "path": name, "oid": COMMIT, "size": 0}
    content = path.read_bytes()
    return {"type": "file", "path": name, "oid": hashlib.sha1(content).hexdigest(), "size": len(content)}


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub on loopback, without repositories yet."""
    hub = Hub()
    yield hub
    hub.stop()


@pytest.fixture(scope="session")
def closed_endpoint() -> str:
    """An address on loopback where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def run_python(tmp_path: Path) -> RunPython:
    """Run a script in a fresh process, where the hub's settings are read anew; its cache is the test's own."""

    def run(script: str, *arguments: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        kept = {key: value for key, value in os.environ.items() if not key.upper().startswith(_LEADING_AWAY)}
        return subprocess.run(
            [sys.executable, "-c", script, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            env={**kept, "HF_HOME": str(tmp_path / "hf-home"), "HF_HUB_DISABLE_TELEMETRY": "1", **settings},
        )

    return run
