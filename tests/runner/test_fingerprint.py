"""What is part of a run's identity, and what is not."""

import shutil
from pathlib import Path

import pytest
from tiny_models import tiny_model

from stabbench import Recipe, get_recipe
from stabbench.models.families import defaults_of
from stabbench.models.source import find_model
from stabbench.records.run import Fingerprint
from stabbench.records.seeds import Seeds
from stabbench.runner.fingerprint import environment_of, fingerprint
from stabbench.runner.plan import Plan
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources
from stabbench.tasks.registry import load_task

CPU = environment_of("cpu")


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


@pytest.mark.parametrize(("recipe", "changes"), [("devlin", False), ("llrd", False), ("mixout", True)])
def test_where_weights_are_kept_inputs_first_only_recipes_that_change_them_are_other_experiments(
    recipe: str, changes: bool
) -> None:
    task, made = load_task("lab/entailment"), get_recipe(recipe).resolved(defaults_of("gpt2"))
    plain = fingerprint(made, task, "digest", 32.0, CPU, None)
    turned = fingerprint(made, task, "digest", 32.0, CPU, None, inputs_first=True)
    added = {"forward_weight": "[out, in]"} if changes else {}
    assert turned == Fingerprint(plain.experiment | added, plain.environment)
    assert "forward_weight" not in plain.experiment


def test_mixout_on_gpt2_is_another_experiment_than_before_it_masked_input_neurons(tmp_path: Path) -> None:
    tiny_model("gpt2", vocab_size=200).save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(find_model("lab").folder / name, tmp_path)
    recipes = [get_recipe("devlin"), get_recipe("mixout")]
    for model, marked in ((str(tmp_path), [False, True]), ("lab", [False, False])):
        cells = resolve(Plan(recipes, "lab/entailment", model, [Seeds.of(0)]), Resources(device="cpu")).cells
        assert ["forward_weight" in cell.fingerprint.experiment for cell in cells] == marked


def test_what_is_trained_first_is_named_without_its_environment_but_with_its_code() -> None:
    task, devlin = load_task("lab/entailment"), get_recipe("devlin").resolved(defaults_of("bert"))
    firsts = [
        Fingerprint({"recipe": "bias-correction"}, {"recipe_code": code, "torch": torch})
        for code, torch in (("c1", "2.6"), ("c1", "2.7"), ("c2", "2.7"))
    ]
    made = [fingerprint(devlin, task, "digest", 32.0, CPU, None, first=(first, Seeds.of(0))) for first in firsts]
    assert made[0] == made[1]
    assert made[1].experiment == made[2].experiment
    assert made[1].environment["encoder_code"] != made[2].environment["encoder_code"]


def test_the_environment_names_what_may_change_the_numbers() -> None:
    found = environment_of("cpu")
    assert found["threads"] == 1
    assert {"python", "platform", "torch", "transformers", "tokenizers", "device", "device_name"} <= set(found)
    assert found["device_name"]
