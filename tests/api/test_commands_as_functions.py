"""Baselines, the gate, doctor and the page as functions, with the results of the commands."""

import inspect
import json
from pathlib import Path

import pytest
from command import stabbench as command
from command import without_origin

import stabbench
from stabbench import StabbenchError
from stabbench.gate.rules import Rules


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


def test_a_baseline_of_a_task_that_is_an_object(tmp_path: Path) -> None:
    """No command finds such a task again: the gate in Python does, and the command says what to do."""
    rows = [("it broke", 0), ("lovely", 1)] * 20
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
