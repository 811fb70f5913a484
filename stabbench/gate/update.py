"""Records baselines and updates them: freely where they become tighter, with a reason where they become looser."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from stabbench import statistics
from stabbench._system.files import held
from stabbench.gate.baselines import Baseline, BaselineError, Loosening, find
from stabbench.gate.baselines_file import load, save
from stabbench.gate.model_paths import is_path, one_spelling
from stabbench.gate.plans import baseline_of, plan_of, resources_for
from stabbench.records.provenance import all_days, origin
from stabbench.records.recipe_runs import check_failures_known
from stabbench.records.run import RunRecord
from stabbench.runner.cells import AnyResolved
from stabbench.runner.execute import Execution, execute
from stabbench.runner.plan import Plan
from stabbench.runner.progress import Progress
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources

ROUNDING = 1e-9


def record(plan: Plan, resources: Resources, path: Path, progress: Progress | None = None) -> list[Baseline]:
    """Run every recipe of a plan and add its cells to the file.

    Raises:
        BaselineError: A cell is there already.
        StabbenchError: Bad input, or missing runs; nothing is written then.
    """
    resolved = resolve(plan, resources)
    model = one_spelling(plan.model, path.parent)
    wanted = [(c.label, resolved.task_name, model, c.fingerprint.experiment.get("model")) for c in resolved.cells]
    _refuse_known(load(path, must_exist=False), wanted, path)
    done = _executed(plan, resources, progress, resolved)
    check_failures_known(done.results())
    return add([baseline_of(plan, records) for records in done.runs.values()], path, progress)


def add(made: Sequence[Baseline], path: Path, progress: Progress | None = None) -> list[Baseline]:
    """Add new cells to the file, which may not be there yet.

    Raises:
        BaselineError: A cell is there already.
    """

    def merge(cells: dict[str, Baseline]) -> None:
        _refuse_known(cells, [(b.recipe, b.task, b.model, b.weights) for b in made], path)
        cells.update({b.name: b for b in made})

    made = [
        dataclasses.replace(
            b,
            model=one_spelling(b.model, path.parent),
            task_file=b.task_file and one_spelling(b.task_file, path.parent, is_path),
        )
        for b in made
    ]
    _rewrite(path, merge, progress)
    return made


def rerun(
    old: Baseline,
    resources: Resources,
    *,
    seeds: int = 0,
    data_dir: Path | None = None,
    progress: Progress | None = None,
) -> Baseline:
    """The new baseline of a cell: its recipe's current version, trained on the old seeds and on the first ``seeds``.

    Raises:
        StabbenchError: Bad input, or missing runs.
    """
    plan = plan_of(old, sorted({*old.scores, *range(seeds)}), data_dir)
    done = _executed(plan, resources_for(old, resources), progress)
    (records,) = done.runs.values()
    return new_baseline(old, records)


def _executed(
    plan: Plan, resources: Resources, progress: Progress | None, resolved: AnyResolved | None = None
) -> Execution:
    done = execute(plan, resources, progress, resolved).check_complete()
    if progress is not None:
        progress.note(origin(all_days(done.results())))
    return done


def new_baseline(old: Baseline, records: Sequence[RunRecord]) -> Baseline:
    """The cell of these records under its old name, even if a changed default has shortened the recipe's label."""
    made = Baseline.of(records, old.loosened)
    return dataclasses.replace(made, recipe=old.recipe, model=old.model, task_file=old.task_file)


def replace(old: Baseline, new: Baseline, reason: str, path: Path, progress: Progress | None = None) -> Baseline:
    """Put a new baseline in the place of an old one.

    Args:
        old: The cell in the file.
        new: The cell that :func:`rerun` made.
        reason: Why it may be looser; empty where it may not.
        path: The file.
        progress: Progress callbacks.

    Raises:
        BaselineError: The new baseline is looser and there is no reason, or the file has changed meanwhile.
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

    _rewrite(path, exchange, progress)
    return new


def loosened(old: Baseline, new: Baseline) -> list[str]:
    """The ways in which the new baseline is easier to pass than the old one. Further runs of the same kind are none."""
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


def _before(old: Baseline) -> dict[str, int | float | None]:
    summary = statistics.summarise(old.sample)
    return {"runs": summary.planned, "failed": summary.failed, "mean": summary.mean, "std": summary.std}


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _refuse_known(cells: dict[str, Baseline], wanted: Sequence[tuple[str, str, str, str | None]], path: Path) -> None:
    known = [cell.name for one in wanted if (cell := find(cells, *one)) is not None]
    if known:
        raise BaselineError(f"{path} has {', '.join(known)} already", "to replace it: stabbench baseline update")


def _rewrite(path: Path, change: Callable[[dict[str, Baseline]], None], progress: Progress | None) -> None:
    """Read, change and write, with no other command between, whatever its store.

    Raises:
        BaselineError: The file cannot be read or written.
    """
    told = progress or Progress()
    target = path.resolve()
    lock = held(
        target.with_name(f".{target.name}.lock"), lambda: told.note(f"waiting for another command that writes {path}")
    )
    with contextlib.ExitStack() as alone:
        try:
            alone.enter_context(lock)
        except OSError as error:
            raise BaselineError(f"the baselines file {path} cannot be written: {error.strerror}") from error
        cells = load(path, must_exist=False)
        change(cells)
        save(path, cells.values())
