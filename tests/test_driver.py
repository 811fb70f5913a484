"""Whatever happens to a group (no memory, a killed worker), every seed is recorded once, and with the same numbers.

The memory is really asked for: far more of it than any machine has, as soon as too many seeds are stacked.
"""

from pathlib import Path

import pytest
from noting import Noting

import stabbench
from stabbench import Outcome, Recipe, Store
from stabbench.comparison import Comparison

# As a user writes them. Each harms its own process as soon as its gradients are those of too many seeds.
PLUGIN = '''
import os, signal
from pathlib import Path

import torch

from stabbench import Recipe


class Greedy(Recipe):
    """Needs too much memory for more than two seeds."""

    name = "greedy"

    def gradient_scales(self, norms):
        if len(norms) > 2:
            torch.empty(10**15)
        return super().gradient_scales(norms)


class Deadly(Recipe):
    """Kills its process for more than two seeds."""

    name = "deadly"

    def gradient_scales(self, norms):
        if len(norms) > 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().gradient_scales(norms)


class Doomed(Recipe):
    """Kills its process always."""

    name = "doomed"

    def gradient_scales(self, norms):
        os.kill(os.getpid(), signal.SIGKILL)
'''


class Sated(Recipe):
    """Needs too much memory for any seed."""

    name = "sated"

    def gradient_scales(self, norms):  # type: ignore[no-untyped-def]
        raise MemoryError("there is none")


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("plugin") / "harmful.py"
    path.write_text(PLUGIN)
    stabbench.load_plugin(str(path))
    return str(path)


def scores(comparison: Comparison) -> list[tuple[int, float | None, float | None]]:
    return [(r.seeds.seed, r.score, r.final_loss) for r in comparison.recipes[0].records]


@pytest.mark.parametrize(("name", "workers"), [("greedy", 1), ("greedy", 2), ("deadly", 2)])
def test_a_lost_group_is_halved_and_the_numbers_are_the_same(
    tmp_path: Path, plugin: str, name: str, workers: int
) -> None:
    usual = {"seeds": 7, "max_steps": 2, "plugins": [plugin]}
    watcher = Noting()
    harmed = stabbench.compare([name], **usual, stack=7, workers=workers, store=tmp_path / "a", watcher=watcher)
    quiet = stabbench.compare([name], **usual, stack=2, workers=1, store=tmp_path / "b")
    assert scores(harmed) == scores(quiet)
    assert [r.stack for r in harmed.recipes[0].records] == [2, 2, 2, 2, 2, 2, 1]
    assert any("again with 4 seeds at a time" in note for note in watcher.notes)
    assert sorted(r.seeds.seed for r in Store(tmp_path / "a", write=False).records()) == list(range(7))


def test_a_seed_that_always_kills_its_worker_is_missing_in_the_end_and_the_others_are_measured(
    tmp_path: Path, plugin: str
) -> None:
    with pytest.raises(stabbench.StabbenchError, match=r"2 of 4 runs are missing: its process ended .* 3 times"):
        stabbench.compare(
            ["doomed", "devlin"], seeds=2, max_steps=2, workers=2, plugins=[plugin], store=tmp_path / "store"
        )
    records = list(Store(tmp_path / "store", write=False).records())
    assert [(r.recipe, r.outcome is Outcome.MISSING) for r in records] == [
        ("devlin", False), ("devlin", False), ("doomed", True), ("doomed", True)
    ]  # fmt: skip


def test_a_seed_that_never_fits_is_missing_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(stabbench.StabbenchError, match="1 of 1 runs are missing: MemoryError: there is none"):
        stabbench.compare([Sated()], seeds=1, max_steps=2, workers=1, store=tmp_path)
