"""From what a reader found to run records: which score, which seed, and which runs failed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from stabbench.errors import excerpt, listed, unknown
from stabbench.imported.choice import Choice
from stabbench.imported.curves import with_scores
from stabbench.imported.formats import find
from stabbench.imported.found import FoundRun, ResultsError, is_empty, number, whole_number
from stabbench.records.run import Experiment, Fingerprint, Outcome, RunRecord
from stabbench.records.runs import RecipeRuns
from stabbench.records.scoring import LARGEST_SCORE, Scoring
from stabbench.records.seeds import Seeds, check_seed

#: The task and model of results that do not say theirs.
TASK, MODEL = "measured elsewhere", "unknown"
# Names that a message lists.
_LISTED = 20


def read_all(sources: Iterable[tuple[str, Path]], choice: Choice) -> list[RecipeRuns]:
    """The runs of several files or folders.

    Args:
        sources: A name, which may be empty, and a path. A name renames the only recipe that a path has, or chooses
            among its recipes; without one, all of them are taken, under their own names or the path's.
        choice: How to read them.

    Raises:
        ResultsError: Results that cannot be read, that lack a seed or a score, or are not of one task and metric.
    """
    found = [runs for name, path in sources for runs in _read(name, path, choice)]
    labels = [runs.label for runs in found]
    for label in labels:
        if labels.count(label) > 1:
            raise ResultsError(f"there are two recipes {label!r}", "give each path a name of its own: NAME=PATH")
    for what in ("task", "metric"):
        named = {str(getattr(runs.records[0], what)): runs.label for runs in found}
        if len(named) > 1:
            said = ", ".join(f"{value} ({label})" for value, label in named.items())
            raise ResultsError(f"the results are not of one {what}: {said}", f"choose one by --{what}")
    return found


def _read(name: str, path: Path, choice: Choice) -> list[RecipeRuns]:
    form, found = find(path)
    found = _of_task(path, found, choice.task)
    recipes = list(dict.fromkeys(run.recipe for run in found))
    if name and len(recipes) > 1:
        if name not in recipes:
            raise ResultsError(f"{path}: {unknown('recipe', name, recipes)}", "without a name all are taken")
        recipes = [name]
    metric = _metric(path, found, choice)
    return [
        _recipe_runs(
            name or recipe or path.stem or path.resolve().name,
            [run for run in found if run.recipe == recipe],
            metric,
            choice,
            f"{path} ({form.NAME})",
        )
        for recipe in recipes
    ]


def _recipe_runs(label: str, found: Sequence[FoundRun], metric: str, choice: Choice, source: str) -> RecipeRuns:
    measured, scoring = _records(found, label, metric, choice), choice.scoring(metric)
    histories = {record.id: with_scores(run, scoring) for record, run in measured if run.history.losses}
    return RecipeRuns(label, [record for record, _ in measured], source=source, given=histories)


def _of_task(path: Path, found: Sequence[FoundRun], task: str | None) -> list[FoundRun]:
    if not found:
        raise ResultsError(f"{path} has no runs")
    tasks = sorted({run.task for run in found})
    if task is not None and tasks == [""]:
        return list(found)  # it gives the results' task its name
    if task is None and len(tasks) > 1:
        raise ResultsError(f"{path} has results of several tasks: {_listed(tasks)}", "choose one by --task")
    if task is not None and task not in tasks:
        raise ResultsError(f"{path}: {unknown('task', task, tasks)}")
    return [run for run in found if task in (None, run.task)]


def _metric(path: Path, found: Sequence[FoundRun], choice: Choice) -> str:
    seed = choice.seed_from or "seed"
    known = {key for run in found for key, value in run.metrics.items() if key != seed and number(value) is not None}
    if choice.metric is not None:
        if not any(choice.metric in run.metrics for run in found) and any(not run.unfinished for run in found):
            raise ResultsError(f"{path} has no metric {excerpt(choice.metric)}", f"it has: {_listed(sorted(known))}")
        return choice.metric
    if "score" in known:
        return "score"
    if len(known) == 1:
        return known.pop()
    if not known:
        raise ResultsError(f"{path} has no metric: nothing in it besides the seeds is a number")
    raise ResultsError(f"{path} has several metrics: {_listed(sorted(known))}", "choose one by --metric")


def _records(found: Sequence[FoundRun], label: str, metric: str, choice: Choice) -> list[tuple[RunRecord, FoundRun]]:
    by_seed: dict[int, list[FoundRun]] = {}
    for run in found:
        by_seed.setdefault(_seed(run, choice.seed_from), []).append(run)
    records = []
    for seed, runs in sorted(by_seed.items()):
        measured = [run for run in runs if not run.unfinished]
        if len(measured) > 1:
            raise ResultsError(
                f"seed {seed} is there twice: {measured[0].where} and {measured[1].where}",
                "every seed is one run: remove one, or name a folder or file that has one of each",
            )
        # A crashed run that was started again is measured.
        run = (measured or runs)[0]
        records.append((_record(run, seed, label, metric, choice), run))
    return records


def _seed(run: FoundRun, seed_from: str | None) -> int:
    named = seed_from or "seed"
    if named in run.parameters:
        value = run.parameters[named]
        if not is_empty(value):
            return _checked_seed(run, whole_number(value), value)
    for name in run.names if seed_from is not None else ():
        if match := re.search(seed_from or "", name):
            text = match[1] if match.re.groups else match[0]
            return _checked_seed(run, whole_number(text or ""), text)
    if seed_from is not None:
        raise ResultsError(
            f"{run.where}: --seed-from {excerpt(seed_from)} finds no seed in {' or '.join(map(excerpt, run.names))}"
            if run.names
            else f"{run.where} has no {excerpt(seed_from)}",
            r"it is the name of a parameter, or an expression such as 'seed-(\d+)' for the name of a run or folder",
        )
    near = [name for name in run.parameters if "seed" in name.lower() and name != "seed"]
    ways = [f"--seed-from {name}" for name in near[:3]]
    ways += [rf"--seed-from 'seed-(\d+)', which looks at {excerpt(run.names[0])}"] if run.names else []
    raise ResultsError(
        "; ".join(filter(None, [f"{run.where} has no seed, and none is guessed", run.no_seed])),
        f"try {' or '.join(ways)}" if ways else "add a column seed",
    )


def _checked_seed(run: FoundRun, seed: int | None, value: object) -> int:
    if seed is None:
        raise ResultsError(f"{run.where}: {excerpt(value)} is no seed", "seeds are whole numbers from 0")
    check_seed(seed)
    return seed


def _record(run: FoundRun, seed: int, label: str, metric: str, choice: Choice) -> RunRecord:
    seeds, scoring = Seeds.of(seed), choice.scoring(metric)
    score = None if run.unfinished else scoring.score(_value(run, metric))
    outcome, reason = _outcome(run, score, scoring)
    task = run.task or choice.task or TASK
    experiment: Experiment = {
        "recipe": label,
        "task": task,
        "metric": scoring.name,
        "constant_score": scoring.constant_score,
        "measured": "elsewhere",
    }
    made_of = Fingerprint(experiment, {})
    return RunRecord(
        id=made_of.run_id(seeds),
        recipe=label,
        task=task,
        model=MODEL,
        revision=None,
        seeds=seeds,
        outcome=outcome,
        reason=reason,
        metric=scoring.name,
        score=score,
        constant_score=scoring.constant_score,
        final_loss=None,
        steps=run.steps or 0,
        stack=1,
        seconds=0.0,
        finished=run.finished,
        fingerprint=made_of,
    )


def _value(run: FoundRun, metric: str) -> float | None:
    """Of the metric, which need not be finite; None where a run that is marked as failed has none."""
    value = run.metrics.get(metric)
    if is_empty(value):
        if run.failed:
            return None
        raise ResultsError(
            f"{run.where} has no {metric}",
            "write nan for a training that diverged; a run that crashed is marked by the tool, or left out",
        )
    found = number(value)
    if found is None:
        raise ResultsError(f"{run.where}: {metric} {excerpt(value)} is no number", "write it as 0.731")
    if math.isfinite(found) and abs(found) > LARGEST_SCORE:
        raise ResultsError(f"{run.where}: {metric} {found:g} is no score", f"it is over {LARGEST_SCORE:g}")
    return found


def _outcome(run: FoundRun, score: float | None, scoring: Scoring) -> tuple[Outcome, str]:
    if run.unfinished:
        return Outcome.MISSING, run.unfinished
    if run.failed and score is not None:
        return Outcome.FAILED, "marked as failed where it was measured"
    outcome, reason = scoring.outcome(score)
    # The results say of each run whether it failed.
    return (Outcome.OK, "") if outcome is Outcome.UNKNOWN and run.failed is not None else (outcome, reason)


def _listed(names: Sequence[str]) -> str:
    return listed([excerpt(name).strip("'") for name in names], _LISTED)
