"""Runs that were trained anew, in words: which gave the same numbers, and which did not."""

from __future__ import annotations

from stabbench.report import numbers
from stabbench.runner.fresh import Fresh


def fresh_text(fresh: Fresh) -> str:
    """How the new runs compare with the stored ones."""
    trained = f"{numbers.counted(fresh.planned, 'run')} trained anew"
    if not fresh.retrained:
        return f"{trained}: the store had none of them to compare with"
    same: dict[tuple[str, str], list[str]] = {}
    for run in fresh.retrained:
        if not run.differences:
            same.setdefault((run.record.recipe, run.record.task), []).append(str(run.record.seeds.seed))
    lines = [
        f"  the same to the last bit: {recipe} on {task}, seeds {' '.join(seeds)}"
        for (recipe, task), seeds in same.items()
    ]
    lines += [
        f"  DIFFERENT: {run.record.recipe} on {run.record.task}, seed {run.record.seeds.seed} ({run.record.id}, "
        f"stored {run.stored}): {', '.join(run.differences)}"
        for run in fresh.differing
    ]
    return "\n".join([f"{trained}, {len(fresh.retrained)} of them were in the store:", *lines])
