"""What is part of a run's identity, and what is not."""

import importlib.util
import sys
from pathlib import Path

import pytest

from stabbench import Recipe, get_recipe
from stabbench.fingerprint import code_digest, environment, fingerprint
from stabbench.models.families import defaults_of
from stabbench.tasks import load_task

SOURCE = '''
from stabbench import Recipe

class Own(Recipe):
    """Own."""

    name = "own"

    def schedule(self, step, total_steps):
        """Constant."""
        return 1.0
'''


def own(folder: Path, source: str) -> type[Recipe]:
    """The class of ``source``, from a module file of its own."""
    number = len(list(folder.iterdir()))
    path = folder / f"own_{number}.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    cls: type[Recipe] = module.Own
    return cls


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
    tmp_path: Path, before: str, after: str, same: bool
) -> None:
    changed = SOURCE.replace(before, after)
    assert changed != SOURCE
    assert (code_digest(own(tmp_path, SOURCE)) == code_digest(own(tmp_path, changed))) == same


def test_a_recipe_without_source_is_told_apart_by_its_compiled_code() -> None:
    digests = []
    for value in ("1.0", "0.5", "1.0"):
        namespace: dict[str, type[Recipe]] = {}
        exec(SOURCE.replace("return 1.0", f"return {value}"), {"__name__": "typed_at_a_prompt"}, namespace)  # type: ignore[arg-type]
        digests.append(code_digest(namespace["Own"]))
    assert digests[0] == digests[2] != digests[1]


def test_every_choice_of_the_experiment_changes_it() -> None:
    devlin = get_recipe("devlin").resolved(defaults_of("bert"))
    task = load_task("lab/entailment")
    base = fingerprint(devlin, task, "digest", 32.0, "cpu", None)
    others = [
        fingerprint(get_recipe("devlin", lr=3e-5).resolved(defaults_of("bert")), task, "digest", 32.0, "cpu", None),
        fingerprint(get_recipe("bias-correction").resolved(defaults_of("bert")), task, "digest", 32.0, "cpu", None),
        fingerprint(devlin, load_task("lab/paraphrase"), "digest", 32.0, "cpu", None),
        fingerprint(devlin, task, "another", 32.0, "cpu", None),
        fingerprint(devlin, task, "digest", 16.0, "cpu", None),
        fingerprint(devlin, task, "digest", 32.0, "cpu", 10),
    ]
    assert all(other.experiment != base.experiment for other in others)
    assert fingerprint(devlin, task, "digest", 32.0, "cpu", None) == base


def test_the_environment_names_what_may_change_the_numbers() -> None:
    found = environment("cpu")
    assert found["threads"] == 1
    assert {"python", "platform", "torch", "transformers", "tokenizers", "device", "device_name"} <= set(found)
    assert found["device_name"]
