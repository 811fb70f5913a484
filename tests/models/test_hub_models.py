"""Models from the hub: downloaded from a stand-in on loopback, and found again in the cache without it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

FIND = """
import json, sys
from stabbench.errors import ModelError
from stabbench.models.source import find_model
try:
    name, revision, pickled = json.loads(sys.argv[1])
    source = find_model(name, revision, allow_pickle=pickled)
    files = sorted(path.name for path in source.folder.iterdir())
    print(json.dumps([source.name, source.revision, source.family, source.digest(), files]))
except ModelError as error:
    print(json.dumps(str(error)))
print("torch" in sys.modules)
"""


@pytest.fixture
def find(run_python: Any) -> Callable[..., Any]:
    def run(name: str, revision: str | None = None, *, pickled: bool = False, **settings: str) -> Any:
        done = run_python(FIND, json.dumps([name, revision, pickled]), **settings)
        assert done.returncode == 0, done.stderr
        answer, torch_loaded = done.stdout.splitlines()
        assert torch_loaded == "False"
        return json.loads(answer)

    return run


@pytest.fixture
def repository(tmp_path: Path, tiny_bert: Path, hub: Any) -> Path:
    hub.repositories["models/org/tiny"] = tiny_bert
    (tiny_bert / "pytorch_model.bin").write_bytes(b"a second copy of the weights that nobody needs")
    (tiny_bert / "tf_model.h5").write_bytes(b"for another framework")
    return tiny_bert


def test_a_model_is_downloaded_and_its_revision_is_the_commit(find: Any, hub: Any, repository: Path) -> None:
    name, revision, family, _, files = find("org/tiny", HF_ENDPOINT=hub.url)
    assert (name, revision, family) == ("org/tiny", hub.commit, "bert")
    assert files == ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]


def test_the_second_time_the_cache_serves_without_a_network(find: Any, hub: Any, repository: Path) -> None:
    first = find("org/tiny", HF_ENDPOINT=hub.url)
    hub.stop()
    assert find("org/tiny", HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1") == first
    assert find("org/tiny", HF_ENDPOINT=hub.url) == first
    assert find("org/tiny", hub.commit, HF_ENDPOINT=hub.url) == first


def test_an_unknown_revision_is_refused(find: Any, hub: Any, repository: Path) -> None:
    assert "RevisionNotFound" in find("org/tiny", "no-such-branch", HF_ENDPOINT=hub.url)


def test_pickled_weights_are_neither_downloaded_nor_used_unless_allowed(find: Any, hub: Any, repository: Path) -> None:
    (repository / "model.safetensors").unlink()
    refusal = find("org/tiny", HF_ENDPOINT=hub.url)
    assert "no weights" in refusal
    assert "pytorch_model.bin" in find("org/tiny", pickled=True, HF_ENDPOINT=hub.url)[4]


def test_a_hub_model_with_only_pickled_weights_is_refused_with_the_option_that_allows_them(
    find: Any, hub: Any, repository: Path
) -> None:
    (repository / "model.safetensors").unlink()
    assert "--allow-pickle" in find("org/tiny", HF_ENDPOINT=hub.url)


def test_an_unknown_model_is_refused(find: Any, hub: Any, repository: Path) -> None:
    message = find("org/none", HF_ENDPOINT=hub.url)
    assert "'org/none'" in message
    assert "hub" in message


@pytest.mark.parametrize("settings", [{}, {"HF_HUB_OFFLINE": "1"}])
def test_without_a_network_the_message_says_what_was_tried_and_how_to_go_on(
    find: Any, closed_endpoint: str, settings: dict[str, str]
) -> None:
    message = find("org/tiny", HF_ENDPOINT=closed_endpoint, **settings)
    for part in ("'org/tiny'", "not a local folder", "the hub (or its cache)", "offline:", "--model", "HF_HOME"):
        assert part in message


def test_a_misspelt_preset_gets_a_suggestion(find: Any, closed_endpoint: str) -> None:
    assert "did you mean 'lab'" in find("labb", HF_ENDPOINT=closed_endpoint)
