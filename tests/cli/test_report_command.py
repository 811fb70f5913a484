"""`stabbench report`: which runs are on the page, and what is said of the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from command import stabbench
from examples import HISTORY, record

from stabbench.records.store import Store

TRIAL = ("--max-steps", "2", "--stack", "2", "--workers", "1")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    stabbench("run", "devlin", "--seeds", "2", *TRIAL, cwd=folder)
    return folder


def test_stored_runs_make_a_page_and_the_others_are_named(trained: Path) -> None:
    done = stabbench("report", "devlin", "mosbach", "--seeds", "3", "--max-steps", "2", "-o", "p.html", cwd=trained)
    assert "p.html: a page about 2 runs" in done.stdout
    page = (trained / "p.html").read_text()
    for fact in ("devlin, seed 2", "mosbach, seeds 0, 1, 2"):
        assert f"not stored, and not on the page: {fact}" in done.stderr
        assert f"not stored, and not on the page: {fact}" in page
    assert "devlin, seed 1" in page
    assert "cut to 2 steps of" in page


def test_where_nothing_is_stored_there_is_no_page(trained: Path) -> None:
    done = stabbench("report", "devlin", "--seeds", "7,8", "-o", "none.html", cwd=trained, expect=3)
    assert "has none of these runs" in done.stderr
    assert not (trained / "none.html").exists()


def test_runs_by_their_ids(tmp_path: Path) -> None:
    with Store(tmp_path / ".stabbench") as store:
        ids = []
        for seed in range(3):
            made = record(seed)
            ids.append(made.id)
            store.put(replace(made, task="lab/a" if seed < 2 else "lab/b"), HISTORY)
    done = stabbench("report", *ids, cwd=tmp_path)
    assert "report.html: a page about 3 runs" in done.stdout
    page = (tmp_path / "report.html").read_text()
    assert "devlin on lab/a, model lab, lab/b, model lab" in page
    assert "have an id that starts with" in stabbench("report", "abcdef", cwd=tmp_path, expect=3).stderr


def test_results_measured_elsewhere(tmp_path: Path) -> None:
    rows = [f"{name},{seed},{0.7 + seed / 100}" for name in ("old", "new") for seed in range(4)]
    (tmp_path / "scores.csv").write_text("\n".join(["recipe,seed,score", *rows]) + "\n")
    stabbench("report", "--from", "scores.csv", "--constant-score", "0.5", "-o", "page", cwd=tmp_path)
    page = (tmp_path / "page" / "index.html").read_text()
    assert "measured elsewhere: " in page
    assert "INCONCLUSIVE" in page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name recipes, ids of runs"),
        (("devlin", "-o", "page.txt"), "does not end in .html"),
        (("devlin", "-o", "no/where/page.html"), "there is no folder"),
        (("devlin", "-o", ".stabbench/runs.sqlite.html"), "written over the run store"),
        (("devlni",), "did you mean 'devlin'?"),
    ],
)
def test_what_is_refused(trained: Path, arguments: tuple[str, ...], said: str) -> None:
    assert said in stabbench("report", *arguments, cwd=trained, expect=3).stderr


def test_other_commands_write_the_page_too(tmp_path: Path) -> None:
    rows = [f"{name},{seed},{0.7 + seed / 100}" for name in ("old", "new") for seed in range(4)]
    (tmp_path / "scores.csv").write_text("\n".join(["recipe,seed,score", *rows]) + "\n")
    given = ("--from", "scores.csv", "--constant-score", "0.5")
    stabbench("compare", *given, "--report", "compare.html", cwd=tmp_path)
    stabbench("baseline", "record", *given, cwd=tmp_path)
    stabbench("gate", *given, "--report", "gate.html", cwd=tmp_path, expect=2)
    stabbench("study", "zhang2021-fig1", "--report", "study", cwd=tmp_path)
    pages = {name: (tmp_path / name).read_text() for name in ("compare.html", "gate.html", "study/index.html")}
    for name, said in (
        ("compare.html", "new against old"),
        ("gate.html", "new, baseline: 4 runs"),
        ("study/index.html", "end of training on"),
    ):
        assert "<!DOCTYPE html>" in pages[name]
        assert said in pages[name]
    assert "$\\mathdefault" not in pages["study/index.html"]
