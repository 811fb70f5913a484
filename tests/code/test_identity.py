"""The code of a recipe as a part of its runs' identity: what counts, and what does not."""

from __future__ import annotations

import importlib
import py_compile
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stabbench import Recipe
from stabbench.code.identity import code_identity
from stabbench.recipes import recipe_class, recipe_names
from stabbench.recipes._step_hooks import StepHooks

SOURCE = '''
from stabbench import Recipe

class Own(Recipe):
    """Own."""

    name = "own"

    def schedule(self, step, total_steps):
        """Constant."""
        return 1.0
'''
IDENTITY = """
import sys
from stabbench.code.identity import code_identity
from stabbench.recipes import load_plugin, recipe_class
from stabbench.recipes._step_hooks import StepHooks
for plugin in sys.argv[1:]:
    names = load_plugin(plugin)
print(code_identity(recipe_class(names[-1])))
"""

Digest = Callable[..., str]


@pytest.fixture
def digest(tmp_path: Path) -> Digest:
    """The identity of what a plugin defines, in a process of its own that starts in the test's folder."""

    def found(*plugins: str, path: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-c", IDENTITY, *plugins],
            cwd=tmp_path,
            env={"PYTHONPATH": ":".join(filter(None, [path, *sys.path])), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return found


def test_a_built_in_recipe_counts_by_its_version_and_by_nothing_that_a_move_would_change() -> None:
    """Recipe's version is also that of the hooks that it inherits."""
    assert code_identity(recipe_class("mosbach")) == "mosbach 1, recipe 1"
    for name in recipe_names():
        cls = recipe_class(name)
        assert cls.__module__.startswith("stabbench.")
        assert all("version" in vars(base) for base in cls.__mro__ if base not in (object, StepHooks)), name
        assert "stabbench" not in code_identity(cls)


def test_a_subclass_of_a_built_in_recipe_names_its_version() -> None:
    digest, _, bases = code_identity(type("Own", (recipe_class("mosbach"),), {"name": "own"})).partition(", ")
    assert len(digest) == 16
    assert bases == "mosbach 1, recipe 1"


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("return 1.0", "return 1.0  # always", True),
        ('"""Constant."""', '"""Never changes."""', True),
        ("return 1.0", "return (1.0)", True),
        ("return 1.0", "return 0.5", False),
        ("class Own", "SCALE = 2.0\n\nclass Own", False),
        ('name = "own"', 'name = "own"\n    lr = 1e-5', False),
    ],
)
def test_the_code_of_a_recipe_counts_and_its_comments_do_not(
    tmp_path: Path, digest: Digest, before: str, after: str, same: bool
) -> None:
    changed = SOURCE.replace(before, after)
    assert changed != SOURCE
    (tmp_path / "one.py").write_text(SOURCE)
    (tmp_path / "two.py").write_text(changed)
    assert (digest("one.py") == digest("two.py")) == same


# Each a plugin, and how what it needs is laid out: every file holds SCALE = 1 in the end.
LAYOUTS: dict[str, dict[str, str]] = {
    "a module beside it": {"own.py": "from settings import SCALE", "settings.py": "SCALE = 1"},
    "a whole module": {"own.py": "import settings", "settings.py": "SCALE = 1"},
    "a helper of a helper": {"own.py": "import helper", "helper.py": "import deep", "deep.py": "SCALE = 1"},
    "a package": {"own.py": "import pack", "pack/__init__.py": "SCALE = 1"},
    "a module of a package": {"own.py": "from pack import deep", "pack/__init__.py": "", "pack/deep.py": "SCALE = 1"},
    "a package above": {"own.py": "import pack.deep", "pack/__init__.py": "SCALE = 1", "pack/deep.py": ""},
    "a package without __init__": {"own.py": "from pack.deep import SCALE", "pack/deep.py": "SCALE = 1"},
    "relative imports": {
        "pack/__init__.py": "",
        "pack/own.py": "from . import near",
        "pack/near.py": "from .inner.deep import *",
        "pack/inner/__init__.py": "",
        "pack/inner/deep.py": "SCALE = 1",
    },
    "an import inside a function": {"own.py": "def f():\n    import settings", "settings.py": "SCALE = 1"},
    "import_module": {
        "own.py": "import importlib\nx = importlib.import_module('settings')",
        "settings.py": "SCALE = 1",
    },
    "a package that looks for its own": {
        "pack/__init__.py": "import importlib, pkgutil\n"
        "for found in pkgutil.iter_modules(__path__):\n"
        "    found.name == 'own' or importlib.import_module(f'{__name__}.{found.name}')",
        "pack/own.py": "",
        "pack/deep.py": "SCALE = 1",
    },
    "a base in another module": {
        "own.py": "from base import Base as Recipe",
        "base.py": "from stabbench import Recipe\nimport deep\nclass Base(Recipe): pass",
        "deep.py": "SCALE = 1",
    },
    "PYTHONPATH": {"own.py": "import far", "elsewhere/far.py": "SCALE = 1"},
}


def lay(folder: Path, files: dict[str, str], scale: int) -> str:
    """Write the files; gives the plugin as it is named on a command line."""
    plugin = next(name for name in files if name.endswith("own.py"))
    for name, content in files.items():
        text = content.replace("SCALE = 1", f"SCALE = {scale}")
        if name == plugin:
            text = SOURCE.replace("\n\nclass", f"\n{text}\n\nclass")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return plugin if "/" not in plugin else plugin.removesuffix(".py").replace("/", ".")


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_first_party_module_behind_a_plugin_counts(name: str, tmp_path: Path, digest: Digest) -> None:
    path = str(tmp_path / "elsewhere")
    plugin = lay(tmp_path, LAYOUTS[name], 1)
    before = digest(plugin, path=path)
    lay(tmp_path, LAYOUTS[name], 30)
    assert digest(plugin, path=path) != before


def test_a_helper_without_source_counts(tmp_path: Path, digest: Digest) -> None:
    files = {"own.py": "import helper", "helper.py": "import deep", "deep.py": "SCALE = 1"}
    found = []
    for scale in (1, 1, 30):
        plugin = lay(tmp_path, files, scale)
        py_compile.compile(str(tmp_path / "helper.py"), str(tmp_path / "helper.pyc"), doraise=True)
        (tmp_path / "helper.py").unlink()
        found.append(digest(plugin))
    assert found[0] == found[1] != found[2]


def test_what_is_installed_counts_by_its_version(tmp_path: Path, digest: Digest) -> None:
    packages = tmp_path / "lib" / "site-packages"
    plugin = lay(tmp_path, {"own.py": "import far", "lib/site-packages/far.py": "SCALE = 1"}, 1)

    def installed(version: str, scale: int) -> str:
        lay(tmp_path, {"own.py": "import far", "lib/site-packages/far.py": "SCALE = 1"}, scale)
        information = packages / "far-0.dist-info"
        information.mkdir(exist_ok=True)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: far\nVersion: {version}\n")
        return digest(plugin, path=str(packages))

    first = installed("1.0", 1)
    assert installed("1.0", 30) == first
    assert installed("1.1", 30) != first


def test_a_recipe_of_an_installed_package_counts_by_content_with_its_package(tmp_path: Path, digest: Digest) -> None:
    files = {
        "lib/site-packages/mine/__init__.py": "",
        "lib/site-packages/mine/own.py": "from mine import deep",
        "lib/site-packages/mine/deep.py": "SCALE = 1",
    }
    found = []
    for scale in (1, 30):
        lay(tmp_path, files, scale)
        found.append(digest("mine.own", path=str(tmp_path / "lib" / "site-packages")))
    assert found[0] != found[1]


def test_neither_the_folder_nor_the_order_of_plugins_counts(tmp_path: Path, digest: Digest) -> None:
    other = "from stabbench import Recipe\nimport settings\nclass Other(Recipe):\n    name = 'other'\n"
    for folder in ("a", "b"):
        lay(tmp_path / folder, LAYOUTS["a module beside it"], 1)
        (tmp_path / folder / "other.py").write_text(other)
    a, b = (str(tmp_path / folder) for folder in ("a", "b"))
    alone = digest(f"{a}/own.py", path=a)
    assert digest(f"{b}/own.py", path=b) == alone
    assert digest(f"{a}/other.py", f"{a}/own.py", path=a) == alone


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose modules can be imported here, for the time of a test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_a_module_that_is_loaded_anew_counts_anew_and_one_that_is_not_does_not(importable: Path) -> None:
    """What was loaded is what trains, whatever the file says by now."""
    lay(importable, {"own.py": "import notebook_settings", "notebook_settings.py": "SCALE = 1"}, 1)
    own = importlib.import_module("own").Own
    before = code_identity(own)
    (importable / "notebook_settings.py").write_text("SCALE = 30\n")
    assert code_identity(own) == before
    importlib.reload(sys.modules["notebook_settings"])
    assert code_identity(own) != before


def test_what_a_class_was_built_with_counts() -> None:
    def made(scale: object) -> type[Recipe]:
        class Own(Recipe):
            name = "own"

            def schedule(self, step: int, total_steps: int) -> float:
                return float(str(scale))

        return Own

    assert code_identity(made(1)) == code_identity(made(1)) != code_identity(made(30))
    one, other = (type("Own", (Recipe,), {"name": "own", "table": table}) for table in ({"a": 1}, {"a": 2}))
    assert code_identity(one) != code_identity(other)


SCRIPT = """
from stabbench import Recipe
from stabbench.code.identity import code_identity
from settings import SCALE
FACTOR = 1
UNUSED = 1
def helper():
    return FACTOR * SCALE
class Own(Recipe):
    name = "own"
    def schedule(self, step, total_steps):
        return helper()
if __name__ == "__main__":
    print(code_identity(Own))
"""


def test_a_script_counts_in_what_its_recipe_uses(tmp_path: Path) -> None:
    def identity(before: str = "", after: str = "", scale: int = 1) -> str:
        (tmp_path / "script.py").write_text(SCRIPT.replace(before, after))
        (tmp_path / "settings.py").write_text(f"SCALE = {scale}\n")
        command = [sys.executable, "script.py"]
        env = {"PYTHONPATH": ":".join(sys.path)}
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout

    first = identity()
    assert identity("UNUSED = 1", "UNUSED = 2") == first
    assert identity("FACTOR = 1", "FACTOR = 2") != first
    assert identity("return FACTOR", "return 2 * FACTOR") != first
    assert identity(scale=30) != first


def test_a_recipe_without_source_is_told_apart_by_its_compiled_code() -> None:
    digests = []
    for value in ("1.0", "0.5", "1.0"):
        namespace: dict[str, type[Recipe]] = {}
        exec(SOURCE.replace("return 1.0", f"return {value}"), {"__name__": "typed_at_a_prompt"}, namespace)  # type: ignore[arg-type]
        digests.append(code_identity(namespace["Own"]))
    assert digests[0] == digests[2] != digests[1]
