"""The examples of docs/recipes.md, as they stand there."""

import re
from pathlib import Path

import pytest
import torch
from command import stabbench as command
from torch.nn import functional

import stabbench
from stabbench.recipes import OPTIMIZERS
from stabbench.recipes._built_in import BUILT_IN

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"
EXAMPLES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE.read_text(), re.DOTALL))


@pytest.mark.parametrize(("file", "name"), [("my_optimizer.py", "normalised-sgd"), ("my_loss.py", "focal")])
def test_an_example_holds_to_the_contract_and_learns(file: str, name: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(EXAMPLES[file])
    assert stabbench.load_plugin(str(tmp_path / file)) == [name]
    recipe = stabbench.get_recipe(name)
    stabbench.check_recipe(recipe)
    if name == "focal":
        logits, labels = torch.randn(2, 6, 3), torch.randint(0, 3, (2, 6))
        each = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view(2, 6)
        torch.testing.assert_close(recipe.loss(logits, labels, ()), ((1 - (-each).exp()) ** 2 * each).mean(1))
    short = stabbench.compare(["bias-correction", recipe], seeds=1, max_steps=4, store=tmp_path / "runs")
    assert short.recipes[1].records[0].final_loss is not None


def test_the_page_has_every_later_recipe_and_every_optimizer() -> None:
    readme = (PAGE.parents[1] / "README.md").read_text()
    text = PAGE.read_text()
    assert not [n for n in BUILT_IN if f"| `{n}` |" not in text + readme]
    for name, named in OPTIMIZERS.items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        assert row.split("|")[3].strip() == f"{named.rate:g}"


def test_the_command_lists_every_optimizer(tmp_path: Path) -> None:
    listed = command("list", "optimizers", cwd=tmp_path).stdout.splitlines()[2:]
    assert [line.split()[0] for line in listed] == list(OPTIMIZERS)
