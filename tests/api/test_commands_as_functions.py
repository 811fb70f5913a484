"""Baselines, the gate, doctor and the page as functions, with the results of the commands."""

import inspect
import json
from pathlib import Path

import pytest
from command import stabbench as command
from command import without_origin

import stabbench
from stabbench import StabbenchError
from stabbench.cli.commands import commands
from stabbench.gate.rules import Rules

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_baselines_and_the_gate_give_what_the_command_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file, short = tmp_path / "baselines.json", {"store": Path(".stabbench")}
    made = stabbench.record_baselines(["devlin", "mosbach"], file, seeds=3, max_steps=2, **short)  # type: ignore[arg-type]
    assert [(cell.recipe, list(cell.scores)) for cell in made] == [("devlin", [0, 1, 2]), ("mosbach", [0, 1, 2])]
    done = stabbench.gate(["mosbach"], baselines=file, seeds=2, rules=Rules(max_failed=1), **short)  # type: ignore[arg-type]
    gate = ["gate", "mosbach", "--seeds", "2", "--max-failed", "1", "--json", "out.json", "--workers", "1"]
    shown = command(*gate, cwd=tmp_path, expect=done.verdict.exit_code)
    assert without_origin(shown.stdout).strip() == without_origin(str(done)).strip()
    written, own = json.loads((tmp_path / "out.json").read_text()), done.to_json()
    for found in (written, own):
        del found["cells"][0]["candidate"]["from_store"]
    assert {key: written[key] for key in own} == json.loads(json.dumps(own))
    more = stabbench.update_baselines(["mosbach"], file, seeds=4, **short)  # type: ignore[arg-type]
    assert [list(cell.scores) for cell in more] == [[0, 1, 2, 3]]
    with pytest.raises(StabbenchError, match="already"):
        stabbench.record_baselines(["devlin"], file, seeds=3, max_steps=2, **short)  # type: ignore[arg-type]
    with pytest.raises(StabbenchError, match="recipes are a list"):
        stabbench.gate("mosbach", baselines=file)  # type: ignore[arg-type]


def test_baselines_and_past_gates_are_shown_as_by_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scores, at = EXAMPLES / "scores.csv", 0.5
    stabbench.record_results(scores, constant_score=at)
    shown = stabbench.show_baselines(["mosbach"])
    assert [(cell.recipe, len(cell.scores)) for cell in shown] == [("mosbach", 25)]
    assert str(shown).strip() == command("baseline", "show", "mosbach", cwd=tmp_path).stdout.strip()
    verified = stabbench.verify_baselines(trials=30, seed=1, rules=Rules(alpha=0.1))
    said = command("baseline", "verify", "--trials", "30", "--seed", "1", "--alpha", "0.1", cwd=tmp_path)
    assert str(verified).strip() == said.stdout.strip()
    assert not verified.too_often
    assert 0 <= verified.rate <= 0.2
    command("gate", "--from", f"mosbach={EXAMPLES / 'new_scores.csv'}", "--constant-score", "0.5", cwd=tmp_path)
    past = stabbench.history(["mosbach"])
    assert len(past.gates) == 1
    assert str(past).strip() == command("history", "mosbach", cwd=tmp_path).stdout.strip()
    for function in (stabbench.show_baselines, stabbench.verify_baselines, stabbench.history):
        with pytest.raises(StabbenchError):
            function(["absent"])
        with pytest.raises(StabbenchError, match="recipes are a list"):
            function("mosbach")  # type: ignore[arg-type]
    with pytest.raises(StabbenchError, match="trials"):
        stabbench.verify_baselines(trials=0)


def test_results_from_elsewhere_are_diagnosed_and_reported(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    scores = EXAMPLES / "scores.csv"
    found = stabbench.diagnose_results(scores, constant_score=0.5)
    assert {each.record.recipe for each in found} == {"devlin"}
    assert len(stabbench.diagnose_results(scores, constant_score=0.5, every=True)) == 50
    stabbench.report_results(scores, tmp_path / "page.html", constant_score=0.5)
    assert "stabbench.report_results, in Python" in (tmp_path / "page.html").read_text()


def test_every_command_has_its_function() -> None:
    functions = {
        "baseline": ["record_baselines", "update_baselines", "show_baselines", "verify_baselines"],
        "list": ["recipe_names", "task_names", "study_names", "Store"],
        "run": ["compare"],  # of one recipe
        "show": ["Store"],
        "study": ["run_study"],
    }
    for name in commands.commands:
        for function in functions.get(name, [name]):
            assert callable(getattr(stabbench, function)), name


def test_a_baseline_of_a_task_that_is_an_object(tmp_path: Path) -> None:
    """No command finds such a task again: the gate in Python does, and the command says what to do."""
    rows = [("angry king", 0), ("glad student", 1)] * 20
    part = stabbench.Examples([text for text, _ in rows], None, [label for _, label in rows])
    task = stabbench.Task("mine", "accuracy", ("bad", "good"), train=part, evaluation=part)
    file, store = tmp_path / "baselines.json", tmp_path / ".stabbench"
    stabbench.record_baselines(["devlin"], file, task=task, seeds=2, max_steps=1, store=store)
    done = stabbench.gate(baselines=file, task=task, seeds=2, store=store)
    assert done.verdict == "INCONCLUSIVE"
    lost = stabbench.gate(baselines=file, seeds=2, store=store)
    assert lost.verdict == "ERROR"
    assert "the task 'mine' of the baseline devlin on mine, lab is not known here" in lost.cells[0].error
    assert "stabbench.gate(task=…)" in lost.cells[0].error


def test_a_page_of_stored_runs(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    stabbench.compare(["devlin", "mosbach"], seeds=2, max_steps=1, store=tmp_path)
    asked = {"max_steps": 1, "store": tmp_path}
    lacking = stabbench.report(["devlin", "mosbach"], tmp_path / "page.html", seeds=3, **asked)  # type: ignore[arg-type]
    assert lacking == {"devlin": [2], "mosbach": [2]}
    page = (tmp_path / "page.html").read_text()
    assert "not stored, and not on the page: devlin, seed 2" in page
    with pytest.raises(StabbenchError, match="has none of these runs"):
        stabbench.report(["cwgnc"], tmp_path / "none.html", **asked)  # type: ignore[arg-type]
    assert not (tmp_path / "none.html").exists()


def test_doctor_says_how_recipes_would_be_trained(tmp_path: Path) -> None:
    found = stabbench.doctor(["devlin"], seeds=2, max_steps=2, store=tmp_path)
    assert [(o.recipe, o.runs, o.steps) for o in found.outlooks] == [("devlin", 2, 2)]
    assert "runs to train" in str(found)
    assert not (tmp_path / "runs.sqlite").exists()


def test_a_function_may_have_the_name_of_a_room() -> None:
    """Whatever was imported before: Python puts the module in the place of the function."""
    import stabbench.gate.judge

    assert stabbench.gate.judge.judge is not None
    assert inspect.signature(stabbench.gate).parameters["sequential"].default is False
    assert "output" in inspect.signature(stabbench.report).parameters
    for name in ("compare", "gate", "record_baselines", "update_baselines", "doctor", "run_study"):
        given = list(inspect.signature(getattr(stabbench, name)).parameters.values())
        assert all(p.kind is not p.VAR_KEYWORD for p in given), name
        assert {"store", "workers", "executor", "plugins", "progress"} <= {p.name for p in given}, name
