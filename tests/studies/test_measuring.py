"""What is measured with kept weights, from runs to a table; and runs of which there is nothing to measure."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from noting import Noting

from stabbench.errors import StoreError, StudyError
from stabbench.recipes import parse_recipe
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Outcome
from stabbench.records.seeds import Seeds
from stabbench.records.weights import weights_file
from stabbench.report.pictures import picture
from stabbench.runner.cells import ResolvedRecipes
from stabbench.runner.execute import execute
from stabbench.runner.plan import Plan
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources
from stabbench.studies import measuring
from stabbench.studies.measuring import MEASURES, texts_of
from stabbench.studies.result import StudyResult
from stabbench.studies.running import run_study
from stabbench.studies.study import Study
from stabbench.studies.views import VIEWS
from stabbench.studies.with_weights import Surface

PLACE = ("lab/entailment", "examples=64", "lab")
PLAN = Plan([parse_recipe("devlin")], "lab/entailment:examples=64", "lab", [Seeds.of(0), Seeds.of(1)], max_steps=2)
WITH_WEIGHTS = ("surface", "gradient-surface", "perplexity")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Resources, ResolvedRecipes, RecipeRuns]:
    """Two runs of two steps."""
    resources = Resources(tmp_path_factory.mktemp("store"), "cpu", 1, keep_weights=True)
    resolved = resolve(PLAN, resources)
    assert isinstance(resolved, ResolvedRecipes)
    (runs,) = execute(PLAN, resources, resolved=resolved).results()
    return resources, resolved, runs


@pytest.fixture(autouse=True)
def few_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "POINTS", 4)
    monkeypatch.setattr(measuring, "BETWEEN", 3)
    monkeypatch.setattr(measuring, "TEXTS", 20)


def ended(runs: RecipeRuns, *outcomes: Outcome) -> RecipeRuns:
    """The same runs, as if they had ended so."""
    changed = [dataclasses.replace(r, outcome=o) for r, o in zip(runs.records, outcomes, strict=False)]
    return dataclasses.replace(runs, records=changed)


def result(view: str, trained: tuple[Resources, ResolvedRecipes, RecipeRuns], *outcomes: Outcome) -> StudyResult:
    resources, resolved, runs = trained
    measured = MEASURES[view](resolved, [ended(runs, *outcomes)], PLACE, resources, Noting(), "")
    study = Study(name=view, title=view, recipes=["devlin"], seeds=len(outcomes), view=view)
    return StudyResult(study, [], resources.store, VIEWS[view], [measured])


def drawn(found: StudyResult, path: Path) -> None:
    with picture(path) as figure:
        found.view.draw(found, figure)
    assert path.read_bytes().startswith(b"\x89PNG")
    json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.parametrize("view", WITH_WEIGHTS)
@pytest.mark.parametrize(
    "outcomes", [(Outcome.FAILED, Outcome.OK), (Outcome.OK, Outcome.OK), (Outcome.FAILED,), ()], ids=str
)
def test_whatever_ended_how_is_shown(
    view: str, outcomes: tuple[Outcome, ...], trained: tuple[Resources, ResolvedRecipes, RecipeRuns], tmp_path: Path
) -> None:
    found = result(view, trained, *outcomes)
    drawn(found, tmp_path / "x.png")
    notes = " ".join(found.table.notes)
    for outcome, word in ((Outcome.FAILED, "failed"), (Outcome.OK, "successful")):
        assert (f"no {word} run" in notes) == (outcome not in outcomes)


def test_the_surface_is_that_of_the_points_that_are_named(
    trained: tuple[Resources, ResolvedRecipes, RecipeRuns],
) -> None:
    (surface,) = result("surface", trained, Outcome.FAILED, Outcome.OK).measured
    assert isinstance(surface, Surface)
    assert surface.axis.tolist() == [-1.5, -0.5, 0.5, 1.5]
    assert surface.losses.shape == (4, 4)
    assert np.isfinite(surface.losses).all()
    # The line begins at the failed model and ends at the successful one.
    assert surface.between[0] == pytest.approx(surface.at[1], nan_ok=True)
    assert surface.between[-1] == pytest.approx(surface.at[2], nan_ok=True)
    # A step along alpha is a column: half way between -.5 and .5 is the start, to first order.
    middle = surface.losses[1:3, 1:3].mean()
    assert middle == pytest.approx(surface.at[0][0], abs=0.05)


def test_weights_that_are_gone_say_how_to_get_them(
    trained: tuple[Resources, ResolvedRecipes, RecipeRuns], tmp_path: Path
) -> None:
    resources, resolved, runs = trained
    elsewhere = dataclasses.replace(resources, store=tmp_path)
    for view in WITH_WEIGHTS:
        with pytest.raises(StoreError, match="were not kept, or are gone"):
            MEASURES[view](resolved, [ended(runs, Outcome.FAILED, Outcome.OK)], PLACE, elsewhere, Noting(), "")


def test_a_study_keeps_the_weights_that_it_needs(tmp_path: Path) -> None:
    study = Study(
        name="mine", title="mine", recipes=["devlin"], tasks=["lab/entailment"], variants=["examples=64"], seeds=2,
        view="perplexity",
    )  # fmt: skip
    found = run_study(study, Resources(tmp_path, "cpu", 1), max_steps=2)
    assert all(weights_file(tmp_path, record.id).is_file() for record in found.rows[0].runs.records)
    assert len(found.table.rows) == 2
    assert found.table.notes[-1].endswith("on 20 texts.")
    (measured,) = found.to_json()["measured"]
    assert len(measured["perplexities"][0]) == 13


def test_texts(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text(" = Heading = \n\n one text \n" + "".join(f"text {n}\n" for n in range(100)), encoding="utf-8")
    found = texts_of(str(file), "anything")
    assert found[0] == "one text"
    assert found[-1] == "text 99"
    assert len(found) == 20
    assert len(set(texts_of("", "lab"))) == 20
    for content, message in ((b"", "has no text"), (b"\xff\xfe", "cannot be read")):
        file.write_bytes(content)
        with pytest.raises(StudyError, match=message):
            texts_of(str(file), "lab")
    with pytest.raises(StudyError, match="no texts to ask model 'other'"):
        texts_of("", "other")
    with pytest.raises(StudyError, match="has no texts"):
        Study(name="x", title="x", recipes=["devlin"], texts="file.txt")
