"""Kill the command at random moments, give it again, and compare what is stored with an undisturbed store.

    python scripts/kills.py --kills 200

Every store is disturbed several times, by SIGKILL, SIGTERM or SIGINT, at a random time or just after something was
written; then the command is given once more and left alone. Runs that are lost, doubled or have other numbers,
processes that live on, commands that hang or end with a wrong exit code, and files that are left behind are counted:
any of them makes the exit code 1.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

COMMANDS = {
    "ordinary": ["run", "devlin", "--seeds", "4", "--stack", "1", "--max-steps", "4", "--workers", "2"],
    "one process": ["run", "devlin", "--seeds", "4", "--stack", "2", "--max-steps", "4", "--workers", "1"],
    "training code": ["run", "training.toml", "--seeds", "4", "--workers", "2"],
    "training code, one process": ["run", "training.toml", "--seeds", "4", "--workers", "1"],
    "intermediate": ["run", "intermediate-task", "--seeds", "2", "--stack", "1", "--max-steps", "2", "--workers", "2"],
}
# Training code that leaves a process behind in a session of its own, whose parent has ended: only a subreaper finds it.
SCRIPT = """
import json, os, random, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
time.sleep(0.3)
draw = random.Random(int(sys.argv[1]))
with open(sys.argv[2] + "/result.json", "w") as file:
    json.dump({"accuracy": draw.random(), "loss": draw.random()}, file)
"""
TRAINING = f"""
command = '"{sys.executable}" -I -S training.py {{seed}} {{output}}'
score = "{{output}}/result.json:accuracy"
"""
SIGNALS = {signal.SIGKILL: [-9], signal.SIGTERM: [143, -15], signal.SIGINT: [130, -2]}
# In the environment of our processes, and of all that they start.
MARK = "STABBENCH_KILLS"
MOST_ON_ONE_STORE = 4
HANGS_SECONDS = 600.0
# A worker looks for its driver once a second.
ORPHAN_SECONDS = 10.0

Row = tuple[object, ...]


@dataclass(frozen=True)
class Event:
    """Something in a store after which a kill may come."""

    name: str
    there: Callable[[Path], bool]


EVENTS = [
    Event("any moment", lambda _: True),
    Event("the store", lambda store: (store / "runs.sqlite").exists()),
    Event("a lock", lambda store: any(store.glob("locks/*"))),
    Event("a half-written file", lambda store: any(matching(store, "**/.*.part"))),
    Event("an encoder", lambda store: any(store.glob("encoders/*.safetensors"))),
    Event("a write", lambda store: (store / "runs.sqlite-journal").exists()),
    Event("a run", lambda store: bool(rows(store))),
]


def matching(folder: Path, pattern: str) -> Iterator[Path]:
    """Files that are there, though others may be removed meanwhile."""
    with contextlib.suppress(FileNotFoundError):
        yield from folder.glob(pattern)


def rows(store: Path) -> dict[object, Row]:
    """What is measured, by the run: everything but times."""
    with contextlib.suppress(sqlite3.OperationalError):
        db = sqlite3.connect(
            f"file:{store / 'runs.sqlite'}?mode=rw", uri=True
        )  # to roll back what a killed writer began
        try:
            found = db.execute(
                "SELECT id, task, recipe, seed, outcome, json_extract(record, '$.score'),"
                " json_extract(record, '$.final_loss'), hex(history) FROM runs"
            )
            return {row[0]: row for row in found}
        finally:
            db.close()
    return {}


def files(store: Path) -> dict[str, bytes]:
    """Everything in a store but its runs."""
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in store.rglob("*")
        if path.is_file() and path.name != "runs.sqlite"
    }


def start(name: str, folder: Path, mark: str) -> subprocess.Popen[bytes]:
    """Begin a command on the store in ``folder``, with a folder for temporary files of its own."""
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    (folder / "training.py").write_text(SCRIPT)
    (folder / "training.toml").write_text(TRAINING)
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "stabbench", *COMMANDS[name], "--store", "store"],
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder / "tmp"), MARK: mark},
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
        )


def living(mark: str) -> Iterator[int]:
    """Processes with that mark in their environment."""
    for file in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # another user's, or gone
            if f"{MARK}={mark}".encode() in file.read_bytes().split(b"\0"):
                yield int(file.parent.name)


def kill(name: str, folder: Path, chance: random.Random, usual: float, wrong: Counter[str]) -> bool:
    """Begin a command and kill it, and say how; whether it was not done before."""
    mark, number = f"{os.getpid()}-{chance.getrandbits(64)}", chance.choice(list(SIGNALS))
    event = chance.choice([event for event in EVENTS if name == "intermediate" or event.name != "an encoder"])
    delay = chance.uniform(0, usual if event.name == "any moment" else 0.3)
    store, begun = folder / "store", time.monotonic()
    before, left_before = rows(store), left_over(folder)
    process = start(name, folder, mark)
    while process.poll() is None and not event.there(store) and time.monotonic() - begun < 2 * usual:
        time.sleep(0.002)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(delay)
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
    ended(process, [0, *SIGNALS[number]], wrong)
    until = time.monotonic() + ORPHAN_SECONDS
    while (left := list(living(mark))) and time.monotonic() < until:
        time.sleep(0.1)
    wrong["orphans"] += len(left)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    now = rows(store)
    wrong["lost"] += len(before.keys() - now.keys())
    wrong["other numbers"] += sum(now[run] != before[run] for run in before.keys() & now.keys())
    # What SIGKILL leaves is for the next command to remove, where that comes as far as the store.
    if process.returncode in (130, 143):
        count_left(left_over(folder) - left_before, wrong)
    if process.returncode == 0:
        return False
    how = f"{number.name} {delay:.2f} s after {event.name}"
    print(f"{name}: {how}: exit code {process.returncode}, {len(now)} runs", flush=True)
    return True


def ended(process: subprocess.Popen[bytes], codes: list[int], wrong: Counter[str]) -> None:
    """Wait for a command, which is to end with one of these exit codes."""
    try:
        process.wait(HANGS_SECONDS)
    except subprocess.TimeoutExpired:
        wrong["hung"] += 1
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.returncode not in codes:
        wrong["wrong exit codes"] += 1


def left_over(folder: Path) -> set[Path]:
    """Temporary files, and half-written files and locks in the store."""
    # PyTorch keeps a cache among the temporary files, killed or not.
    found = {path for path in folder.glob("tmp/*") if not path.name.startswith("torchinductor_")}
    return found | {*folder.glob("store/**/.*.part"), *folder.glob("store/locks/*")}


def count_left(paths: set[Path], wrong: Counter[str]) -> None:
    """Count files that are left behind, and name them."""
    wrong["files left"] += len(paths)
    for path in sorted(paths):
        print(f"left: {path}", flush=True)


def compare(folder: Path, reference: Path, wrong: Counter[str]) -> None:
    """Count in what a store differs from the one that nothing disturbed."""
    found, wanted = rows(folder / "store"), rows(reference / "store")
    wrong["lost"] += len(wanted.keys() - found.keys())
    wrong["doubled"] += len(found.keys() - wanted.keys())
    wrong["other numbers"] += sum(found[run] != wanted[run] for run in found.keys() & wanted.keys())
    here, there = files(folder / "store"), files(reference / "store")
    wrong["lost"] += len(there.keys() - here.keys())
    wrong["other numbers"] += sum(here[name] != there[name] for name in here.keys() & there.keys())
    count_left(left_over(folder) | {folder / "store" / name for name in here.keys() - there.keys()}, wrong)
    if wrong.total():
        print(f"wrong so far: {dict(+wrong)}", flush=True)


def main() -> None:
    """Kill as often as was asked for, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of the moments, signals and commands")
    parser.add_argument("--command", choices=COMMANDS, action="append", help="only this one; may be repeated")
    options = parser.parse_args()
    names = options.command or list(COMMANDS)
    chance, wrong = random.Random(options.seed), Counter[str]()
    stores = done = 0
    with tempfile.TemporaryDirectory(prefix="stabbench-kills-") as folder:
        usual: dict[str, float] = {}
        while done < options.kills:
            name = names[stores % len(names)]
            stores += 1
            reference = Path(folder, name)
            if name not in usual:
                begun = time.monotonic()
                ended(start(name, reference, "undisturbed"), [0], wrong)
                usual[name] = time.monotonic() - begun
            disturbed = Path(folder, f"disturbed{stores}")
            for _ in range(min(chance.randint(1, MOST_ON_ONE_STORE), options.kills - done)):
                if not kill(name, disturbed, chance, usual[name], wrong):
                    break
                done += 1
            ended(start(name, disturbed, "resumed"), [0], wrong)
            compare(disturbed, reference, wrong)
    kinds = ["lost", "doubled", "other numbers", "orphans", "hung", "wrong exit codes", "files left"]
    print(f"{done} kills of {stores} stores: " + ", ".join(f"{wrong[kind]} {kind}" for kind in kinds))
    sys.exit(1 if wrong.total() else 0)


if __name__ == "__main__":
    main()
