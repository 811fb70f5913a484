"""Command lines: options and arguments of every command, with what does not belong there."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
from examples import HISTORY, record
from fuzz.harness import fuzz, nasty_texts, refused_or_sane
from hypothesis import strategies as st

from stabbench.cli.commands import commands
from stabbench.gate.baselines import Baseline
from stabbench.gate.baselines_file import save
from stabbench.records.store import Store

#: Of commands that train nothing as long as there is an option that is wrong.
WORDS = [
    "run", "compare", "gate", "study", "doctor", "list", "show", "baseline", "record", "update", "verify", "recipes",
    "runs", "tasks", "models", "studies", "devlin", "mosbach", "lab/entailment", "mosbach2021-table1", "b.json",
]  # fmt: skip


def all_options() -> list[str]:
    found: set[str] = set()
    todo: list[click.Command] = [commands]
    while todo:
        command = todo.pop()
        todo += command.commands.values() if isinstance(command, click.Group) else []
        found |= {name for parameter in command.params for name in parameter.opts if name.startswith("-")}
    return sorted(found)


arguments = st.lists(st.one_of(st.sampled_from(WORDS), st.sampled_from(all_options()), nasty_texts), max_size=7)
READING = [
    ["list", "runs"],
    ["show"],
    ["baseline", "show"],
    ["baseline", "verify", "--trials", "2"],
    ["list", "recipes"],
]


@contextlib.contextmanager
def somewhere() -> Iterator[Path]:
    """A folder with a store and a baselines file, which is the current one."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        runs = [record(seed, score=0.7 + seed / 100) for seed in range(4)]
        with Store(here / "store") as store:
            store.put_all([(run, HISTORY) for run in runs])
        save(here / "b.json", [Baseline.of(runs)])
        os.chdir(here)
        try:
            yield here
        finally:
            os.chdir(before)


def ended(arguments: list[str]) -> tuple[int, str]:
    """The exit code and what was printed; whatever is no clear error comes through."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            code = commands.main(arguments, prog_name="stabbench", standalone_mode=False)
        except (click.ClickException, click.Abort):
            return 3, out.getvalue()
    return code if isinstance(code, int) else 0, out.getvalue()


@fuzz(0.05, command=st.sampled_from(READING), rest=arguments)
def test_commands_that_read(command: list[str], rest: list[str]) -> None:
    with somewhere(), refused_or_sane():
        code, text = ended([*command, *rest])
        assert code in (0, 1 if "verify" in command else 0, 2, 3)
        assert "Traceback" not in text


@fuzz(0.03, rest=arguments)
def test_commands_that_train_are_refused_with_a_wrong_option(rest: list[str]) -> None:
    """Whatever else is said: a task that is unknown lets nothing be trained."""
    for command in ("run", "compare", "doctor"):
        with somewhere(), refused_or_sane():
            code, _ = ended(
                [command, "devlin", "mosbach", "--store", "store", *rest, "--task", "lab/nowhere", "--seeds", "1"]
            )
            assert code == 3 or "--help" in rest or "-h" in rest
