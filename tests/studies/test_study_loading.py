"""Studies by name, and from a user's TOML and Python files; each mistake gets a message that says where it is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import stabbench
from stabbench.errors import StabbenchError, StudyError
from stabbench.runner.plan import Plan
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources
from stabbench.studies.loading import load_study, study_names

TOML = """
title = "Warmup"
recipes = ["devlin"]
seeds = 4
[grid]
warmup = [0.0, 0.1]
"""


def written(tmp_path: Path, text: str, name: str = "mine.toml") -> str:
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def test_the_papers_studies_come_in_the_order_of_their_figures() -> None:
    names = study_names()
    assert len(names) == 33
    assert names.index("zhang2021-fig9") < names.index("zhang2021-fig10")
    assert [name.partition("-")[2] for name in names if name.startswith("yang")] == [
        "fig1", "fig2", "fig3", "fig4", "table1", "table2",
    ]  # fmt: skip


@pytest.mark.parametrize("name", study_names())
def test_every_shipped_study_can_be_planned_and_says_where_it_is_from(name: str) -> None:
    study = load_study(name)
    paper = {"mosbach2021": "Mosbach et al. 2021", "yang2022": "Yang and Ma 2022", "zhang2021": "Zhang et al. 2021"}
    assert study.name == name
    assert study.source.startswith(paper[name.partition("-")[0]])
    assert study.finding.endswith(".")
    recipes = [point.recipe for point in study.points()]
    for variant in study.variants:
        first = study.tasks[0] if study.tasks[0].startswith("lab/") else "lab/entailment"
        task = first + (f":{variant}" if variant else "")
        cells = resolve(Plan(recipes, task, "lab", study.seed_list()), Resources()).cells
        assert len({cell.fingerprint.cell_id for cell in cells}) == len(recipes)


def test_a_toml_file_is_a_study(tmp_path: Path) -> None:
    study = load_study(written(tmp_path, TOML))
    assert (study.name, study.title, study.seeds) == ("mine", "Warmup", 4)
    assert [point.varied for point in study.points()] == [{"warmup": 0.0}, {"warmup": 0.1}]


def test_what_a_study_names_is_relative_to_it(tmp_path: Path) -> None:
    """And trained from there, wherever the command is given; a doctor and a variant take it, too."""
    (tmp_path / "data").mkdir()
    training = (
        "name = 'own'\ncommand = 'true {seed} {lr}'\nscore = 'stdout:(.*)'\nconstant_score = 0\n[parameters]\nlr = 1\n"
    )
    (tmp_path / "data" / "own.toml").write_text(training)
    study = load_study(written(tmp_path, "title = 'T'\nrecipes = ['data/own.toml:lr=2']\n"))
    assert list(study.recipes) == [str(tmp_path / "data" / "own.toml:lr=2")]
    (tmp_path / "data" / "rows.csv").write_text("text,label\n" + "angry king,bad\nglad student,good\n" * 15)
    elsewhere = str(tmp_path / "data" / "rows.csv")
    tasks = f"['data/rows.csv', 'lab/paraphrase', {elsewhere + ':examples=8'!r}]"
    study = load_study(written(tmp_path, f"title = 'T'\nrecipes = ['devlin']\ntasks = {tasks}\n"))
    assert list(study.tasks) == [elsewhere, "lab/paraphrase", f"{elsewhere}:examples=8"]
    own = dataclasses.replace(study, tasks=study.tasks[:1], variants=["", "examples=8"])
    done = stabbench.run_study(own, seeds=2, max_steps=1, store=tmp_path / "store")
    assert [(row.task, row.variant, row.runs.summary.planned) for row in done.rows] == [
        ("rows", "", 2),
        ("rows", "examples=8", 2),
    ]
    found = stabbench.doctor(["mosbach"], task=elsewhere, seeds=1, max_steps=1, store=tmp_path / "store")
    assert [(o.task, o.runs) for o in found.outlooks] == [("rows", 1)]


def test_a_python_file_is_a_study(tmp_path: Path) -> None:
    made = "stabbench.Study(name='depths', title='T', recipes=[f'reinit:blocks={n}' for n in (1, 2)])"
    text = f"import stabbench\nstudy = {made}"
    assert [p.recipe.label for p in load_study(written(tmp_path, text, "mine.py")).points()] == [
        "reinit:blocks=1", "reinit:blocks=2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = ", "cannot be read"),
        ('title = "T"', "no recipes"),
        ('recipes = ["devlin"]', "no title"),
        (TOML.replace("seeds", "sedes"), "did you mean 'seeds'"),
        (TOML.replace("seeds = 4", 'seeds = "four"'), "seeds must be a"),
        (TOML.replace("seeds = 4", "seeds = true"), "seeds must be a"),
        (TOML.replace('["devlin"]', '"devlin"'), "recipes must be a list"),
        (TOML.replace("warmup = [0.0, 0.1]", "warmup = 0.1"), "must be a list of values"),
        (TOML.replace("seeds = 4", 'view = "lines"'), "needs x"),
    ],
)
def test_a_mistake_in_a_toml_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        load_study(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("study = 3", "defines no study"),
        ("", "defines no study"),
        ("1 / 0", "ZeroDivisionError"),
        ("(", "SyntaxError"),
        ("raise SystemExit(0)", r"it ends the program by sys.exit\(0\)"),
        ("import stabbench\nstabbench.Study(name='n', title='t', recipes=[])", "recipes must"),
    ],
)
def test_a_mistake_in_a_python_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        load_study(written(tmp_path, text, "mine.py"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mosbach2021-table2", "did you mean 'mosbach2021-table1'"),
        ("nothing.toml", "cannot be read"),
        ("nothing.py", "cannot be imported"),
    ],
)
def test_an_unknown_study_is_refused(name: str, message: str) -> None:
    with pytest.raises(StabbenchError, match=message):
        load_study(name)
