"""The folder of a local model in a file under version control: it must hold wherever the project is checked out."""

import os
import shutil
from pathlib import Path

import pytest

from stabbench.gate.model_paths import local_path, stored_path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``project/models/enc`` and ``project/ci``, seen from ``project``; ``outside/enc`` beside it."""
    folder = tmp_path / "project"
    for name in ("project/models/enc", "project/ci", "outside/enc"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("spelling", ["models/enc", "./models/enc", "models/../models/enc/", "{project}/models/enc"])
@pytest.mark.parametrize(("folder", "stored"), [(".", "./models/enc"), ("ci", "../models/enc")])
def test_every_spelling_of_a_folder_is_stored_in_one_way(
    project: Path, spelling: str, folder: str, stored: str
) -> None:
    assert stored_path(spelling.format(project=project), Path(folder)) == stored
    assert stored_path(spelling.format(project=project), project / folder) == stored


@pytest.mark.parametrize("folder", [".", "ci"])
def test_what_is_stored_is_found_in_another_checkout_and_from_another_directory(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    stored = stored_path("models/enc", Path(folder))
    assert local_path(stored, Path(folder)) == "models/enc"
    other = Path(shutil.copytree(project, tmp_path / "elsewhere" / "checkout"))
    monkeypatch.chdir(tmp_path)
    assert Path(local_path(stored, other / folder)).resolve() == other / "models" / "enc"
    monkeypatch.chdir(other / "ci")
    assert Path(local_path(stored, Path("..") / folder)).resolve() == other / "models" / "enc"


def test_a_folder_beside_the_project_is_relative_too(project: Path, tmp_path: Path) -> None:
    assert stored_path("../outside/enc", Path("ci")) == "../../outside/enc"
    assert stored_path(str(tmp_path / "outside" / "enc"), Path("ci")) == "../../outside/enc"
    assert local_path("../../outside/enc", Path("ci")) == str(tmp_path / "outside" / "enc")


def test_a_place_of_the_machine_stays_absolute(project: Path) -> None:
    """Nothing is common but the root: a relative path would depend on how deep the checkout is."""
    assert stored_path(os.path.abspath(os.sep + "usr"), project) == os.path.abspath(os.sep + "usr")


@pytest.mark.parametrize(
    "name", ["lab", "bert-base-uncased", "org/model", "./gone", "../gone", "/gone", "", "a\0b", "x" * 5000]
)
def test_what_is_no_folder_keeps_its_name(project: Path, name: str) -> None:
    assert stored_path(name, Path("ci")) == name
    assert local_path(name, Path("ci")) == name


def test_the_preset_wins_over_a_folder_of_its_name(project: Path) -> None:
    (project / "lab").mkdir()
    assert stored_path("lab", Path("ci")) == "lab"
    assert local_path("lab", project) == "lab"


@pytest.mark.parametrize("old", ["models/enc", "./models/enc", "{project}/models/enc"])
def test_paths_of_older_files_are_read(project: Path, old: str) -> None:
    """They were relative to where the command was given, or absolute."""
    text = old.format(project=project)
    assert Path(local_path(text, Path("ci"))).resolve() == project / "models" / "enc", "given in the project"
    (project / "ci" / "near").mkdir()
    assert Path(local_path("near", project / "ci")).resolve() == project / "ci" / "near", "given beside the file"
