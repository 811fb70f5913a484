"""What is part of a run's identity, and what is not."""

import importlib.util
import sys
from pathlib import Path

import pytest

from stabbench import Recipe, get_recipe
from stabbench.fingerprint import code_digest, environment_of, fingerprint
from stabbench.models.families import defaults_of
from stabbench.records import Fingerprint
from stabbench.seeds import Seeds
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

CPU = environment_of("cpu")


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


def devlin_with(**parameters: object) -> Recipe:
    return get_recipe("devlin", **parameters).resolved(defaults_of("bert"))


def test_every_choice_of_the_experiment_changes_it() -> None:
    devlin = devlin_with()
    task = load_task("lab/entailment")
    base = fingerprint(devlin, task, "digest", 32.0, CPU, None)
    others = [
        *(
            fingerprint(devlin_with(**changed), task, "digest", 32.0, CPU, None)
            for changed in ({"lr": 3e-5}, {"steps": 189}, {"precision": "bf16"}, {"evaluations": 2}, {"keep": "best"})
        ),
        fingerprint(
            get_recipe("bias-correction").resolved(defaults_of("bert")),
            task,
            "digest",
            32.0,
            environment_of("cpu"),
            None,
        ),
        *(
            fingerprint(devlin, load_task(f"lab/{other}"), "digest", 32.0, CPU, None)
            for other in ("paraphrase", "entailment:examples=1000", "entailment:split=zhang2021")
        ),
        fingerprint(devlin, task, "another", 32.0, CPU, None),
        fingerprint(devlin, task, "digest", 16.0, CPU, None),
        fingerprint(devlin, task, "digest", 32.0, CPU, 10),
        *(
            fingerprint(devlin, task, "digest", 32.0, CPU, None, first=(before, Seeds.of(seed)))
            for before, seed in ((base, 0), (base, 1), (Fingerprint({"other": 1}, base.environment), 0))
        ),
    ]
    experiments = [str(made.experiment) for made in (base, *others)]
    assert len(set(experiments)) == len(experiments)
    assert fingerprint(devlin_with(lr=2e-5), task, "digest", 32.0, CPU, None) == base


def test_what_is_trained_first_is_named_without_its_environment_but_with_its_code() -> None:
    task, devlin = load_task("lab/entailment"), get_recipe("devlin").resolved(defaults_of("bert"))
    firsts = [
        Fingerprint({"recipe": "bias-correction"}, {"recipe_code": code, "torch": torch})
        for code, torch in (("c1", "2.6"), ("c1", "2.7"), ("c2", "2.7"))
    ]
    made = [fingerprint(devlin, task, "digest", 32.0, CPU, None, first=(first, Seeds.of(0))) for first in firsts]
    assert made[0] == made[1]
    assert made[1].experiment == made[2].experiment
    assert made[1].environment["recipe_code"] != made[2].environment["recipe_code"]


def test_the_environment_names_what_may_change_the_numbers() -> None:
    found = environment_of("cpu")
    assert found["threads"] == 1
    assert {"python", "platform", "torch", "transformers", "tokenizers", "device", "device_name"} <= set(found)
    assert found["device_name"]
