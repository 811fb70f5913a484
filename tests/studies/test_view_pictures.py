"""Every view draws every result: a warning of matplotlib's would be an error here."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_up import Made, components, each, made_up, scores

from stabbench.report.pictures import picture
from stabbench.studies.kinds import KINDS
from stabbench.studies.result import StudyResult
from stabbench.studies.study import Study

TASKS = ["lab/entailment", "lab/paraphrase"]


def study(view: str, **changes: object) -> Study:
    """Two recipes on two tasks."""
    fields: dict[str, Any] = {"name": view, "title": view, "recipes": ["devlin", "reinit"], "tasks": TASKS, "seeds": 3}
    if KINDS[view].needs_x:
        fields |= {"x": "steps", "grid": {"steps": [10, 20, 40]}}
    return Study(**{**fields, "crossed": KINDS[view].needs_crossed, "view": view, **changes})


def runs(shown: str) -> Made:
    """Runs that did well, that all failed, and that have nothing finite; with three evaluations and ten steps."""

    def run(place: int) -> dict[str, Any]:
        score = {"well": 0.7 + 0.01 * place, "failed": 0.5, "nothing": None}[shown]
        value = None if score is None else score - 0.2
        curves = {"losses": [value] * 10, "evaluation_steps": [3, 6, 10], "scores": [score] * 3, "constant_loss": 0.69}
        curves |= {
            "probe_steps": [1, 5, 10],
            "components": components({"well": 0.5, "failed": 0.0, "nothing": math.nan}[shown]),
        }
        return {"score": score, "final_loss": value, "history": curves}

    return run


def draw(result: StudyResult, path: Path) -> list[list[str]]:
    """Into a file; what stands in each of its legends."""
    with picture(path) as figure:
        result.view.draw(result, figure)
        figure.canvas.draw()
        ticks = [label.get_text() for axes in figure.axes for label in axes.get_xticklabels() + axes.get_yticklabels()]
        assert not any("$" in text for text in ticks), "a formula that is not read"
        legends = [[text.get_text() for text in legend.get_texts()] for legend in figure.legends]
    assert path.read_bytes().startswith(b"\x89PNG")
    assert result.text()
    return legends


@pytest.mark.parametrize(("shown", "seeds"), [("well", 3), ("failed", 3), ("nothing", 3), ("well", 1)])
@pytest.mark.parametrize("view", [view for view, kind in KINDS.items() if not kind.needs_weights])
def test_every_view_draws_every_result(view: str, shown: str, seeds: int, tmp_path: Path) -> None:
    draw(made_up(tmp_path, study(view, seeds=seeds), runs(shown)), tmp_path / "x.png")


@pytest.mark.parametrize("view", ["lines", "scatter"])
def test_one_legend_names_recipes_and_failed_runs_and_the_constant(view: str, tmp_path: Path) -> None:
    result = made_up(tmp_path, study(view), scores(0.4, 0.7, 0.8))
    assert draw(result, tmp_path / "x.png") == [["devlin", "reinit", "failed run", "best constant predictor"]]


def test_lines_are_told_apart_by_everything_that_no_panel_shows(tmp_path: Path) -> None:
    grid = {"steps": [10, 20], "batch_size": [8, 16]}
    asked = study("lines", grid=grid, tasks=TASKS[:1], variants=["", "examples=250"])
    result = made_up(tmp_path, asked, scores(0.7, 0.7, 0.8))
    (names,) = draw(result, tmp_path / "x.png")
    assert names[:2] == ["devlin batch_size=8", "devlin batch_size=16"]
    shown = StudyResult(
        study("lines", panels=["task"], variants=["", "examples=250"]), result.rows, tmp_path, result.view
    )
    (names,) = draw(shown, tmp_path / "x.png")
    assert names[:2] == ["devlin as it is", "reinit as it is"]


def test_points_of_many_rows_have_their_recipes_colours(tmp_path: Path) -> None:
    asked = study("scatter", grid={"epochs": list(range(1, 8))})
    (names,) = draw(made_up(tmp_path, asked, scores(0.7, 0.7, 0.8)), tmp_path / "x.png")
    assert names == ["devlin", "reinit", "best constant predictor"]
    alone = study("scatter", recipes=["devlin"], grid={"epochs": [3, 10], "lr": [n * 1e-5 for n in range(1, 8)]})
    (names,) = draw(made_up(tmp_path / "alone", alone, scores(0.7, 0.7, 0.8)), tmp_path / "x.png")
    assert names == ["epochs=3", "epochs=10", "best constant predictor"]


def test_lines_along_words(tmp_path: Path) -> None:
    asked = study("lines", grid={"precision": ["fp32", "bf16"]}, x="precision")
    with picture(tmp_path / "x.png") as figure:
        result = made_up(tmp_path, asked, scores(0.4, 0.7, None))
        result.view.draw(result, figure)
        assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["fp32", "bf16"]


def test_a_loss_of_zero_and_one_that_is_not_finite_are_drawn(tmp_path: Path) -> None:
    losses = [0.0, None, 2.0]
    result = made_up(
        tmp_path, study("scatter"), lambda place: {"score": [0.7, 0.4, None][place], "final_loss": losses[place]}
    )
    with picture(tmp_path / "x.png") as figure:
        result.view.draw(result, figure)
        # Of each of two recipes three runs, and the best constant predictor.
        assert len(figure.axes[0].lines) == 2 * 3 + 1


def test_a_crossing_of_many_seeds_has_no_numbers_and_marks_failed_runs(tmp_path: Path) -> None:
    for seeds, written in ((3, 8), (11, 0)):
        asked = study("crossed", seeds=seeds, tasks=TASKS[:1])
        gap = made_up(
            tmp_path / str(seeds), asked, lambda place: None if place == 5 else {"score": 0.4 + 0.001 * place}
        )
        with picture(tmp_path / "x.png") as figure:
            gap.view.draw(gap, figure)
            assert len(figure.axes[0].texts) == written
            assert len(figure.axes[0].lines) == min(seeds**2 - 1, 100)


def test_trainings_with_unlike_numbers_of_evaluations_are_drawn_by_step(tmp_path: Path) -> None:
    few = made_up(tmp_path, study("evaluations", recipes=["devlin"], tasks=TASKS[:1]), runs("well"))
    curve = {"evaluation_steps": [5, 10], "scores": [0.6, 0.7]}
    many = made_up(tmp_path, study("evaluations", recipes=["reinit"], tasks=TASKS[:1]), each(history=[curve] * 3))
    for result, label in ((few, "evaluation"), (replace(few, rows=[*few.rows, *many.rows]), "step")):
        with picture(tmp_path / "x.png") as figure:
            result.view.draw(result, figure)
            assert figure.axes[0].get_xlabel() == label
