"""What is found out about a model before any training."""

from __future__ import annotations

from stabbench.engine.ambient import own_settings
from stabbench.engine.job import CheckedModel, ModelCheck
from stabbench.engine.run import memory_errors
from stabbench.engine.stacking.stackable import why_not_stackable
from stabbench.engine.texts import check_texts
from stabbench.models.loading import load_model, load_tokenizer
from stabbench.models.pairs import pair_separator, pairs_note
from stabbench.recipes import check_fit
from stabbench.tasks.task import Task


def check_model(check: ModelCheck, task: Task) -> CheckedModel:
    """Find out before any training whether a model can be trained on a task by some recipes.

    Raises:
        StabbenchError: The model cannot be loaded, cannot read the task's texts, or one of the recipes does not fit it.
        MemoryError: It does not fit into the memory.
    """
    with own_settings(), memory_errors():
        pretrained, layout = load_model(check.model, task.outputs, None)
        for recipe, total_steps in check.recipes:
            check_fit(recipe, layout, total_steps)
        tokenizer = load_tokenizer(check.model)
        separator = pair_separator(check.model.family, tokenizer)
        for max_length in sorted({recipe.max_length for recipe, _ in check.recipes}):
            check_texts(check.model.name, pretrained, tokenizer, task, max_length, separator)
        notes = []
        if layout.unused_head is not None:
            notes.append(
                f"its head is that of another task (a shape of {list(layout.unused_head)}) and not used: "
                f"one of {task.outputs} output(s) starts anew, as in every run"
            )
        if task.train.second is not None:
            notes.append(pairs_note(check.model.family, tokenizer))
        told = tuple(f"model {check.model.name!r}: {note}" for note in notes if note)
        return CheckedModel(why_not_stackable(pretrained), told)
