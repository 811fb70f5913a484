"""Supplementary training on a larger, labelled task before the one that counts (STILTs).

Phang, Fevry and Bowman 2018, "Sentence Encoders on STILTs"; Zhang et al. 2021, "Revisiting Few-sample BERT
Fine-tuning", section 7.
"""

from __future__ import annotations

from typing import ClassVar

from stabbench.errors import RecipeError
from stabbench.recipes._base import Intermediate, Recipe
from stabbench.recipes._parameters import parameter
from stabbench.recipes.bias_correction import BiasCorrection
from stabbench.records.seeds import Seeds


class IntermediateTask(Recipe):
    """Bias correction, from an encoder that was fine-tuned on MNLI (on ``lab/inference`` for the tasks of the lab).

    The intermediate training is done once, by plain ``bias-correction``, and all runs start from its encoder with a
    head of their own.
    """

    name: ClassVar[str] = "intermediate-task"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Phang et al. 2018; Zhang et al. 2021, section 7"

    bias_correction = True
    task: str | None = parameter(None, "the intermediate task; none: glue/mnli, or lab/inference for the lab's")
    intermediate_seed: int = parameter(0, "seed of the training on the intermediate task", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.task is not None:
            from stabbench.tasks.registry import canonical_name  # numpy behind it is not for `stabbench --help`

            object.__setattr__(self, "task", canonical_name(self.task))

    def intermediate(self, task: str) -> Intermediate:
        chosen = self.task or ("lab/inference" if task.startswith("lab/") else "glue/mnli")
        if chosen.partition(":")[0] == task.partition(":")[0]:
            raise RecipeError(
                f"recipe {self.name!r}: {chosen} is the task itself", "choose another: intermediate-task:task=…"
            )
        return Intermediate(chosen, BiasCorrection(), Seeds.of(self.intermediate_seed))
