"""Every way in which a command can end, and its exit code: 1 is FAIL and 2 INCONCLUSIVE, neither anything else."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pytest
from command import COMMAND, stabbench, unfolded

from stabbench.cli.commands import commands
from stabbench.cli.wording import in_words
from stabbench.errors import StabbenchError

ENDS = {
    "exits": "import sys; sys.exit(0)",
    "exits_with_1": "raise SystemExit(1)",
    "parses": "import argparse; argparse.ArgumentParser().parse_args()",
    "quits": "quit()",
    "raises": "class Mine(BaseException): pass\nraise Mine('odd')",
    "skips": "import pytest; pytest.skip('not here', allow_module_level=True)",
    "fails": "1 / 0",
}


def shell(line: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """A line for bash, in which ``$S`` is the command; the exit code is the command's, also before a pipe."""
    script = f"{line}\nexit ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "S": " ".join(COMMAND), **settings}
    return subprocess.run(
        ["bash", "-c", script], cwd=cwd, env=environment, capture_output=True, text=True,
        errors="replace", timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("plugin", ENDS)
def test_a_plugin_that_ends_the_program_is_an_error(plugin: str, tmp_path: Path) -> None:
    (tmp_path / "plugin.py").write_text(ENDS[plugin])
    done = stabbench("gate", "--plugin", "plugin.py", cwd=tmp_path, expect=3)
    assert done.stderr.startswith("Error: plugin 'plugin.py' cannot be imported")
    assert "ProgramEndError" not in done.stderr


def test_a_plugin_that_reads_the_arguments_is_told_which_are_missing(tmp_path: Path) -> None:
    (tmp_path / "plugin.py").write_text(
        "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--data', required=True)\n"
        "try:\n    parser.parse_args()\nexcept SystemExit:\n    pass\nparser.parse_args()\n"
    )
    done = stabbench("list", "recipes", "--plugin", "plugin.py", cwd=tmp_path, expect=3)
    assert "sys.exit('argparse: the following arguments are required: --data')" in done.stderr
    assert "usage:" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "devlin", "--stack", "{}"],
        ["run", "devlin", "--workers", "-{}"],
        ["run", "devlin", "--max-steps", "{}.5"],
        ["run", "devlin", "--seeds", "{}"],
        ["run", "devlin", "--device", "{}"],
        ["run", "devlin", "--model", "{}"],
        ["run", "devlin", "--data-dir", "{}", "--task", "glue/rte"],
        ["run", "devlin", "--plugin", "{}"],
        ["run", "devlin", "--plot", "{}.gif"],
        ["run", "devlin", "--store", "{}"],
        ["run", "devlin", "--{}"],
        ["run", "{}"],
        ["gate", "--alpha", "{}"],
        ["gate", "--max-failed", "{}"],
        ["gate", "--baselines", "{}"],
        ["baseline", "verify", "--trials", "{}"],
        ["baseline", "{}"],
        ["study", "{}"],
        ["{}"],
    ],
)
def test_no_option_is_printed_with_all_its_digits(arguments: list[str]) -> None:
    filled = [argument.format("9" * 3000) for argument in arguments]
    with pytest.raises((click.ClickException, StabbenchError, OSError)) as caught:
        commands.main(filled, prog_name="stabbench", standalone_mode=False)
    assert len(in_words(caught.value, "X")) < 1500


def test_long_sentences_are_wrapped_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    error = StabbenchError("word " * 40, "hint " * 40)
    terminal = io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert len(in_words(error, "X").splitlines()) == 2
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    lines = in_words(error, "X").splitlines()
    assert len(lines) > 6
    assert max(map(len, lines)) <= 60
    assert all(line.startswith("  ") for line in lines[1:])


def test_a_studys_file_that_ends_the_program_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("raise SystemExit(0)")
    done = stabbench("study", "mine.py", cwd=tmp_path, expect=3)
    assert "study mine.py: cannot be imported" in done.stderr
    assert "sys.exit(0)" in done.stderr


@pytest.mark.parametrize("hook", ["total_steps(self, train_size)", "intermediate(self, task)"])
def test_a_hook_that_ends_the_program_before_the_training_is_an_error(hook: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        f"from stabbench import Recipe\nclass Mine(Recipe):\n    'x'\n    name = 'mine'\n"
        f"    def {hook}:\n        raise SystemExit(0)\n"
    )
    done = stabbench("run", "mine", "--plugin", "mine.py", cwd=tmp_path, expect=3)
    assert f"recipe 'mine': {hook.partition('(')[0]} fails" in done.stderr


def test_a_hook_that_ends_the_program_in_the_training_is_a_missing_run(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import sys\nfrom stabbench import Recipe\nclass Mine(Recipe):\n    'x'\n    name = 'mine'\n"
        "    def gradient_scales(self, norms):\n        sys.exit(0)\n"
    )
    for workers in ("1", "2"):
        done = stabbench(
            "run", "mine", "--plugin", "mine.py", "--seeds", "2", "--stack", "1", "--max-steps", "2",
            "--workers", workers, cwd=tmp_path, expect=3,
        )  # fmt: skip
        assert "2 of 2 runs are missing" in done.stderr
        assert "ends the program by sys.exit(0) (at mine.py:7 in gradient_scales)" in done.stderr


@pytest.mark.parametrize("group", [[], ["list"], ["baseline"]])
def test_a_group_alone_prints_its_help(group: list[str], tmp_path: Path) -> None:
    done = stabbench(*group, cwd=tmp_path)
    assert done.stdout == stabbench(*group, "--help", cwd=tmp_path).stdout
    assert not done.stderr


def test_whatever_is_not_foreseen_is_one_line_and_the_traceback_is_there_for_who_wants_it(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import click\nclick.group = None\n")  # an installation that is broken
    settings = {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    done = shell("$S list recipes", tmp_path, **settings)
    assert done.returncode == 3
    assert done.stderr.startswith("Error: TypeError: 'NoneType' object is not callable (at ")
    assert "STABBENCH_TRACEBACK=1" in done.stderr
    assert "Traceback" not in done.stderr
    asked = shell("$S list recipes", tmp_path, STABBENCH_TRACEBACK="1", **settings)
    assert "Traceback (most recent call last)" in asked.stderr
    assert asked.returncode == 3


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$S list recipes >&-", 0),
        ("$S list recipes 2>&-", 0),
        ("$S list recipes <&- >&- 2>&-", 0),
        ("$S list recipes --verbose | head -1", 0),
        ("$S list recipes >/dev/full", 3),
        ("$S gat 2>&-", 3),
        ("$S gat 2>/dev/full", 3),
        ("$S gat >&- 2>&-", 3),
        ("$S run mosbahc 2>&1 | true", 3),
    ],
)
def test_streams_that_are_closed_or_full_change_no_exit_code(line: str, code: int, tmp_path: Path) -> None:
    done = shell(line, tmp_path)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_no_file_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    """The store would be printed into."""
    (tmp_path / "noisy.py").write_text(
        "import os, sys\nfrom stabbench import Recipe\nclass Noisy(Recipe):\n    'x'\n    name = 'noisy'\n"
        "    def gradient_scales(self, norms):\n        os.write(1, b'out'); os.write(2, b'err')\n"
        "        return super().gradient_scales(norms)\n"
    )
    line = "$S run noisy --plugin noisy.py --seeds 1 --max-steps 2 --workers 1 --json out.json <&- >&- 2>&-"
    assert shell(line, tmp_path).returncode == 0
    assert "seed 0" in stabbench("list", "runs", cwd=tmp_path).stdout
    assert (tmp_path / "out.json").read_text().startswith("{")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_what_an_encoding_lacks_is_replaced(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from stabbench import Recipe\nclass Mine(Recipe):\n    'To ∞ and 模型 ± 1'\n    name = 'mine'\n",
        encoding="utf-8",
    )
    for line in ("$S list recipes --plugin mine.py", "$S run '∞模' 2>&1"):
        done = shell(line, tmp_path, PYTHONIOENCODING=encoding)
        assert done.returncode == (0 if "list" in line else 3), done.stderr
        assert "Traceback" not in done.stderr


def test_what_is_printed_has_no_effect_on_the_terminal(tmp_path: Path) -> None:
    for text in ("\x1b[31m", "::error::x", "a\rb", "\u202ex"):
        for arguments in (["run", text], ["run", "devlin", "--seeds", text], [text], ["run", "devlin", "--task", text]):
            done = stabbench(*arguments, cwd=tmp_path, expect=3)
            assert not set(done.stderr) & set("\x1b\r\u202e")
            assert not any(line.lstrip().startswith("::") for line in done.stderr.splitlines())


def interrupted(
    after: float, arguments: list[str], cwd: Path, number: int = signal.SIGINT, usual: Any = signal.SIG_DFL
) -> tuple[int, str]:
    running = subprocess.Popen(
        [*COMMAND, *arguments], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=lambda: signal.signal(number, usual),
    )  # fmt: skip
    time.sleep(after)
    if running.poll() is None:
        os.killpg(running.pid, number)
    out, errors = running.communicate(timeout=120)
    return running.returncode, out + errors


@pytest.mark.parametrize("imported", ["click", "numpy", "torch", "transformers"])
def test_ctrl_c_ends_with_130_while_everything_is_still_being_imported(imported: str, tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", *COMMAND[1:], "run", "devlin", "--seeds", "2", "--workers", "1"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        # A shell's background commands ignore it, and pass that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as running:  # fmt: skip
        assert running.stderr is not None
        assert any(line.split("|")[-1].strip() == imported for line in running.stderr), "so far it came"
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=120)
    assert running.returncode == 130, said
    assert "Traceback" not in said
    assert "stopped" in said


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("after", [0.5, 5])
def test_other_signals_that_end_a_command_do_so_in_order(number: int, code: int, after: float, tmp_path: Path) -> None:
    """At 5 seconds a training runs, or its workers are being started."""
    done, said = interrupted(after, ["run", "devlin", "--seeds", "50", "--workers", "2"], tmp_path, number)
    assert done == code, said
    assert "Traceback" not in said
    assert "stopped" in said
    assert not list(tmp_path.glob(".stabbench/locks/*"))


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    """As under nohup."""
    done, said = interrupted(0.5, ["list", "recipes"], tmp_path, signal.SIGHUP, signal.SIG_IGN)
    assert done == 0, said


def listing_with(folder: Path) -> subprocess.CompletedProcess[str]:
    """`list recipes` with the plugin mine.py, and with Ctrl-C as a shell's foreground has it."""
    return subprocess.run(
        [*COMMAND, "list", "recipes", "--plugin", "mine.py"], cwd=folder, capture_output=True, text=True, check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), timeout=60,
    )  # fmt: skip


def test_ctrl_c_that_other_code_swallows_ends_with_130_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept BaseException:\n"
        "    raise ImportError('a library that wraps everything')\n"
    )
    done = listing_with(tmp_path)
    assert done.returncode == 130
    assert done.stderr == "stopped\n"


def test_ctrl_c_while_python_ends_is_130_too(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import atexit, os, signal\nfrom stabbench import Recipe\nclass Mine(Recipe):\n    'x'\n    name = 'mine'\n"
        "atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))\n"
    )
    done = listing_with(tmp_path)
    assert done.returncode == 130
    assert "mine " in done.stdout
    assert not done.stderr


def test_the_installed_command_is_the_same_boundary() -> None:
    installed = Path(sys.executable).with_name("stabbench")
    done = subprocess.run([installed, "gat"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3
    assert "No such command" in done.stderr


@pytest.mark.parametrize("code", ["import os\nos._exit(0)\n", "from os import _exit\n_exit(0)\n"])
def test_a_plugin_cannot_end_the_command_at_once(code: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(code)
    done = stabbench("gate", "--plugin", "mine.py", cwd=tmp_path, expect=3)
    assert "os._exit(0)" in done.stderr


def test_a_hook_cannot_end_the_command_at_once(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import os\nfrom stabbench import Recipe\nclass Mine(Recipe):\n    'x'\n    name = 'mine'\n"
        "    def schedule(self, step, total_steps):\n        os._exit(0)\n"
    )
    done = stabbench(
        "run",
        "mine",
        "--plugin",
        "mine.py",
        "--seeds",
        "1",
        "--max-steps",
        "1",
        "--workers",
        "1",
        cwd=tmp_path,
        expect=3,
    )
    assert "os._exit(0)" in done.stderr


def test_a_hook_that_ends_the_workers_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import os\nfrom stabbench import Recipe\nclass Mine(Recipe):\n    'x'\n    name = 'mine'\n"
        "    def groups(self, layout):\n        os._exit(0)\n"
    )
    done = stabbench(
        *("compare", "devlin", "mine", "--plugin", "mine.py", "--seeds", "2", "--max-steps", "1", "--workers", "2"),
        cwd=tmp_path,
        expect=3,
    )
    assert "checking mine on model 'lab' failed 3 times" in unfolded(done.stderr)
    assert "does a hook end its process, by os._exit()" in unfolded(done.stderr)
