"""The gate: trains every cell of a suite and judges it against its stored baseline."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from stabbench.errors import StabbenchError
from stabbench.gate.baselines import Baseline
from stabbench.gate.compatibility import DEFAULT_POLICY, Differences, Policy, differences
from stabbench.gate.judge import Judgement, Pair
from stabbench.gate.looks import FIXED, Look
from stabbench.gate.plans import plan_of, resources_for
from stabbench.gate.rules import Rules, Verdict, worst
from stabbench.gate.sequential import judge_looks
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Outcome
from stabbench.records.seeds import Seeds, given_seeds
from stabbench.runner.cells import TrainingCell
from stabbench.runner.execute import execute
from stabbench.runner.plan import Plan
from stabbench.runner.progress import Progress
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources
from stabbench.tasks.task import Task

# Enough to detect a doubled standard deviation, or three failed runs in ten, against a baseline of fifty.
DEFAULT_GATE_SEEDS = 20
# The planned looks of a sequential gate.
LOOKS = 4


@dataclass(frozen=True)
class GateOptions:
    """How a gate runs.

    Attributes:
        seeds: The number of new seeds for each cell, never the baseline's; or a list.
        rules: The rules of the verdicts.
        policy: Which part of the environment must be as in the baseline.
        sequential: Whether to judge after each quarter of the seeds, and stop where a cell is decided.
        model: Replaces the baselines' model by the same weights in another folder.
        task: Stands for the baselines' task of its name, which no command finds: it is an object.
        data_dir: The folder of the official GLUE TSV files.
        plans: Plans of cells by name, in place of those of their baselines.
        family_cells: The number of cells in the whole family, where only some of them are judged.
    """

    seeds: int | Sequence[int] = DEFAULT_GATE_SEEDS
    rules: Rules = field(default_factory=Rules)
    policy: Policy = DEFAULT_POLICY
    sequential: bool = False
    model: str | None = None
    task: Task | None = None
    data_dir: Path | None = None
    plans: Mapping[str, Plan] = field(default_factory=dict)
    family_cells: int | None = None

    def __post_init__(self) -> None:
        given = given_seeds(self.seeds)
        object.__setattr__(self, "seeds", given)
        if isinstance(given, list) and any(isinstance(item, Seeds) for item in given):
            raise StabbenchError("the seeds of a gate are numbers: each of its runs has one seed for all streams")
        if given == 0:
            raise StabbenchError("no seeds", "give a number of seeds, or a list such as 103,107,111")


@dataclass(frozen=True)
class CellResult:
    """One cell of a gate.

    Attributes:
        baseline: The stored scores that the candidate is judged against.
        verdict: Also ERROR and INCOMPARABLE.
        error: What went wrong; empty where nothing did.
        runs: The candidate's runs; None where there are none.
        judgement: None where the runs could not be judged.
        differences: From the baseline.
        saved: The runs that a sequential gate did not need.
    """

    baseline: Baseline
    verdict: Verdict
    error: str = ""
    runs: RecipeRuns | None = None
    judgement: Judgement | None = None
    differences: Differences = field(default_factory=lambda: Differences((), (), ()))
    saved: int = 0

    @property
    def reused_seeds(self) -> int:
        """The number of seeds that the candidate shares with the baseline."""
        records = () if self.runs is None else self.runs.records
        return sum(record.seeds.seed in self.baseline.scores for record in records)


@dataclass(frozen=True)
class GateResult:
    """The results of all cells."""

    cells: Sequence[CellResult]
    rules: Rules

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the cells."""
        return worst(cell.verdict for cell in self.cells)

    def kept_in(self, store: Path) -> Self:
        """This, with the store that keeps the runs' histories now."""
        return dataclasses.replace(
            self, cells=[dataclasses.replace(cell, runs=cell.runs and cell.runs.kept_in(store)) for cell in self.cells]
        )


@dataclass
class _Open:
    """A cell that is not judged yet."""

    baseline: Baseline
    plan: Plan
    resources: Resources
    found: Differences
    waves: tuple[int, ...]
    look: Look = FIXED
    runs: RecipeRuns | None = None
    error: str = ""


def gate(
    baselines: Iterable[Baseline], options: GateOptions, resources: Resources, progress: Progress | None = None
) -> GateResult:
    """Train the runs that are not stored yet, and judge every cell.

    Raises:
        StabbenchError: No cells, or bad options. What goes wrong with one cell is its verdict.
    """
    baselines = list(baselines)
    if not baselines:
        raise StabbenchError("there is no cell to gate", "see: stabbench baseline show")
    if options.model is not None and all(baseline.training for baseline in baselines):
        raise StabbenchError("--model has no effect on training code", "its own arguments say what it trains")
    settled: dict[str, CellResult] = {}
    cells: dict[str, _Open] = {}
    for baseline in baselines:
        try:
            cells[baseline.name] = _opened(baseline, options, resources)
        except StabbenchError as error:
            settled[baseline.name] = CellResult(baseline, Verdict.ERROR, _one_line(error))
            continue
        found = cells[baseline.name].found
        if found.refused:
            del cells[baseline.name]
            settled[baseline.name] = CellResult(baseline, Verdict.INCOMPARABLE, differences=found)

    def pairs_at(number: int, decided: Set[str]) -> dict[str, Pair]:
        _train_wave([cell for name, cell in cells.items() if name not in decided], number, progress)
        return {n: Pair(c.runs.sample, c.baseline.sample, c.look) for n, c in cells.items() if c.runs and not c.error}

    looks = max((len(cell.waves) for cell in cells.values()), default=0)
    judged = judge_looks(pairs_at, looks, options.rules, family_cells=options.family_cells)
    settled |= {name: _settle(cell, judged.get(name)) for name, cell in cells.items()}
    return GateResult([settled[baseline.name] for baseline in baselines], options.rules)


def _opened(baseline: Baseline, options: GateOptions, resources: Resources) -> _Open:
    plan = options.plans.get(baseline.name)
    if plan is None:
        numbers = baseline.fresh_seeds(options.seeds) if isinstance(options.seeds, int) else options.seeds
        plan = plan_of(baseline, numbers, options.data_dir, options.model, options.task)
    own = resources_for(baseline, resources)
    (cell,) = resolve(plan, own).cells
    found = differences(baseline.experiment, baseline.environment, cell.fingerprint, options.policy)
    if isinstance(cell, TrainingCell) and cell.training.scoring.constant_score != baseline.constant_score:
        # No part of a run's identity, but it decides which runs failed.
        changed = f"constant_score: {baseline.constant_score} → {cell.training.scoring.constant_score}"
        found = dataclasses.replace(found, refused=(*found.refused, changed))
    count, looks = len(plan.seeds), LOOKS if options.sequential else 1
    waves = tuple(sorted({-(-count * (i + 1) // looks) for i in range(looks)}))
    return _Open(baseline, plan, own, found, waves)


def _train_wave(cells: Iterable[_Open], number: int, progress: Progress | None) -> None:
    """Train the next wave of every cell; recipes that share everything else are one plan, in one pool."""
    groups: dict[tuple[Any, ...], list[_Open]] = {}
    for cell in cells:
        if not cell.error and number < len(cell.waves):
            cell.look = Look(cell.waves, number)
            p = cell.plan
            task = p.task if isinstance(p.task, str) else id(p.task)
            key = (task, p.model, p.revision, p.max_steps, cell.resources.device, tuple(p.seeds), cell.waves)
            groups.setdefault(key, []).append(cell)
    for group in groups.values():
        try:
            _train_group(group, number, progress)
        except StabbenchError as error:
            if len(group) == 1:
                group[0].error = _one_line(error)
                continue
            # One recipe may be to blame: the others get their own chance.
            for cell in group:
                try:
                    _train_group([cell], number, progress)
                except StabbenchError as own:
                    cell.error = _one_line(own)


def _train_group(group: Sequence[_Open], number: int, progress: Progress | None) -> None:
    first = group[0]
    recipes = [cell.plan.recipes[0] for cell in group]
    plan = dataclasses.replace(first.plan, recipes=recipes, seeds=first.plan.seeds[: first.waves[number]])
    done = execute(plan, first.resources, progress)
    for cell, runs in zip(group, done.results(), strict=True):
        missing = [r for r in runs.records if r.outcome is Outcome.MISSING]
        if missing:
            cell.error = f"{len(missing)} of {len(runs.records)} runs are missing: {missing[0].reason}"
        else:
            # What an earlier wave trained is in the store by now.
            earlier = frozenset() if cell.runs is None else cell.runs.trained
            cell.runs = dataclasses.replace(runs, trained=runs.trained | earlier)


def _settle(cell: _Open, judgement: Judgement | None) -> CellResult:
    if cell.error or judgement is None or cell.runs is None:
        return CellResult(cell.baseline, Verdict.ERROR, cell.error, differences=cell.found)
    return CellResult(
        baseline=cell.baseline,
        verdict=judgement.verdict,
        runs=cell.runs,
        judgement=judgement,
        differences=cell.found,
        saved=cell.waves[-1] - len(cell.runs.records),
    )


def _one_line(error: StabbenchError) -> str:
    return "; ".join(filter(None, [error.message, error.hint]))
