"""Files written whole or not at all, whatever happens to the writer, and files that one process holds."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from stabbench._system.files import PARTS, held, remove_abandoned, replacing, write_whole

WRITER = """
import sys, time
from pathlib import Path
from stabbench._system.files import replacing
with replacing(Path(sys.argv[1])) as part:
    part.write_text("half")
    print("writing", flush=True)
    time.sleep(300)
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that has written half a file."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path / "file"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    yield process
    process.kill()
    process.communicate()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_writer_left_is_removed_and_what_a_living_one_writes_is_not(
    tmp_path: Path, writer: "subprocess.Popen[str]"
) -> None:
    part = f".file.{writer.pid}.part"
    assert names(tmp_path) == [part]
    remove_abandoned(tmp_path, PARTS)
    write_whole(tmp_path / "file", "whole")
    assert names(tmp_path) == [part, "file"]
    writer.kill()
    writer.wait()
    write_whole(tmp_path / "other", "whole")
    assert part in names(tmp_path), "it is not for the writer of another file to tidy up"
    write_whole(tmp_path / "file", "again")
    assert names(tmp_path) == ["file", "other"]


def test_a_name_with_the_letters_of_a_pattern_is_a_name(tmp_path: Path) -> None:
    (tmp_path / ".file[1].7.part").write_text("half")
    (tmp_path / ".file1.7.part").write_text("half of another")
    write_whole(tmp_path / "file[1]", "whole")
    assert names(tmp_path) == [".file1.7.part", "file[1]"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_the_mode_and_the_link_stay(tmp_path: Path, mode: int) -> None:
    (tmp_path / "target").write_text("before")
    (tmp_path / "target").chmod(mode)
    (tmp_path / "link").symlink_to("target")
    write_whole(tmp_path / "link", "after")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "after"
    assert (tmp_path / "target").stat().st_mode & 0o777 == mode


def test_a_new_file_has_the_usual_mode(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("")
    write_whole(tmp_path / "new", "")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", "before")
    with pytest.raises(TypeError), replacing(tmp_path / "file") as part:
        part.write_text(None)  # type: ignore[arg-type]
    assert (tmp_path / "file").read_text() == "before"
    assert names(tmp_path) == ["file"]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    """As a limit on the size of files shows it: the write fails in the middle."""
    script = """
        import resource, signal, sys
        from pathlib import Path
        from stabbench._system.files import write_whole
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        try:
            write_whole(Path(sys.argv[1]), "a" * 100_000)
        except OSError as error:
            print(error.strerror)
    """
    (tmp_path / "file").write_text("before")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), tmp_path / "file"], capture_output=True, text=True
    )
    assert done.stdout == "File too large\n", done.stderr
    assert (tmp_path / "file").read_text() == "before"
    assert names(tmp_path) == ["file"]


def test_a_held_file_is_removed_in_the_end_and_a_link_is_not_followed(tmp_path: Path) -> None:
    with held(tmp_path / "lock"):
        assert names(tmp_path) == ["lock"]
    assert names(tmp_path) == []
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "lock").symlink_to("victim")
    with pytest.raises(OSError, match="symbolic link"), held(tmp_path / "lock"):
        pytest.fail("it is not held")
    assert (tmp_path / "victim").read_text() == "mine"
