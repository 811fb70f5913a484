"""The real command, end to end on the lab model: trainings cut to a few steps, everything else as a user has it."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from command import COMMAND, stabbench, without_origin

from stabbench import Store
from stabbench._version import __version__ as stabbench_version
from stabbench.records.checkpoints import FOLDER, INTERVAL, Checkpoint

SHORT = ["--max-steps", "3"]


def test_compare_trains_stores_prints_and_writes(tmp_path: Path) -> None:
    first = stabbench(
        "compare", "devlin", "mosbach:lr=1e-5", "--seeds", "3", *SHORT,
        "--json", "out.json", "--plot", "out.png", cwd=tmp_path,
    )  # fmt: skip
    assert "against devlin" in first.stdout
    assert "6 to train" in first.stderr
    data = json.loads((tmp_path / "out.json").read_text())
    assert data["task"] == "lab/entailment"
    assert list(data["recipes"]) == ["devlin", "mosbach:lr=1e-5"]
    assert all(r["planned"] == 3 and len(r["scores"]) == 3 for r in data["recipes"].values())
    assert data["command"] == (
        "stabbench compare devlin mosbach:lr=1e-5 --seeds 3 --max-steps 3 --json out.json --plot out.png"
    )
    assert data["stabbench"] == stabbench_version
    devlin, mosbach = data["recipes"].values()
    assert (devlin["steps"], devlin["whole_steps"], devlin["max_steps"]) == (3, 189, 3)
    assert devlin["streams"] == {stream: [0, 1, 2] for stream in ("initialisation", "order", "dropout")}
    assert mosbach["experiment"]["parameters"]["lr"] == 1e-5
    assert len(devlin["experiment"]["data"]) == len(devlin["experiment"]["model"]) == 64
    assert {"torch", "transformers", "device", "device_name"} <= set(devlin["environment"])
    assert devlin["from_store"] == [False] * 3
    assert all(day.startswith("20") for day in devlin["finished"])
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")

    again = stabbench("compare", "devlin", "mosbach:lr=1e-5", "--seeds", "3", *SHORT, cwd=tmp_path)
    assert without_origin(again.stdout) == without_origin(first.stdout)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert "\n0 of 6 runs from the store\n" in first.stdout
    assert f"\n6 of 6 runs from the store, trained {today}\n" in again.stdout
    for said in (first.stdout, again.stdout):
        assert "\ncut by --max-steps: devlin to 3 steps of 189, mosbach:lr=1e-5 to 3 steps of 1,260\n" in said
    assert "to train" not in again.stderr

    more = stabbench("compare", "devlin", "mosbach", "--seeds", "2,5", *SHORT, cwd=tmp_path)
    assert "1 runs are stored, 3 to train" in more.stderr

    listed = stabbench("list", "runs", "--store", ".stabbench", cwd=tmp_path).stdout.splitlines()
    assert len(listed) == 9
    assert sum("  devlin  seed " in line for line in listed) == 4
    assert all(line.endswith("  cut to 3 steps by --max-steps") for line in listed)
    run_id = listed[0].split()[0]
    shown = json.loads(stabbench("show", run_id[:8], "--history", cwd=tmp_path).stdout)
    assert shown["id"] == run_id
    assert shown["steps"] == len(shown["history"]["losses"]) == 3
    assert {"experiment", "environment"} == set(shown["fingerprint"])


def test_what_is_trained_anew_is_compared_bit_by_bit_and_another_number_is_an_error(tmp_path: Path) -> None:
    arguments = ["run", "devlin", "--seeds", "2", "--max-steps", "2", "--workers", "1"]
    stabbench(*arguments, cwd=tmp_path)
    same = stabbench(*arguments, "--fresh", "--json", "out.json", cwd=tmp_path)
    assert "2 to train" in same.stderr
    assert "the same to the last bit: devlin on lab/entailment, seeds 0 1" in same.stdout
    assert json.loads((tmp_path / "out.json").read_text())["fresh"]["different"] == []
    with sqlite3.connect(tmp_path / ".stabbench" / "runs.sqlite") as db:
        db.execute("UPDATE runs SET record = json_set(record, '$.score', 0.125) WHERE seed = 1")
    changed = stabbench(*arguments, "--fresh", "--json", "out.json", cwd=tmp_path, expect=3)
    assert "the same to the last bit: devlin on lab/entailment, seeds 0\n" in changed.stdout
    assert "DIFFERENT: devlin on lab/entailment, seed 1 (" in changed.stdout
    assert "score 0.125 → 0." in changed.stdout
    assert "1 of 2 runs gave other numbers than those in the store" in changed.stderr
    (found,) = json.loads((tmp_path / "out.json").read_text())["fresh"]["different"]
    assert found["seed"] == 1
    kept = json.loads((tmp_path / "out.json").read_text())["fresh"]["kept_in"]
    assert len(stabbench("list", "runs", "--store", kept, cwd=tmp_path).stdout.splitlines()) == 2
    assert "0.1250" in stabbench("list", "runs", cwd=tmp_path).stdout, "the store keeps what it has"


def test_stack_sizes_and_workers_do_not_change_a_number(tmp_path: Path) -> None:
    """The whole command: K = 1 in one process, K = 3 in one, and a pool that chooses."""
    results = []
    for number, options in enumerate((["--stack", "1", "--workers", "1"], ["--stack", "3", "--workers", "1"], [])):
        stabbench(
            "compare", "devlin", "mixout", "--seeds", "4", "--max-steps", "8", *options,
            "--store", f"store{number}", "--json", f"{number}.json", cwd=tmp_path,
        )  # fmt: skip
        recipes = json.loads((tmp_path / f"{number}.json").read_text())["recipes"]
        results.append([(r["scores"], r["final_losses"]) for r in recipes.values()])
    assert results[0] == results[1] == results[2]


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    arguments = ["run", "devlin", "--seeds", "6", "--max-steps", "12", "--stack", "1", "--workers", "1"]
    whole = stabbench(*arguments, "--store", "whole", "--json", "whole.json", cwd=tmp_path)
    assert "6 to train" in whole.stderr
    killed = subprocess.Popen([*COMMAND, *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert killed.stderr is not None
    for line in killed.stderr:
        if "2/6 runs" in line:
            break
    killed.kill()
    killed.communicate()
    before = stabbench("list", "runs", cwd=tmp_path).stdout.splitlines()
    assert 2 <= len(before) < 6
    resumed = stabbench(*arguments, "--json", "resumed.json", cwd=tmp_path)
    assert f"{len(before)} runs are stored, {6 - len(before)} to train" in resumed.stderr
    assert set(before) < set(stabbench("list", "runs", cwd=tmp_path).stdout.splitlines())
    recipes = [
        json.loads((tmp_path / f"{name}.json").read_text())["recipes"]["devlin"] for name in ("whole", "resumed")
    ]
    assert recipes[0]["scores"] == recipes[1]["scores"]
    assert recipes[0]["final_losses"] == recipes[1]["final_losses"]


def test_a_group_that_was_killed_in_the_middle_goes_on_from_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is put into other groups; and the command that is killed is what shows that it does."""
    arguments = ["run", "mixout", "--seeds", "3", "--max-steps", "40", "--workers", "1"]
    stabbench(*arguments, "--store", "whole", "--json", "whole.json", cwd=tmp_path)
    monkeypatch.setenv(INTERVAL, "0")
    killed = subprocess.Popen([*COMMAND, *arguments], cwd=tmp_path, stderr=subprocess.DEVNULL)
    folder = tmp_path / ".stabbench" / FOLDER
    while killed.poll() is None and not any(Checkpoint.at(path).header.made >= 5 for path in folder.glob("*.npz")):
        time.sleep(0.05)
    killed.kill()
    killed.communicate()
    (path,) = folder.glob("*.npz")
    made = Checkpoint.at(path).header.made
    monkeypatch.setenv(INTERVAL, "1000")
    resumed = stabbench(*arguments, "--stack", "2", "--json", "resumed.json", cwd=tmp_path)
    assert "0 runs are stored, 3 to train" in resumed.stderr
    assert f"mixout: 3 runs under way, on from step {made}" in resumed.stderr
    assert not folder.exists()
    runs = [json.loads((tmp_path / f"{name}.json").read_text())["recipes"]["mixout"] for name in ("whole", "resumed")]
    assert runs[0]["scores"] == runs[1]["scores"]
    assert runs[0]["final_losses"] == runs[1]["final_losses"]
    stores = [Store(tmp_path / name, write=False) for name in ("whole", ".stabbench")]
    for record in stores[0].records():
        assert stores[0].history(record.id) == stores[1].history(record.id)


def test_the_workers_of_a_killed_driver_die_with_it(tmp_path: Path) -> None:
    driver = subprocess.Popen(
        [*COMMAND, "run", "devlin", "--seeds", "4", "--stack", "1", "--workers", "2"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert driver.stderr is not None
    driver.stderr.readline()
    deadline = time.monotonic() + 60
    # The process that forks them, and two of them.
    while len(workers := psutil.Process(driver.pid).children(recursive=True)) < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(workers) == 3
    driver.kill()
    driver.communicate()
    assert psutil.wait_procs(workers, timeout=60)[1] == []


def test_ctrl_c_ends_cleanly_keeps_what_is_done_and_says_how_to_go_on(tmp_path: Path) -> None:
    arguments = ["run", "devlin", "--seeds", "30", "--max-steps", "12", "--stack", "1", "--workers", "2"]
    running = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell's background commands ignore it, and pass that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert running.stderr is not None
    for line in running.stderr:
        if "2/30 runs" in line:
            break
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to the driver and its workers
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in errors
    assert "the same command goes on there" in errors
    assert len(stabbench("list", "runs", cwd=tmp_path).stdout.splitlines()) >= 2


def test_two_commands_at_once_share_a_store(tmp_path: Path) -> None:
    arguments = ["run", "devlin", "--seeds", "4", *SHORT, "--workers", "1"]
    both = [subprocess.Popen([*COMMAND, *arguments], cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    tables = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert without_origin(tables[0]) == without_origin(tables[1])
    assert len(stabbench("list", "runs", cwd=tmp_path).stdout.splitlines()) == 4


def test_a_plugins_recipe_runs_in_the_workers_too_and_its_bug_is_a_missing_run(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from stabbench import Recipe\n"
        'class Mine(Recipe):\n    """Mine."""\n    name = "mine"\n    lr = 1e-5\n'
        'class Buggy(Recipe):\n    """Buggy."""\n    name = "buggy"\n'
        "    def gradient_scales(self, norms):\n        return 1 / 0\n"
    )
    assert "mine " in stabbench("list", "recipes", "--plugin", "mine.py", cwd=tmp_path).stdout
    installed = Path(sys.executable).with_name("stabbench")
    by_name = subprocess.run(
        [installed, "list", "recipes", "--plugin", "mine"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "mine " in by_name.stdout
    stabbench(
        "compare", "devlin", "mine", "--plugin", "mine.py", "--seeds", "2", *SHORT, "--workers", "2", cwd=tmp_path
    )
    failed = stabbench(
        "compare", "mine", "buggy", "--plugin", "mine.py", "--seeds", "2", *SHORT, cwd=tmp_path, expect=3
    )
    assert "2 of 4 runs are missing: ZeroDivisionError" in failed.stderr
    assert "mine.py" in failed.stderr
    outcomes = [line.split("  ")[5] for line in stabbench("list", "runs", cwd=tmp_path).stdout.splitlines()]
    assert len(outcomes) == 6
    assert outcomes.count("missing") == 2
    retried = stabbench(
        "compare", "mine", "buggy", "--plugin", "mine.py", "--seeds", "2", *SHORT, cwd=tmp_path, expect=3
    )
    assert "2 runs are stored, 2 to train" in retried.stderr


def test_streams_are_set_apart(tmp_path: Path) -> None:
    stabbench("run", "devlin", "--seeds", "2", *SHORT, "--initialisation-seed", "7", cwd=tmp_path)
    with sqlite3.connect(tmp_path / ".stabbench" / "runs.sqlite") as db:
        seeds = [json.loads(text)["seeds"] for (text,) in db.execute("SELECT record FROM runs ORDER BY seed")]
    db.close()
    assert seeds == [{"seed": n, "initialisation": 7, "order": n, "dropout": n} for n in (0, 1)]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["compare", "devlin", "mosbahc"], 3, "did you mean 'mosbach'"),
        (["compare", "devlin"], 3, "two recipes or more"),
        (["compare", "devlin", "devlin"], 3, "given twice"),
        (["run", "train.py"], 3, "it runs no training script"),
        (["compare", "train.py", "devlin"], 3, "it runs no training script"),
        (["run", "cautious"], 3, "add the option --plugin mine.py"),
        (["run", "devlin", "--task", "my.csv"], 3, "there is no such file"),
        (["run", "devlin", "--task", "./mine/task.toml"], 3, "there is no such file"),
        (["run", "devlin:epoch=3"], 3, "did you mean 'epochs'"),
        (["run", "mixout:p=1"], 3, "p must be at least 0 and below 1"),
        (["run", "devlin", "--task", "lab/entailmnt"], 3, "did you mean 'lab/entailment'"),
        (["run", "devlin", "--task", "glue/rte", "--data-dir", "nowhere"], 3, "no such folder"),
        (["run", "devlin", "--model", "./nowhere"], 3, "no such folder"),
        (["run", "devlin", "--seeds", "3,3"], 3, "seed 3 is given twice"),
        (["run", "devlin", "--seeds", "-1,2"], 3, "seed -1 is negative"),
        (["run", "devlin", "--seeds", "0"], 3, "no seeds"),
        (["run", "devlin", "--seeds", "many"], 3, "neither a number of seeds nor a list"),
        (["run", "devlin", "--stack", "0"], 3, "--stack"),
        (["run", "devlin", "--max-steps", "0"], 3, "--max-steps"),
        (["run", "devlin", "--json", "no/such/folder.json"], 3, "there is no folder"),
        (["run", "devlin", "--plugin", "absent.py"], 3, "cannot be imported"),
        (["run", "devlin", "--device", "cuda"], 3, "no GPU"),
        (["run", "devlin", "--data-dir", "."], 3, "takes no data folder"),
        (["run", "devlin", "--seeds", "9" * 30], 3, "is over 1,000,000"),
        (["run", "devlin", "--plot", "picture.abc"], 3, "does not end in .png"),
        (["run", "devlin", "--store", "file"], 3, "is a file, not a folder"),
        (["compare", "devlin", "mosbach", "--max-std", "0.1"], 3, "--max-std is a rule of a verdict: it needs --check"),
        (["gat"], 3, "No such command"),
        (["--nonsense"], 3, "No such option"),
        (["list", "runs"], 3, "no store at"),
        (["show", "abc"], 3, "no store at"),
    ],
)
def test_bad_input_is_one_clear_message(tmp_path: Path, arguments: list[str], code: int, message: str) -> None:
    import torch

    if "cuda" in arguments and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "mine.py").write_text("class Mine(Recipe):\n    name = 'cautious'\n")
    done = stabbench(*arguments, cwd=tmp_path, expect=code)
    assert message in done.stderr


def test_json_goes_through_a_link_and_into_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to("target.json")
    stabbench("run", "devlin", "--seeds", "1", *SHORT, "--json", "link.json", cwd=tmp_path)
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "target.json").read_text())["recipes"]["devlin"]["planned"] == 1
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", "pipe"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    stabbench("run", "devlin", "--seeds", "1", *SHORT, "--json", "pipe", cwd=tmp_path)
    assert json.loads(reader.communicate(timeout=60)[0])["task"] == "lab/entailment"


def test_weights_are_kept_on_request(tmp_path: Path) -> None:
    short = ["devlin", "--task", "lab/entailment:examples=64", "--seeds", "1", "--max-steps", "1", "--workers", "1"]
    assert "trained again" not in stabbench("run", *short, cwd=tmp_path).stderr
    again = stabbench("run", *short, "--keep-weights", cwd=tmp_path)
    assert "1 stored run is trained again to keep the weights" in again.stderr
    (run_id,) = [line.split()[0] for line in stabbench("list", "runs", cwd=tmp_path).stdout.splitlines()]
    shown = json.loads(stabbench("show", run_id, cwd=tmp_path).stdout)
    assert (tmp_path / shown["weights"]).stem == run_id
    (tmp_path / shown["weights"]).unlink()
    assert "weights" not in json.loads(stabbench("show", run_id, cwd=tmp_path).stdout)


def test_show_wants_one_run(tmp_path: Path) -> None:
    stabbench("run", "devlin", "--seeds", "2", *SHORT, cwd=tmp_path)
    assert "no runs" in stabbench("show", "zzz", cwd=tmp_path, expect=3).stderr
    assert "2 runs" in stabbench("show", "", cwd=tmp_path, expect=3).stderr


@pytest.mark.parametrize(
    "command", [[], ["compare"], ["run"], ["list"], ["list", "recipes"], ["list", "tasks"], ["list", "models"],
                ["list", "runs"], ["show"], ["diagnose"]]
)  # fmt: skip
def test_every_command_has_help_with_an_example(command: list[str], tmp_path: Path) -> None:
    text = stabbench(*command, "--help", cwd=tmp_path).stdout
    assert "stabbench " in text.split("Options:")[0].split("\n\n", 1)[1]


def test_help_does_not_load_torch(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "stabbench", "--help"], capture_output=True, text=True, check=True
    )
    for heavy in ("torch", "transformers", "scipy", "numpy", "datasets"):
        assert not any(line.split("|")[-1].strip() == heavy for line in done.stderr.splitlines())
