"""Commands that train: what becomes of those that go wrong, and of everything that they start."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

import pytest
from noting import Noting
from training_files import GOOD, PYTHON, training_file

import stabbench
from stabbench import Outcome, RunRecord, StabbenchError, Store
from stabbench.records.seeds import seed_list
from stabbench.runner.execute import execute
from stabbench.runner.methods import find_method
from stabbench.runner.plan import Plan
from stabbench.runner.resources import Resources
from stabbench.trainings import outputs, process


def executed(path: Path, seeds: Any = 1, **keys: Any) -> list[RunRecord]:
    """The runs of a training file, missing ones among them."""
    plan = Plan([find_method(str(path))], "lab/entailment", "lab", seed_list(seeds))
    (records,) = execute(plan, Resources(path.parent / "store", **keys)).runs.values()
    return records


def of_script(tmp_path: Path, script: str, seeds: Any = 1, **keys: Any) -> list[RunRecord]:
    return executed(training_file(tmp_path, script, **{"score": "stdout:score (.*)", **keys}), seeds)


def alive(folder: Path) -> list[int]:
    """Processes whose ids a script has written into files of that folder."""
    pids = [int(file.read_text()) for file in folder.glob("pid-*")]
    assert pids
    return [pid for pid in pids if _runs(pid)]


def _runs(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return b"\nState:\tZ" not in Path(f"/proc/{pid}/status").read_bytes()
    return False


def test_every_seed_is_one_run_and_is_not_run_again(tmp_path: Path) -> None:
    path = training_file(tmp_path)
    noting = Noting()
    first = stabbench.compare([str(path)], seeds=3, store=tmp_path / "store", progress=noting)
    assert noting.plans == [(0, 3, 0)]
    assert noting.trained == [0, 1, 2]
    assert noting.ticks == 3
    (runs,) = first.recipes
    assert (runs.label, runs.failed, runs.whole_steps) == ("mine", 0, None)
    assert len({record.score for record in runs.records}) > 1
    assert (first.task, first.model, first.metric, first.constant_score) == (
        "training code",
        "its own",
        "accuracy",
        0.5,
    )
    again = stabbench.compare([str(path)], seeds=4, store=tmp_path / "store", progress=noting)
    assert noting.plans[1] == (3, 1, 0)
    assert again.recipes[0].records[:3] == runs.records


def test_another_constant_score_judges_stored_runs_anew(tmp_path: Path) -> None:
    assert {record.outcome for record in executed(training_file(tmp_path, constant_score=None), 3)} == {Outcome.UNKNOWN}
    assert {record.outcome for record in executed(training_file(tmp_path), 3)} == {Outcome.OK}
    failed = executed(training_file(tmp_path, constant_score=0.9), 3)
    assert {record.outcome for record in failed} == {Outcome.FAILED}
    assert len(list((tmp_path / "store" / outputs.FOLDER).iterdir())) == 3, "nothing ran again"


def test_a_loss_is_turned_round(tmp_path: Path) -> None:
    path = training_file(tmp_path, score="{output}/result.json:loss", lower_is_better=True, constant_score=0.999)
    (record,) = executed(path)
    assert record.metric == "neg_loss"
    assert record.score is not None
    assert -1 < record.score < 0
    assert record.constant_score == -0.999
    assert record.outcome is Outcome.OK


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("import sys; print('half way'); sys.exit(3)", "exit code 3: half way"),
        ("raise ValueError('no data')", "exit code 1: ValueError: no data"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "it was ended by SIGSEGV, and printed nothing"),
        ("print('finished')", "it printed nothing that 'score (.*)' finds: finished"),
        ("print('score 0.5'); print('score 0.6')", "it printed 2 scores (0.5, 0.6…)"),
        # A wrapper that swallows an exception.
        (
            "import traceback\ntry: 1 / 0\nexcept Exception: traceback.print_exc()",
            "ZeroDivisionError: division by zero",
        ),
        # What a library says when the interpreter ends.
        (
            "import atexit, sys\natexit.register(print, 'a warning: leaked', file=sys.stderr)\nraise KeyError(3)",
            "exit code 1: KeyError: 3",
        ),
        ("print('score high')", "which is no number"),
        ("print('score 1e300')", "is no score: it is over"),
        ("import sys; sys.stdout.buffer.write(b'\\xff\\x00 bytes\\n'); sys.exit(1)", "exit code 1: \ufffd"),
    ],
)
def test_a_run_without_a_score_is_missing_and_says_why(tmp_path: Path, script: str, reason: str) -> None:
    (record,) = of_script(tmp_path, script)
    assert record.outcome is Outcome.MISSING
    assert reason in record.reason
    with pytest.raises(StabbenchError, match="1 of 1 runs are missing") as error:
        stabbench.compare([str(tmp_path / "mine.toml")], seeds=1, store=tmp_path / "store")
    printed = tmp_path / "store" / outputs.FOLDER / record.id
    assert (f"what it printed: {printed}" in str(error.value)) == printed.exists()


def test_a_warning_is_not_the_reason_for_a_score_that_is_not_in_its_file(tmp_path: Path) -> None:
    script = GOOD + "print('UserWarning: use the other kernel', file=sys.stderr)"
    (record,) = executed(training_file(tmp_path, script, score="{output}/result.json:f1"))
    assert record.reason == "result.json has no f1; it has accuracy, loss, runtime; it printed last: done"
    (record,) = executed(training_file(tmp_path, script, score="{output}/results.json:f1"))
    assert record.reason == "it wrote no file results.json; it printed last: done"


@pytest.mark.parametrize("score", ["nan", "inf", "-inf"])
def test_a_score_that_is_not_finite_is_a_failed_run(tmp_path: Path, score: str) -> None:
    (record,) = of_script(tmp_path, f"print('score {score}')")
    assert (record.outcome, record.score) == (Outcome.FAILED, None)
    assert record.reason == "its score is not finite"


CHILDREN = """
import os, pathlib, subprocess, sys, time
def leave(name, new_session):
    # Twice forked: nobody but a subreaper is told of it.
    if os.fork() == 0:
        if new_session:
            os.setsid()
        if os.fork() == 0:
            pathlib.Path(f"pid-{name}").write_text(str(os.getpid()))
            time.sleep(600)
        os._exit(0)
leave("group", False)
leave("session", True)
while len(list(pathlib.Path().glob("pid-*"))) < 2:
    time.sleep(0.01)
time.sleep(0.05)
"""


@pytest.mark.parametrize("end", ["print('score 0.7')", "sys.exit(1)", "time.sleep(600)"])
def test_its_children_end_with_it(tmp_path: Path, end: str) -> None:
    started = time.monotonic()
    (record,) = of_script(tmp_path, CHILDREN + end, timeout="2s")
    assert alive(tmp_path) == []
    assert time.monotonic() - started < 60
    if "600" in end:
        assert record.outcome is Outcome.MISSING
        assert record.reason.startswith("it took over 2 seconds")


def test_a_flood_of_output_fills_neither_memory_nor_store(tmp_path: Path) -> None:
    (record,) = of_script(
        tmp_path,
        "import sys, pathlib\n"
        "for _ in range(128): print('x' * 2**20)\n"
        "print('score 0.7')\n"
        "with open(sys.argv[2] + '/weights.bin', 'wb') as file: file.truncate(2**30)\n"
        "pathlib.Path(sys.argv[2], 'small.txt').write_text('kept')",
    )
    assert record.score == 0.7
    (folder,) = (tmp_path / "store" / outputs.FOLDER).iterdir()
    printed = (folder / "stdout.txt").stat().st_size
    assert printed <= process.HEAD_BYTES + 2 * process.TAIL_BYTES + 100
    assert "bytes are left out" in (folder / "stdout.txt").read_text()
    assert (folder / "output" / "small.txt").read_text() == "kept"
    assert not (folder / "output" / "weights.bin").exists()
    assert "output/weights.bin  1,073,741,824 bytes" in (folder / "removed.txt").read_text()


def test_what_an_earlier_try_has_written_is_no_score(tmp_path: Path) -> None:
    script = GOOD + "\nif not pathlib.Path('again').exists():\n    pathlib.Path('again').touch()\n    sys.exit(1)\n"
    (record,) = executed(training_file(tmp_path, script))
    assert record.outcome is Outcome.MISSING
    (tmp_path / "mine.py").write_text("print('nothing')")  # an identity of its own, and so a folder of its own
    (record,) = executed(tmp_path / "mine.toml")
    assert "it wrote no file result.json; it printed last: nothing" in record.reason


def test_a_command_that_ignores_its_seed_is_an_error(tmp_path: Path) -> None:
    same = "import json, sys; json.dump({'accuracy': 0.8, 'loss': 0.25}, open(sys.argv[2] + '/result.json', 'w'))"
    with pytest.raises(StabbenchError, match="seeds 0 and 1 are the same to the last bit") as caught:
        executed(training_file(tmp_path / "two", same), 2)
    assert "neither the new head, nor the order of the data, nor dropout" in str(caught.value)
    bare = training_file(tmp_path / "three", "print('score 0.8')", score="stdout:score (.*)")
    assert len(executed(bare, 2)) == 2, "two equal scores may be chance"
    with pytest.raises(StabbenchError, match=r"all 3 runs have the score 0\.8"):
        executed(bare, 3)
    with Store(tmp_path / "three" / "store", write=False) as store:
        assert len(list(store.records())) == 3


def test_runs_that_all_fail_alike_are_no_error(tmp_path: Path) -> None:
    """Collapsed runs of a small evaluation set have one score: that of the constant predictor."""
    records = of_script(tmp_path, "print('score 0.5')", seeds=4)
    assert {record.outcome for record in records} == {Outcome.FAILED}


def test_environment_parameters_and_name_reach_the_command(tmp_path: Path) -> None:
    script = "import os, sys; print('score', os.environ['RATE'], sys.argv[1:], os.environ['OWN'])"
    path = training_file(
        tmp_path,
        script,
        command=f"{PYTHON} mine.py {{name}} '{{{{seed}}}} {{lr}}' {{seed}}",
        score="stdout:score (\\\\S+)".replace("\\\\", "\\"),
        more='[env]\nRATE = "{lr}"\nOWN = "of {seed}"\n[parameters]\nlr = 0.75',
    )
    (record,) = executed(path, [7])
    assert record.score == 0.75
    (folder,) = (tmp_path / "store" / outputs.FOLDER).iterdir()
    assert (folder / "stdout.txt").read_text() == "score 0.75 ['mine', '{seed} 0.75', '7'] of 7\n"


def test_a_changed_script_is_another_run(tmp_path: Path) -> None:
    (before,) = executed(training_file(tmp_path))
    (after,) = executed(training_file(tmp_path, GOOD.replace("0.8,", "0.9,")))
    assert before.id != after.id
    assert before.fingerprint.experiment == after.fingerprint.experiment, "the code is what a gate tests"


def test_what_has_no_effect_on_training_code_is_refused(tmp_path: Path) -> None:
    path = str(training_file(tmp_path))
    for keys, message in (
        ({"max_steps": 3}, "max_steps has no effect"),
        ({"task": "lab/paraphrase"}, "task has no effect"),
        ({"model": "elsewhere"}, "model has no effect"),
        ({"stack": 2}, "trains one seed at a time"),
        ({"executor": "ray"}, "on this machine only"),
        ({"device": "cuda"}, "no GPU"),
        ({"seeds": [stabbench.Seeds.of(3, order=1)]}, "cannot be held still"),
    ):
        with pytest.raises(StabbenchError, match=message):
            stabbench.compare([path], store=tmp_path / "store", **keys)  # type: ignore[arg-type]
    with pytest.raises(StabbenchError, match="only scores of one task can be compared"):
        stabbench.compare([path, "devlin"], store=tmp_path / "store")
    other = training_file(tmp_path, name="other", constant_score=0.6)
    with pytest.raises(StabbenchError, match=r"not the same constant_score: 0\.5 and 0\.6"):
        stabbench.compare([path, str(other)], store=tmp_path / "store")
    assert not (tmp_path / "store" / outputs.FOLDER).exists()


def test_a_gpu_is_not_seen_by_a_run_on_the_cpu(tmp_path: Path) -> None:
    (record,) = of_script(tmp_path, "import os; print('score', len(os.environ['CUDA_VISIBLE_DEVICES']))")
    assert record.fingerprint.environment["device"] == "cpu"
    assert record.score == 0


def gpus(folder: Path, monkeypatch: pytest.MonkeyPatch, *names: str, seen: str | None = None) -> None:
    """A stand-in for NVIDIA's tool, which lists these."""
    rows = "\n".join(f"{index}, GPU-{index}{index}, {name}" for index, name in enumerate(names))
    tool = folder / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{rows}\nEND\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=os.pathsep)
    if seen is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)


@pytest.mark.parametrize(
    ("seen", "workers", "used"),
    [(None, None, ["0", "1"]), ("GPU-00,GPU-11", 4, ["GPU-00", "GPU-00", "GPU-11", "GPU-11"]), ("1", 1, ["1"])],
)
def test_each_run_has_a_gpu_of_its_own(
    seen: str | None, workers: int | None, used: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the kind of the first alone: a run's record has one name. All runs are at work at the same time."""
    gpus(tmp_path, monkeypatch, "NVIDIA A", "NVIDIA A", "NVIDIA B", seen=seen)
    script = f"""
import os, pathlib, sys, time
pathlib.Path(f"here-{{sys.argv[1]}}").touch()
while len(list(pathlib.Path().glob("here-*"))) < {len(used)}:
    time.sleep(0.01)
print(os.environ["CUDA_VISIBLE_DEVICES"])
print("score", sys.argv[1])
"""
    path = training_file(tmp_path, script, score="stdout:score (.*)", timeout="1m")
    found = executed(path, len(used), workers=workers, device=None)
    assert {(r.fingerprint.environment["device"], r.fingerprint.environment["device_name"]) for r in found} == {
        ("cuda", "NVIDIA A")
    }
    printed = [(tmp_path / "store" / outputs.FOLDER / r.id / "stdout.txt").read_text().splitlines()[0] for r in found]
    assert sorted(printed) == used


def test_runs_go_side_by_side(tmp_path: Path) -> None:
    """Each waits for the other: alone it would never end."""
    script = """
import pathlib, sys, time
pathlib.Path(f"here-{sys.argv[1]}").touch()
while len(list(pathlib.Path().glob("here-*"))) < 2:
    time.sleep(0.01)
print("score", 0.6 + int(sys.argv[1]) / 10)
"""
    path = training_file(tmp_path, script, score="stdout:score (.*)", timeout="1m")
    assert [record.score for record in executed(path, 2, workers=2)] == [0.6, 0.7]
