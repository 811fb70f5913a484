"""What is asked for: every recipe on every seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stabbench.errors import RecipeError, StabbenchError
from stabbench.recipes import Recipe
from stabbench.seeds import Seeds

DEFAULT_TASK = "lab/entailment"
DEFAULT_MODEL = "lab"
# What `stabbench compare devlin mosbach` does in about two minutes on two cores.
DEFAULT_SEEDS = 10
MOST_SEEDS = 1_000_000
DEFAULT_STORE = Path(".stabbench")
DEFAULT_BASELINES = Path("baselines.json")
DEVICES = ("auto", "cpu", "cuda")
EXECUTORS = ("local", "ray")


@dataclass(frozen=True)
class Plan:
    """A comparison to be run: every recipe on every seed.

    Attributes:
        recipes: Recipes with the parameters that the user set.
        task: The task's name, or a variant of it.
        model: A preset, a folder or a hub id.
        seeds: The runs of each recipe.
        revision: Of a hub model.
        data_dir: The folder of the official GLUE TSV files; None loads GLUE from the hub.
        stack: Seeds trained together; None chooses.
        max_steps: Cuts every training short, for trials.
        device: ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU where there is one.
        workers: Processes; None takes one a core, as far as memory allows, or one a GPU.
        plugins: Modules that define recipes, for the workers.
        allow_pickle: Weights may be unpickled.
        executor: ``"local"`` for this machine, ``"ray"`` for those of a Ray cluster.
        ray_address: Of the cluster; None for ``RAY_ADDRESS``, the one on this machine, or one that is started here.

    Raises:
        RecipeError: A recipe given twice.
        StabbenchError: Seeds that are negative or given twice, or none; a variant of a task that is none.
    """

    recipes: Sequence[Recipe]
    task: str
    model: str
    seeds: Sequence[Seeds]
    revision: str | None = None
    data_dir: Path | None = None
    stack: int | None = None
    max_steps: int | None = None
    device: str = "auto"
    workers: int | None = None
    plugins: Sequence[str] = ()
    allow_pickle: bool = False
    executor: str = "local"
    ray_address: str | None = None

    def __post_init__(self) -> None:
        from stabbench.tasks import canonical_name  # numpy behind it is not for `stabbench --help`

        object.__setattr__(self, "task", canonical_name(self.task))
        if self.data_dir is not None:  # a text, in programs
            object.__setattr__(self, "data_dir", Path(self.data_dir))
        for label, times in Counter(recipe.label for recipe in self.recipes).items():
            if times > 1:
                raise RecipeError(f"recipe {label!r} is given twice", "a comparison needs different recipes")
        if self.device not in DEVICES:
            raise StabbenchError(f"unknown device {self.device!r}", f"one of: {', '.join(DEVICES)}")
        if self.executor not in EXECUTORS:
            raise StabbenchError(f"unknown executor {self.executor!r}", f"one of: {', '.join(EXECUTORS)}")
        if self.ray_address is not None and self.executor != "ray":
            raise StabbenchError("the address of a Ray cluster has no effect here", "give --executor ray as well")
        if self.ray_address == "":
            raise StabbenchError("the address of a Ray cluster is empty", "give HOST:PORT, or leave it out")
        if not self.seeds:
            raise StabbenchError("no seeds", "give a number of seeds, or a list such as 3,7,11")
        for seed, times in Counter(seeds.seed for seeds in self.seeds).items():
            if seed < 0:
                raise StabbenchError(f"seed {seed} is negative", "seeds count from 0")
            if times > 1:
                raise StabbenchError(f"seed {seed} is given twice", "every seed is one run; give each once")
        streams = [(seeds.initialisation, seeds.order, seeds.dropout) for seeds in self.seeds]
        if any(seed < 0 for triple in streams for seed in triple):
            raise StabbenchError("a stream's seed is negative", "seeds count from 0")
        if len(set(streams)) < len(streams):
            raise StabbenchError(
                "two runs would be the same: all three of their streams are",
                "leave at least one of initialisation, order and dropout to the seeds",
            )
        for name, value in (("stack", self.stack), ("max_steps", self.max_steps), ("workers", self.workers)):
            if value is not None and value < 1:
                raise StabbenchError(f"{name} must be at least 1, got {value}")
