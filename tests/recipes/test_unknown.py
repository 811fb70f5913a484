"""An unknown recipe: a script, or a recipe of a file that is not loaded. Nothing of a file is ever run."""

import os
from pathlib import Path

import pytest

from stabbench.errors import RecipeError
from stabbench.recipes import parse_recipe

OWN = """
raise SystemExit("imported")

class Cautious({base}):
    "\\d is no escape."
    {name}
"""
RECIPES = [OWN.format(base=base, name=name) for base in ("Recipe", "sb.Recipe", "Mosbach")
           for name in ('name = "cautious"', 'name: str = "cautious"')]  # fmt: skip
# Nothing that can be read, or no recipe in it.
OTHERS = [b"cautious = (", b"cautious\0", b"# coding: nonsense\ncautious", b"(" * 50_000 + b"cautious",
          b"\xff cautious",
          b"name = 'cautious'", b"class A:\n    name = 'cautious'", b"class A(B):\n    name = f'cautious'",
          b"class A(B):\n    name = 'cautious'\n" + b"#" * 300_000]  # fmt: skip


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(text: str) -> str:
    with pytest.raises(RecipeError) as error:
        parse_recipe(text)
    return str(error.value)


@pytest.mark.parametrize("source", RECIPES)
@pytest.mark.parametrize("file", ["mine.py", "my recipes.py"])
def test_the_file_that_defines_it_is_named(here: Path, source: str, file: str) -> None:
    (here / "a.py").write_text("class Other(Recipe):\n    name = 'other'\n")
    (here / file).write_text(source)
    quoted = f"'{file}'" if " " in file else file
    assert f"--plugin {quoted} " in refused("cautious:lr=1e-5")
    assert f"write cautious in its place, and add --plugin {quoted}" in refused(file)
    assert "known: adagc, bias-correction" in refused("zzz")


@pytest.mark.parametrize("content", OTHERS, ids=range(len(OTHERS)))
def test_any_other_file_changes_nothing(here: Path, content: bytes) -> None:
    (here / "it.py").write_bytes(content)
    assert "--plugin" not in refused("cautious")
    assert "it runs no training script" in refused("it.py")


def test_what_is_no_file_is_not_read(here: Path) -> None:
    os.mkfifo(here / "pipe.py")  # opening it would wait for ever
    (here / "folder.py").mkdir()
    (here / "gone.py").symlink_to("nowhere")
    (here / "sub").mkdir()
    (here / "sub" / "mine.py").write_text(RECIPES[0])
    assert "--plugin" not in refused("cautious")
    for script in ("pipe.py", "folder.py", "gone.py", "absent.py", "nul\0.py", "x" * 5000 + ".py"):
        assert "it runs no training script" in refused(script)
    assert "add --plugin sub/mine.py" in refused("sub/mine.py")
