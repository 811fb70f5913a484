"""Variants of a task, written after its name: ``glue/rte:examples=1000,split=zhang2021``.

Fewer training examples, as many updates as with all of them, and a validation set of one's own.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stabbench.errors import TaskError, excerpt, unknown
from stabbench.tasks.sampling import split
from stabbench.tasks.source import TaskSource
from stabbench.tasks.task import Examples, Task

# Zhang et al. 2021, appendix A: tasks below ten thousand training examples give half of their evaluation set, the
# others a thousand training examples.
SMALL, HELD_OUT = 10_000, 1_000


@dataclass(frozen=True)
class Variant:
    """What is done to a task.

    Attributes:
        examples: Training examples, a random sample drawn once for all seeds; None keeps all (Mosbach et al. 2021,
            section 4.2). With ``zhang_split`` it has the same number of every class, as in the code of Zhang et al.
            2021 (their 1k tasks); one of a class more where the number does not divide, which theirs leaves out.
        full_iterations: Recipes make as many updates as on the full training set (Mosbach et al. 2021, Fig. 3).
        zhang_split: A validation set is split off, as Zhang et al. 2021 do (section 3 and their code): half of a small
            task's evaluation set, with half of every class; of a large task a thousand training examples, the same
            number of every class.
    """

    examples: int | None = None
    full_iterations: bool = False
    zhang_split: bool = False

    @property
    def text(self) -> str:
        """As it is written after the task's name, in one order."""
        parts = {"examples": self.examples, "iterations": "full" if self.full_iterations else None}
        parts["split"] = "zhang2021" if self.zhang_split else None
        return ",".join(f"{key}={value}" for key, value in parts.items() if value is not None)

    def apply(self, task: Task) -> Task:
        """``task`` with its examples chosen anew, and this variant in its name.

        Raises:
            TaskError: More examples than there are.
        """
        train, validation, evaluation = task.train, None, task.evaluation
        by_class = self.zhang_split and task.kind in ("binary", "multi-class")
        if self.zhang_split and len(train) < SMALL:
            strata = _strata(evaluation, by_class)
            validation, evaluation = split(evaluation, strata, _half(strata), task.name, "halves")
        elif self.zhang_split:
            strata = _strata(train, by_class)
            validation, train = split(train, strata, _even(strata, HELD_OUT), task.name, "held out")
        available = len(train)
        if self.examples is not None:
            if self.examples > available:
                raise TaskError(f"task {task.name!r} has {available} training examples, not {self.examples}")
            strata = _strata(train, by_class)
            train, _ = split(train, strata, _even(strata, self.examples), task.name, "examples")
        return dataclasses.replace(
            task,
            name=f"{task.name}:{self.text}",
            train=train,
            validation=validation,
            evaluation=evaluation,
            scheduled=available if self.full_iterations else None,
        )


@dataclass(frozen=True)
class VariedSource:
    """A variant of another source's task."""

    whole: TaskSource
    variant: Variant

    @property
    def name(self) -> str:
        """With the variant behind it."""
        return f"{self.whole.name}:{self.variant.text}"

    @property
    def folder(self) -> Path | None:
        """As of the whole task."""
        return self.whole.folder

    def load(self) -> Task:
        """The variant; TaskErrors are those of the whole task and of :meth:`Variant.apply`."""
        return self.variant.apply(self.whole.load())


def parse_variant(text: str, task: str) -> Variant:
    """Read what follows a task's name and a colon.

    Raises:
        TaskError: An unknown option, or an invalid value.
    """
    given: dict[str, str] = {}
    for item in text.split(","):
        key, equals, value = item.partition("=")
        if not equals or key in given:
            raise TaskError(
                f"task {task!r}: {excerpt(item)} is not option=value, or is given twice", f"write {_EXAMPLE}"
            )
        if key not in ("examples", "iterations", "split"):
            raise TaskError(unknown(f"option of task {task!r}:", key, ("examples", "iterations", "split")))
        given[key] = value
    examples = given.get("examples", "")
    if "examples" in given and not re.fullmatch("0*[1-9][0-9]{0,9}", examples):
        raise TaskError(f"task {task!r}: examples must be a positive number, got {excerpt(examples)}")
    for key, only in (("iterations", "full"), ("split", "zhang2021")):
        if given.get(key, only) != only:
            raise TaskError(f"task {task!r}: {key} can only be {only!r}, got {excerpt(given[key])}")
    if "iterations" in given and "examples" not in given:
        raise TaskError(f"task {task!r}: iterations=full needs examples=N: without it they are the full set's anyway")
    return Variant(int(examples) if examples else None, "iterations" in given, "split" in given)


_EXAMPLE = "glue/rte:examples=1000,split=zhang2021"


def _strata(examples: Examples, by_class: bool) -> Sequence[float]:
    """Of which stratum every example is: its class, or all of a single one."""
    return examples.labels if by_class else [0.0] * len(examples)


def _half(strata: Sequence[float]) -> dict[float, int]:
    """Half of each stratum; of two odd ones the first gives its extra example, the second keeps it."""
    sizes, before = {}, 0
    for stratum, available in sorted(Counter(strata).items()):
        sizes[stratum] = (before + available + 1) // 2 - (before + 1) // 2
        before += available
    return sizes


def _even(strata: Sequence[float], total: int) -> dict[float, int]:
    """As many of each stratum, to one; where one has too few, the larger ones make up for it."""
    sizes: dict[float, int] = {}
    ascending = sorted(Counter(strata).items(), key=lambda item: (item[1], item[0]))
    for position, (stratum, available) in enumerate(ascending):
        left = total - sum(sizes.values())
        sizes[stratum] = min(available, left // (len(ascending) - position))
    return sizes
