"""Recording baselines, and updating them: tightened freely, loosened only with a reason."""

from __future__ import annotations

import dataclasses
import getpass
import hashlib
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stabbench import statistics
from stabbench.baselines import Baseline, BaselineError, Loosening, cell_name, load, save
from stabbench.claims import claimed
from stabbench.experiment import execute
from stabbench.plan import Plan
from stabbench.records import RunRecord
from stabbench.replay import plan_of
from stabbench.watcher import Watcher

# A bank of fifty lets ten to fifteen candidate runs do nearly as well as as many on both sides.
DEFAULT_BANK = 50
ROUNDING = 1e-9


def record(plan: Plan, path: Path, store: Path, watcher: Watcher | None = None) -> list[Baseline]:
    """Run every recipe of a plan and add its cells to the file.

    Raises:
        BaselineError: A cell is there already.
        StabbenchError: Bad input, or missing runs; nothing is written then.
    """
    _refuse_known(load(path, must_exist=False), [(r.label, plan.task, plan.model) for r in plan.recipes], path)
    done = execute(plan, store, watcher).check_complete()
    return add([Baseline.of(records) for records in done.runs.values()], path)


def add(made: Sequence[Baseline], path: Path) -> list[Baseline]:
    """Add new cells to the file, which may not be there yet.

    Raises:
        BaselineError: A cell is there already.
    """

    def merge(cells: dict[str, Baseline]) -> None:
        _refuse_known(cells, [(b.recipe, b.task, b.model) for b in made], path)
        cells.update({b.name: b for b in made})

    _rewrite(path, merge)
    return list(made)


def rerun(
    old: Baseline, seeds: int | None, store: Path, options: dict[str, Any], watcher: Watcher | None = None
) -> Baseline:
    """What a baseline would be now: its recipe as it is today, on its own seeds, or on so many.

    Raises:
        StabbenchError: Bad input, or missing runs.
    """
    numbers = sorted({*old.scores, *range(seeds or 0)})
    plan = plan_of(old, numbers, options)
    done = execute(plan, store, watcher).check_complete()
    (records,) = done.runs.values()
    return renewed(old, records)


def renewed(old: Baseline, records: Sequence[RunRecord]) -> Baseline:
    """The cell of these records, under its old name, also where a changed default has shortened the recipe's label."""
    return dataclasses.replace(Baseline.of(records, old.loosened), recipe=old.recipe, model=old.model)


def replace(old: Baseline, new: Baseline, reason: str, path: Path) -> Baseline:
    """Put a new baseline in the place of an old one.

    Args:
        old: As it is in the file.
        new: The cell as :func:`rerun` made it.
        reason: Why it may be loosened; empty where it may not.
        path: The file.

    Raises:
        BaselineError: It would be easier to pass, and there is no reason; or the file changed meanwhile.
    """
    looser = loosened(old, new)
    if looser and not reason:
        raise BaselineError(
            f"the new baseline of {old.name} is looser: {', '.join(looser)}",
            'if that is meant: stabbench baseline update --loosen "why"',
        )
    if looser:
        note = Loosening(datetime.now(UTC).date().isoformat(), reason, _before(old))
        new = dataclasses.replace(new, loosened=(*old.loosened, note))

    def exchange(cells: dict[str, Baseline]) -> None:
        if cells.get(old.name) != old:
            raise BaselineError(f"{path} was changed by another command meanwhile", "give the same command again")
        cells[new.name] = new

    _rewrite(path, exchange)
    return new


def loosened(old: Baseline, new: Baseline) -> list[str]:
    """In what the new baseline is easier to pass than the old one; more runs of the same kind are no loosening."""
    same = (old.experiment, old.environment) == (new.experiment, new.environment)
    if same and all(new.scores.get(seed, _ABSENT) == score for seed, score in old.scores.items()):
        return []
    before, now = statistics.summarise(old.sample), statistics.summarise(new.sample)
    found = []
    if now.planned < before.planned:
        found.append(f"{now.planned} runs instead of {before.planned}")
    if now.failed * before.planned > before.failed * now.planned:
        found.append(f"failed {before.failed}/{before.planned} → {now.failed}/{now.planned}")
    if now.std is not None and before.std is not None and now.std > before.std + ROUNDING:
        found.append(f"std {_number(before.std)} → {_number(now.std)}")
    if before.mean is not None and (now.mean is None or now.mean < before.mean - ROUNDING):
        found.append(f"mean {_number(before.mean)} → {_number(now.mean)}")
    return found


_ABSENT = object()


def _before(old: Baseline) -> dict[str, Any]:
    summary = statistics.summarise(old.sample)
    return {"runs": summary.planned, "failed": summary.failed, "mean": summary.mean, "std": summary.std}


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _refuse_known(cells: dict[str, Baseline], wanted: Sequence[tuple[str, str, str]], path: Path) -> None:
    known = [name for name in (cell_name(*cell) for cell in wanted) if name in cells]
    if known:
        raise BaselineError(f"{path} has {', '.join(known)} already", "to replace it: stabbench baseline update")


def _rewrite(path: Path, change: Callable[[dict[str, Baseline]], None]) -> None:
    """Read, change and write, with no other command of this machine between, whatever its store."""
    target = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    with claimed(Path(tempfile.gettempdir()) / f"stabbench-{getpass.getuser()}", [target], lambda: None):
        cells = load(path, must_exist=False)
        change(cells)
        save(path, cells.values())
