"""The tables of every view, against answers worked out by hand."""

import math
from pathlib import Path

import pytest
from made_up import components, each, made_up, scores

from stabbench.studies.kinds import KINDS
from stabbench.studies.study import Study
from stabbench.studies.views import VIEWS


def study(view: str, **changes: object) -> Study:
    return Study(**{"name": view, "title": view, "recipes": ["devlin"], "seeds": 2, "view": view, **changes})  # type: ignore[arg-type]


def crossed(view: str, **changes: object) -> Study:
    return study(view, crossed=True, **changes)


def test_every_kind_has_a_view() -> None:
    assert list(VIEWS) == list(KINDS)


def test_lines(tmp_path: Path) -> None:
    asked = study("lines", grid={"steps": [10, 20]}, x="steps")
    table = made_up(tmp_path, asked, scores(0.6, 0.8)).table
    assert table.columns == ["recipe", "steps", "failed", "mean ± std", "min", "max"]
    assert table.texts[1] == ["devlin", "20", "0/2", "0.700 ± 0.141", "0.600", "0.800"]
    assert table.notes == ["Scores: on the evaluation set. Failed runs: by the evaluation set."]


def test_lines_are_of_validation_scores_where_there_are_any(tmp_path: Path) -> None:
    asked = study("lines", grid={"steps": [10]}, x="steps", seeds=3)
    found = each(score=[0.6, 0.6, None], validation_score=[0.7, 0.9, None])
    table = made_up(tmp_path, asked, found).table
    assert table.texts == [["devlin", "10", "1/3", "0.800 ± 0.141", "0.700", "0.900"]]
    assert table.notes == [
        "Scores: on the validation set. Failed runs: by the evaluation set.",
        "1 run without a finite score: counted as failed, in none of the other numbers.",
    ]


def test_losses(tmp_path: Path) -> None:
    # Of 100 steps the two in the middle are the window half way.
    curves = [[9.0] * 49 + [0.2, 0.4] + [9.0] * 49, [0.5] * 50 + [None] + [0.5] * 49, [None] * 100]
    found = each(final_loss=[0.01, 0.03, None], history=[{"losses": curve} for curve in curves])
    table = made_up(tmp_path, study("losses", seeds=3), found).table
    assert table.texts == [["devlin", "0/3", "0.0200", "0.0100", "0.0300", "1", "0.4000", "0.3000", "0.5000"]]


def test_tries_are_chosen_on_the_validation_set(tmp_path: Path) -> None:
    table = made_up(tmp_path, study("tries"), each(score=[0.6, 0.8], validation_score=[0.9, 0.1])).table
    assert list(table.columns) == ["recipe", "failed", "n = 1", "n = 2"]
    # Of two draws at least one is the first run with probability 3/4.
    assert table.texts == [["devlin", "0/2", "0.700 ± 0.100", "0.650 ± 0.087"]]
    assert "by its validation score" in table.notes[0]


def test_tries_without_validation_and_without_a_score(tmp_path: Path) -> None:
    table = made_up(tmp_path, study("tries"), scores(0.7, None)).table
    assert table.texts == [["devlin", "1/2", "0.600 ± 0.100", "0.650 ± 0.087"]]
    assert "by that same score" in table.notes[0]
    assert table.notes[1] == "1 run without a finite score: the best constant predictor's in its place."


def test_tries_are_listed_up_to_the_number_of_runs(tmp_path: Path) -> None:
    table = made_up(tmp_path, study("tries", seeds=23), lambda place: {}).table
    assert list(table.columns)[2:] == ["n = 1", "n = 2", "n = 5", "n = 10", "n = 20"]


def test_scatter(tmp_path: Path) -> None:
    asked = study("scatter", seeds=5, tasks=["lab/entailment", "lab/paraphrase"])
    found = each(score=[0.9, 0.8, 0.6, 0.4, None], final_loss=[0.001, 0.02, 0.03, 0.7, None])
    table = made_up(tmp_path, asked, found).table
    quarters = ["loss up to 0.0152", "loss 0.0152 to 0.025", "loss 0.025 to 0.197", "loss 0.197 to 0.7"]
    assert table.columns == ["panel", "failed", "rank correlation", *quarters]
    row = ["2/5", "-1.000", "0.900 ± - (1)", "0.800 ± - (1)", "0.600 ± - (1)", "0.400 ± - (1)"]
    assert table.texts == [["lab/entailment", *row], ["lab/paraphrase", *row]]
    assert table.notes[1].startswith("2 runs without a finite score or loss")


def test_no_rank_correlation_of_equal_scores(tmp_path: Path) -> None:
    table = made_up(tmp_path, study("scatter"), scores(0.7, 0.7)).table
    assert table.texts[0][2] == "-"


def test_evaluations(tmp_path: Path) -> None:
    curves = [[0.5, 0.7, None], [0.6, 0.9, None]]
    found = each(history=[{"evaluation_steps": [3, 6, 9], "scores": curve} for curve in curves])
    table = made_up(tmp_path, study("evaluations"), found).table
    assert table.texts == [["devlin", "0/2", "0.550 ± 0.071", "0.800 ± 0.141", "- ± -"]]
    assert table.notes[1] == "2 runs have an evaluation without a finite score."


def test_of_many_evaluations_some_and_the_last_are_listed(tmp_path: Path) -> None:
    curve = {"evaluation_steps": list(range(1, 27)), "scores": [n / 100 for n in range(1, 27)]}
    table = made_up(tmp_path, study("evaluations"), each(history=[curve] * 2)).table
    assert list(table.columns)[2:] == ["3", "6", "9", "12", "15", "18", "21", "24", "26"]
    assert table.texts[0][-1] == "0.260 ± 0.000"


def test_crossed(tmp_path: Path) -> None:
    # Rows of the table are initialisation seeds.
    table = made_up(tmp_path, crossed("crossed"), scores(0.6, 0.8, 0.7, 0.9)).table
    found = ["0/4", "0.750 ± 0.129", "0.600", "0.900", "0.700 to 0.800", "0.650 to 0.850"]
    assert table.texts == [["devlin", *found]]


def test_crossed_with_gaps(tmp_path: Path) -> None:
    runs = [{"score": 0.6}, None, {"score": None}, {"score": 0.9}]
    table = made_up(tmp_path, crossed("crossed"), lambda place: runs[place]).table
    assert table.texts[0][1:] == ["1/3", "0.750 ± 0.212", "0.600", "0.900", "0.600 to 0.900", "0.600 to 0.900"]
    assert table.notes[1].startswith("1 run without a finite score")


def test_components(tmp_path: Path) -> None:
    table = made_up(tmp_path, crossed("components"), scores(0.6, 0.8, 0.6, 0.8)).table
    spreads, initialisation, order, rest = table.texts[0][2:5], *table.texts[0][5:]
    assert spreads == ["0.115", "0.141", "0.000"]
    assert initialisation == "0.000 (0.000 to 0.000), 0%"
    assert order.startswith("0.141 (")
    assert order.endswith("), 100%")
    assert rest == "0.000 (0.000 to 0.000), 0%"
    assert len(table.notes) == 1


def test_components_of_failed_runs(tmp_path: Path) -> None:
    table = made_up(tmp_path, crossed("components"), scores(0.7, 0.7, None, 0.5)).table
    # The one without a score has the constant predictor's .5: all of the spread is the initialisation's.
    assert table.texts[0][1:5] == ["2/4", "0.115", "0.000", "0.141"]
    assert table.texts[0][5].endswith("100%")
    assert table.notes[1] == "1 run without a finite score: the best constant predictor's in its place."
    assert table.notes[2].startswith("The intervals assume normal effects.")


@pytest.mark.parametrize("seeds", [1, 2])
def test_components_that_are_not_defined(tmp_path: Path, seeds: int) -> None:
    asked = crossed("components", seeds=seeds)
    table = made_up(tmp_path, asked, lambda place: None if place == 3 else {}).table
    assert list(table.texts[0][-3:]) == ["-", "-", "-"]
    assert table.notes[-1].startswith("A dash: ")


def test_bias(tmp_path: Path) -> None:
    asked = study("bias", recipes=["devlin", "devlin:beta2=0.98,steps=2"])
    table = made_up(tmp_path, asked, lambda place: None).table
    ratios = [(1 - 0.9**t) / math.sqrt(1 - 0.98**t) for t in (1, 2)]
    assert table.texts[0] == ["0.9, 0.999", "1", "3.162", "3.162", ""]
    assert ["0.9, 0.999", "100,000", "1.000", "1.012", ""] in table.texts
    ends = [row for row in table.texts if row[4]]
    assert ends[0][:3] == ["0.9, 0.999", "100", "3.241"]
    assert ends[1] == ["0.9, 0.98", "2", f"{ratios[1]:.3f}", f"{sum(ratios) / 2:.3f}", "lab/entailment"]


PROBES = {"probe_steps": [1, 5, 9], "losses": [0.7] * 9}


def test_norms_of_the_first_failed_and_the_first_successful_run(tmp_path: Path) -> None:
    histories = [{**PROBES, "components": components(1.0, block_0=norm)} for norm in (0.5, 0.25, 0.001, 0.003)]
    found = each(score=[0.8, 0.7, 0.5, 0.4], history=histories)
    table = made_up(tmp_path, study("norms", seeds=4), found).table
    assert list(table.columns) == ["recipe", "run", "seed", "step", "block 0", "block 1", "head"]
    # A block is two components of that norm.
    assert table.texts[0] == ["devlin", "failed", "2", "1", "0.0014", "1.4", "1"]
    assert table.texts[5] == ["devlin", "successful", "0", "9", "2.1", "4.2", "3"]
    # Medians of 0.0014 and 0.0042, of 0.71 and 0.35.
    assert table.notes[1].endswith("over runs: 0.0028 (2 failed), 0.53 (2 successful).")


def test_norms_where_no_run_failed_and_where_nothing_is_kept(tmp_path: Path) -> None:
    found = each(score=[0.8, 0.7], history=[{**PROBES, "components": components(1.0)}, {}])
    table = made_up(tmp_path, study("norms"), found).table
    assert {row[1] for row in table.texts} == {"successful"}
    assert table.notes[1] == "lab/entailment: no failed run among 1."
    assert table.notes[-1].startswith("1 run left out: nothing is kept of their components.")
    nothing = made_up(tmp_path / "nothing", study("norms"), scores(0.8, 0.5)).table
    assert nothing.texts == []
    assert nothing.notes[-1].startswith("2 runs left out")


def test_distances_at_the_end(tmp_path: Path) -> None:
    found = each(history=[{**PROBES, "components": components(1.0, head=value)} for value in (1.0, 2.0)])
    table = made_up(tmp_path, study("distances"), found).table
    assert list(table.columns) == ["recipe", "failed", "block 0", "block 1", "head"]
    # Three times what is given, over two components; of the head's 3 and 6 the mean.
    assert table.texts == [["devlin", "0/2", "4.243", "4.243", "4.500"]]


@pytest.mark.parametrize(("view", "usual", "of_head"), [("updates", "1.5", "3"), ("turns", "0.3", "0.6")])
def test_updates_count_the_component_that_changed_most(tmp_path: Path, view: str, usual: str, of_head: str) -> None:
    found = each(history=[{**PROBES, "components": components(1.0, head=2.0)}] * 2)
    table = made_up(tmp_path, study(view), found).table
    assert list(table.columns) == ["recipe", "failed", "embeddings", "block 0", "block 1", "head"]
    assert table.texts == [["devlin", "0/2", usual, usual, usual, of_head]]


def test_outcomes(tmp_path: Path) -> None:
    def history(loss: float, score: float) -> dict[str, object]:
        losses = [loss + 0.1] * 50 + [loss] * 50
        return {"losses": losses, "evaluation_steps": [50, 100], "scores": [0.5, score], "constant_loss": math.log(2)}

    found = each(score=[0.5, 0.5, 0.9], history=[history(0.7, 0.5), history(0.5, 0.5), history(0.1, 0.9)])
    table = made_up(tmp_path, study("outcomes", seeds=3), found).table
    assert table.texts == [
        ["devlin", "failed", "2", "0.693", "0.700 ± 0.141", "0.650 ± 0.141", "0.600 ± 0.141", "0.500 ± 0.000"],
        ["devlin", "successful", "1", "0.693", "0.200 ± -", "0.150 ± -", "0.100 ± -", "0.900 ± -"],
    ]
    alone = made_up(tmp_path / "alone", study("outcomes", seeds=1), each(history=[history(0.1, 0.9)])).table
    assert alone.notes[1] == "devlin: no failed run among 1."


def test_the_factor_of_the_correction_is_one_over_the_ratio(tmp_path: Path) -> None:
    factor, ratio = (made_up(tmp_path, study(view), scores(0.7, 0.7)).table for view in ("correction", "bias"))
    # Known values of sqrt(1 - .999^t) / (1 - .9^t) at t = 1, 10 and 100; those of the ratio are one over them.
    assert [row[1] for row in factor.texts[:3]] == ["0.316", "0.153", "0.309"]
    assert [row[1] for row in ratio.texts[:3]] == ["3.162", "6.528", "3.241"]
