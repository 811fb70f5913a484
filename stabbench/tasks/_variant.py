"""Variants of a task, written after its name: ``glue/rte:examples=1000,split=zhang2021``.

Fewer training examples, as many updates as with all of them, and a validation set of one's own.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass

from stabbench.errors import TaskError, unknown
from stabbench.lab.language import Dice
from stabbench.tasks._base import Examples, Task

# Zhang et al. 2021, appendix A: tasks below ten thousand training examples give half of their evaluation set, the
# others a thousand training examples.
SMALL, HELD_OUT = 10_000, 1_000


@dataclass(frozen=True)
class Variant:
    """What is done to a task.

    Attributes:
        examples: Training examples, sampled once for all seeds; None keeps all (Mosbach et al. 2021, section 4.2; the
            1k tasks of Zhang et al. 2021).
        full_iterations: Recipes make as many updates as on the full training set (Mosbach et al. 2021, Fig. 3).
        zhang_split: A validation set is split off, as Zhang et al. 2021 do (section 3).
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
        if self.zhang_split and len(train) < SMALL:
            validation, evaluation = _split(evaluation, len(evaluation) // 2, task.name, "halves")
        elif self.zhang_split:
            validation, train = _split(train, HELD_OUT, task.name, "held out")
        available = len(train)
        if self.examples is not None:
            if self.examples > available:
                raise TaskError(f"task {task.name!r} has {available} training examples, not {self.examples}")
            train, _ = _split(train, self.examples, task.name, "examples")
        return dataclasses.replace(
            task,
            name=f"{task.name}:{self.text}",
            train=train,
            validation=validation,
            evaluation=evaluation,
            scheduled=available if self.full_iterations else None,
        )


def parse_variant(text: str, task: str) -> Variant:
    """Read what follows a task's name and a colon.

    Raises:
        TaskError: An unknown option, or a value that is none.
    """
    given: dict[str, str] = {}
    for item in text.split(","):
        key, equals, value = item.partition("=")
        if not equals or key in given:
            raise TaskError(f"task {task!r}: {item!r} is not option=value, or is given twice", f"write {_EXAMPLE}")
        if key not in ("examples", "iterations", "split"):
            raise TaskError(unknown(f"option of task {task!r}:", key, ("examples", "iterations", "split")))
        given[key] = value
    examples = given.get("examples", "")
    if "examples" in given and not re.fullmatch("0*[1-9][0-9]{0,9}", examples):
        raise TaskError(f"task {task!r}: examples must be a positive number, got {examples!r}")
    for key, only in (("iterations", "full"), ("split", "zhang2021")):
        if given.get(key, only) != only:
            raise TaskError(f"task {task!r}: {key} can only be {only!r}, got {given[key]!r}")
    if "iterations" in given and "examples" not in given:
        raise TaskError(f"task {task!r}: iterations=full needs examples=N: without it they are the full set's anyway")
    return Variant(int(examples) if examples else None, "iterations" in given, "split" in given)


_EXAMPLE = "glue/rte:examples=1000,split=zhang2021"


def _split(examples: Examples, size: int, task: str, purpose: str) -> tuple[Examples, Examples]:
    """A random part of that size, and the rest, each in the original order; always the same ones."""
    chosen = set(Dice(task, purpose, size).shuffled(range(len(examples)))[:size])
    inside = [i for i in range(len(examples)) if i in chosen]
    outside = [i for i in range(len(examples)) if i not in chosen]
    return _pick(examples, inside), _pick(examples, outside)


def _pick(examples: Examples, rows: Sequence[int]) -> Examples:
    second = examples.second
    return Examples(
        [examples.first[i] for i in rows],
        None if second is None else [second[i] for i in rows],
        [examples.labels[i] for i in rows],
    )
