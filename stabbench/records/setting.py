"""One task and one model, or what stands for them where stabbench knows neither: their names, and their words."""

from __future__ import annotations

#: In the records of training code: only that code knows its task and model.
TRAINING_TASK, TRAINING_MODEL = "training code", "its own"
#: In the records of runs measured elsewhere, where their results do not say it.
ELSEWHERE_TASK, ELSEWHERE_MODEL = "measured elsewhere", "unknown"

_TRAINING = (TRAINING_TASK, TRAINING_MODEL)
_ELSEWHERE = (ELSEWHERE_TASK, ELSEWHERE_MODEL)

#: Where a task is asked for beside a training.
NO_TASK = "stabbench does not know the task of training code: leave out --task"


def setting_name(task: str, model: str) -> str:
    """What stands above a table: ``lab/entailment, model lab``."""
    if (task, model) == _TRAINING:
        return TRAINING_TASK
    return "task and model unknown" if (task, model) == _ELSEWHERE else f"{task}, model {model}"


def model_name(task: str, model: str) -> str:
    """The model in a column of a table; empty where nobody knows it."""
    return "" if (task, model) in (_TRAINING, _ELSEWHERE) else model


def cell_name(recipe: str, task: str, model: str) -> str:
    """The name of a cell in messages, ``mosbach on lab/entailment, lab``; ``bert-rte (training code)``."""
    return f"{recipe} ({task})" if (task, model) in (_TRAINING, _ELSEWHERE) else f"{recipe} on {task}, {model}"
