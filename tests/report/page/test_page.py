"""The page: what it says, that nothing in it acts, and that it is the same each time."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pages import SHAKY, STEADY, Elements, page_text, runs

from stabbench.errors import StabbenchError
from stabbench.escape import one_line, printable
from stabbench.gate.rules import Rules
from stabbench.records.run import Fingerprint, Outcome
from stabbench.report.page.build import runs_subject
from stabbench.report.page.colours import COLOURS
from stabbench.report.page.html import FILES, STYLE, as_html, write_page
from stabbench.report.page.make import page_of

HOSTILE = [
    "</title><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7*7 }}{% raw %}",
    "]]><!-- <svg onload=alert(1)>",
    "$x^2$ \\frac $",
    "a\x00b\x1b[2Jc\ufffe\ud800\u202egnp.exe",
    "https://example.org/?q=1&r=<2>",
    "\U0001f600 文字 " + "x" * 3000,
]


def texts_of(page: str) -> str:
    return " ".join(" ".join(Elements(page).texts).split())


def policy_of(page: str) -> str:
    found = (attributes for _, attributes in Elements(page).elements if "http-equiv" in attributes)
    return str(next(found)["content"])


def test_the_page_says_what_the_text_says() -> None:
    page = page_text(runs("devlin", SHAKY), runs("mosbach", STEADY), facts=["not stored: seed 7"])
    said = texts_of(page)
    for part in (
        "PASS mosbach against devlin", "best constant predictor 0.500", "devlin: 10 runs, 5 failed",
        "0.803 ± 0.009", "Boschloo", "1 run without a finite score", "not stored: seed 7", "$ stabbench report",
    ):  # fmt: skip
        assert part in said, part


def test_every_run_has_a_row_and_a_point_with_a_tooltip() -> None:
    first, second = runs("devlin", SHAKY), runs("mosbach", STEADY)
    page = page_text(first, second)
    assert all(f"<td>{r.id}</td>" in page for each in (first, second) for r in each.records)
    scores = page.partition('id="scores"')[2].partition('id="curves"')[0]
    tooltips = re.findall("<title>((?:devlin|mosbach), seed .*?)</title>", scores)
    assert len(set(tooltips)) == len(tooltips) == 19  # one run has no score
    assert "devlin, seed 1: 0.7100" in tooltips
    assert "devlin, seed 3: 0.4800, failed" in tooltips


def test_curves_maps_and_examples_are_drawn_of_what_is_kept() -> None:
    page = page_text(runs("devlin", SHAKY), runs("mosbach", STEADY))
    said = texts_of(page)
    for part in (
        "devlin: training loss", "devlin: accuracy during training", "devlin, 5 failed runs",
        "mosbach, 10 successful runs",
        "devlin, seed 3: 0.4800, failed: no better than the best constant predictor", "mosbach: 10 runs",
        "models [95%]", "expected best of n runs", "Smallest detectable effect against devlin (10 runs)",
    ):  # fmt: skip
        assert part in said, part
    assert "mosbach, 0 failed" not in said


def test_what_is_not_kept_is_said_and_how_to_have_it() -> None:
    said = texts_of(page_text(runs("old", SHAKY, kept=False), runs("older", STEADY, kept=False)))
    assert "20 runs left no history, and are not drawn" in said
    assert "No predictions are kept of these runs" in said
    assert "--fresh" in said
    assert "Gradients" not in said


def test_predictions_on_another_evaluation_set_are_not_put_beside_the_first() -> None:
    changed = Fingerprint({"recipe": "new", "data": "another"}, {})
    said = texts_of(page_text(runs("old", STEADY), runs("new", STEADY, fingerprint=changed)))
    assert "Runs on another evaluation set than the first recipe's are left out: new." in said
    assert "old: 10 runs" in said


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_record_acts_on_the_page(text: str) -> None:
    plain = Elements(page_text(runs("devlin", SHAKY), runs("mosbach", STEADY), facts=["a"]))
    made_of = Fingerprint({"recipe": text, "parameters": {text: text}, "data": text}, {"device_name": text, text: "1"})
    hostile = {"task": text, "model": text, "metric": text, "reason": text, "revision": text, "fingerprint": made_of}
    page = page_text(
        runs(f"a{text}", SHAKY, **hostile), runs(f"b{text}", STEADY, **hostile), facts=[text], command=text
    )
    found = Elements(page)
    assert {tag for tag, _ in found.elements} <= {tag for tag, _ in plain.elements}
    for _, attributes in found.elements:
        assert not any(name.startswith("on") or name in ("style", "src") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    # It is there all the same, shown as it is: its tooltips and cells are never cut.
    assert printable(one_line(text)) in " ".join(found.texts)
    page.encode()


def test_nothing_is_loaded_and_nothing_has_an_inline_style() -> None:
    page = page_text(runs("devlin", SHAKY), runs("mosbach", STEADY))
    assert "<script" not in page
    assert not re.search(r"\sstyle=", page)
    assert "http" not in page.replace("http-equiv", "")
    assert not re.search(r"url\((?!#)", page)


def test_identifiers_are_unique_and_all_references_are_to_them() -> None:
    elements = Elements(page_text(runs("devlin", SHAKY), runs("mosbach", STEADY))).elements
    identifiers = [found for _, attributes in elements if (found := attributes.get("id"))]
    assert len(set(identifiers)) == len(identifiers)
    for _, attributes in elements:
        href, clip = attributes.get("href"), attributes.get("clip-path")
        assert href is None or href[1:] in identifiers
        assert clip is None or clip.removeprefix("url(#").removesuffix(")") in identifiers


def test_the_page_is_the_same_to_the_last_byte_in_another_process() -> None:
    page = page_text(runs("devlin", SHAKY), runs("mosbach", STEADY))
    code = (
        "from pages import *; import hashlib\n"
        "page = page_text(runs('devlin', SHAKY), runs('mosbach', STEADY))\n"
        "print(hashlib.sha256(page.encode()).hexdigest())"
    )
    here = Path(__file__).parents[2]
    other = subprocess.run(
        [sys.executable, "-c", code], cwd=here, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert other == hashlib.sha256(page.encode()).hexdigest()


@pytest.mark.parametrize(
    "scores",
    [[STEADY], [SHAKY], [[None] * 4, [None] * 3], [[0.4] * 5, [0.45] * 5], [[0.7]], [[None]], [[0.7], [0.8]]],
    ids=["one recipe", "failed runs", "no score at all", "all failed", "one run", "one run, no score", "one run each"],
)
def test_few_or_failed_runs_make_a_page(scores: list[list[float | None]]) -> None:
    said = texts_of(page_text(*(runs(f"recipe{i}", own) for i, own in enumerate(scores))))
    assert "Verdict" in said
    if len(scores) == 1:
        assert "nothing to compare it with" in said


def test_runs_of_unknown_outcome_have_no_verdict_and_are_not_called_successful() -> None:
    unknown = [runs(label, STEADY, outcome=Outcome.UNKNOWN, constant_score=None) for label in ("a", "b")]
    said = texts_of(page_text(*unknown))
    assert "Nobody knows which runs failed" in said
    assert not re.search(r"\d successful run|successful run, or", said)
    assert "PASS mosbach" not in said


def test_a_page_is_one_file_or_a_folder_with_its_style_beside_it(tmp_path: Path) -> None:
    page = page_of(runs_subject([runs("devlin", SHAKY)], Rules(), [], ""))
    write_page(page, tmp_path / "one.html")
    write_page(page, tmp_path / "folder")
    style = (FILES / STYLE).read_text()
    assert style in (tmp_path / "one.html").read_text()
    assert (tmp_path / "folder" / STYLE).read_text() == style
    beside = (tmp_path / "folder" / "index.html").read_text()
    assert "<style" not in beside
    assert "style-src 'self'" in policy_of(beside)
    (tmp_path / "file").touch()
    with pytest.raises(StabbenchError, match="name another file"):
        write_page(page, tmp_path / "file" / "page.html")


def test_the_style_sheet_has_the_pictures_colours_and_allows_itself() -> None:
    style = (FILES / STYLE).read_text()
    light = dict(re.findall(r"--(\w+): (#\w+);", style.split("@media")[0]))
    assert {name: light.get(name) for name in COLOURS} == COLOURS
    for name in COLOURS:
        assert f".f-{name} {{ fill: var(--{name}); }}" in style
        assert f".s-{name} {{ stroke: var(--{name}); }}" in style
    page = as_html(page_of(runs_subject([runs("devlin", SHAKY)], Rules(), [], "")), style)
    assert re.search(r"style-src 'sha256-[\w+/]{43}='", policy_of(page))
