"""From what a reader found to run records: which score, which seed, and which runs failed."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from stabbench.errors import excerpt, listed, unknown
from stabbench.imported.choice import Choice, Crashed
from stabbench.imported.curves import with_scores
from stabbench.imported.formats import find
from stabbench.imported.found import FoundRun, ResultsError, is_empty, number, whole_number
from stabbench.imported.score import constant_score_of, of_metric, value_of
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Experiment, Fingerprint, Outcome, RunRecord
from stabbench.records.scoring import Scoring
from stabbench.records.seeds import STREAMS, Seeds, check_seed
from stabbench.records.setting import ELSEWHERE_MODEL, ELSEWHERE_TASK

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
    for what, option in (("task", "task"), ("metric", "metric"), ("constant_score", "constant-score")):
        named = {str(getattr(runs.records[0], what)): runs.label for runs in found}
        if len(named) > 1:
            said = ", ".join(f"{value} ({label})" for value, label in named.items())
            raise ResultsError(
                f"the results are not of one {what.replace('_', ' ')}: {said}", f"choose one by --{option}"
            )
    models = {runs.records[0].model for runs in found}
    return found if len(models) == 1 else [_of_unknown_model(runs) for runs in found]


def _of_unknown_model(runs: RecipeRuns) -> RecipeRuns:
    """The model is often what is compared: then it is a part of neither name nor heading."""
    records = [dataclasses.replace(record, model=ELSEWHERE_MODEL) for record in runs.records]
    return dataclasses.replace(runs, records=records)


def _read(name: str, path: Path, choice: Choice) -> list[RecipeRuns]:
    form, found = find(path)
    found = _of_task(path, found, choice.task)
    recipes = list(dict.fromkeys(run.recipe for run in found))
    if name and len(recipes) > 1:
        if name not in recipes:
            raise ResultsError(f"{path}: {unknown('recipe', name, recipes)}", "without a name all are taken")
        recipes = [name]
    metric, found = of_metric(path, found, choice)
    choice = constant_score_of(path, found, choice)
    return [
        _recipe_runs(
            name or recipe or path.stem or path.resolve().name,
            [run for run in found if run.recipe == recipe],
            metric,
            choice,
            (str(path), form.NAME),
        )
        for recipe in recipes
    ]


def _recipe_runs(
    label: str, found: Sequence[FoundRun], metric: str, choice: Choice, source: tuple[str, str]
) -> RecipeRuns:
    path, kind = source
    by_seed = _by_seed(found, choice)
    if choice.crashed == Crashed.LEFT_OUT:
        without = {seed: run for seed, run in by_seed.items() if run.unfinished}
        by_seed = {seed: run for seed, run in by_seed.items() if not run.unfinished}
        if not by_seed:
            raise ResultsError(f"{path}: no run of {label!r} has a score", f"the first: {found[0].unfinished}")
        if without:
            seeds = listed([str(seed) for seed in without], _LISTED)
            kind += f"; left out for want of a score: seed {seeds}"
    scoring = choice.scoring(metric)
    measured = [(_record(run, seed, label, scoring, choice), run) for seed, run in by_seed.items()]
    histories = {record.id: with_scores(run, scoring) for record, run in measured if run.history.losses}
    return RecipeRuns(label, [record for record, _ in measured], source=f"{path} ({kind})", given=histories)


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


def _by_seed(found: Sequence[FoundRun], choice: Choice) -> dict[int, FoundRun]:
    by_seed: dict[int, list[FoundRun]] = {}
    for run in found:
        by_seed.setdefault(_seed(run, choice.seed_from), []).append(run)
    chosen = {}
    for seed, runs in sorted(by_seed.items()):
        measured = [run for run in runs if not run.unfinished]
        if len(measured) > 1:
            raise ResultsError(
                f"seed {seed} is there twice: {measured[0].where} and {measured[1].where}",
                "every seed is one run: remove one, or name a folder or file that has one of each",
            )
        # A crashed run that was started again is measured.
        chosen[seed] = (measured or runs)[0]
    return chosen


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


def _record(run: FoundRun, seed: int, label: str, scoring: Scoring, choice: Choice) -> RunRecord:
    seeds = Seeds.of(seed, **{stream: whole_number(run.parameters.get(f"{stream}_seed")) for stream in STREAMS})
    score = None if run.unfinished else scoring.score(value_of(run, scoring.metric))
    outcome, reason = _outcome(run, score, scoring, choice.crashed)
    task = run.task or choice.task or ELSEWHERE_TASK
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
        model=run.model or ELSEWHERE_MODEL,
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


def _outcome(run: FoundRun, score: float | None, scoring: Scoring, crashed: str) -> tuple[Outcome, str]:
    if run.unfinished:
        return (Outcome.FAILED if crashed == Crashed.FAILED else Outcome.MISSING), run.unfinished
    outcome, reason = scoring.outcome(score)
    if run.failed and outcome is not Outcome.FAILED:
        return Outcome.FAILED, run.reason or "marked as failed where it was measured"
    # The results say of each run whether it failed; a constant score that they do not have may say otherwise.
    own = outcome is Outcome.UNKNOWN or scoring.constant == number(run.constant_score)
    return (Outcome.OK, "") if run.failed is False and own else (outcome, reason)


def _listed(names: Sequence[str]) -> str:
    return listed([excerpt(name).strip("'") for name in names], _LISTED)
