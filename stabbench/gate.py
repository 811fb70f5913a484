"""The gate: every cell of a suite is run and judged against its stored baseline."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stabbench.baselines import Baseline
from stabbench.comparison import RecipeRuns
from stabbench.compatibility import DEFAULT_POLICY, Differences, Policy, differences
from stabbench.errors import StabbenchError
from stabbench.experiment import execute, fingerprints
from stabbench.plan import Plan
from stabbench.records import Outcome
from stabbench.replay import plan_of
from stabbench.verdict import FIXED, Judgement, Look, Pair, Rules, Verdict, judge, worst
from stabbench.watcher import Watcher

# Enough to find a doubled standard deviation, or three failed runs in ten, against a bank of fifty.
DEFAULT_GATE_SEEDS = 20
# The planned looks of a sequential gate.
LOOKS = 4


@dataclass(frozen=True)
class GateOptions:
    """How a gate runs.

    Attributes:
        seeds: So many for each cell, none of them its baseline's; or a list.
        rules: When a cell fails, and when it passes.
        policy: What must be the same of the environment.
        sequential: Look after each quarter of the seeds, and stop where a cell is decided.
        plan: Fields of :class:`stabbench.plan.Plan` in place of the baselines' own, such as ``model`` for the same
            weights in another folder.
        plans: For cells by name what to run, in place of what the baseline says.
        family_cells: The cells of the whole family, where only some of them are judged.
    """

    seeds: int | Sequence[int] = DEFAULT_GATE_SEEDS
    rules: Rules = field(default_factory=Rules)
    policy: Policy = DEFAULT_POLICY
    sequential: bool = False
    plan: dict[str, Any] = field(default_factory=dict)
    plans: Mapping[str, Plan] = field(default_factory=dict)
    family_cells: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.seeds, int) and self.seeds < 1:
            raise StabbenchError("no seeds", "give a number of seeds, or a list such as 103,107,111")


@dataclass(frozen=True)
class CellResult:
    """One cell of a gate.

    Attributes:
        baseline: What it was judged against.
        verdict: Also ERROR and INCOMPARABLE.
        reason: In one sentence.
        runs: The candidate's, where there are any.
        judgement: Where the runs were judged.
        differences: From the baseline.
        saved: Runs that a sequential gate did not need.
        notes: What else there is to know.
    """

    baseline: Baseline
    verdict: Verdict
    reason: str
    runs: RecipeRuns | None = None
    judgement: Judgement | None = None
    differences: Differences = field(default_factory=lambda: Differences((), (), ()))
    saved: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class GateResult:
    """Every cell, and the verdict of them all."""

    cells: Sequence[CellResult]
    rules: Rules

    @property
    def verdict(self) -> Verdict:
        """The worst one."""
        return worst(cell.verdict for cell in self.cells)


@dataclass
class _Open:
    """A cell on its way."""

    baseline: Baseline
    plan: Plan
    found: Differences
    waves: tuple[int, ...]
    look: Look = FIXED
    runs: RecipeRuns | None = None
    judgement: Judgement | None = None
    decided: bool = False
    error: str = ""


def gate(
    baselines: Iterable[Baseline], options: GateOptions, store: Path, watcher: Watcher | None = None
) -> GateResult:
    """Run what is not stored yet, and judge every cell.

    Raises:
        StabbenchError: No cells, or bad options. What goes wrong with one cell is its verdict.
    """
    baselines = list(baselines)
    if not baselines:
        raise StabbenchError("there is no cell to gate", "see: stabbench baseline show")
    settled: dict[str, CellResult] = {}
    cells: dict[str, _Open] = {}
    for baseline in baselines:
        try:
            cells[baseline.name] = _opened(baseline, options)
        except StabbenchError as error:
            settled[baseline.name] = CellResult(baseline, Verdict.ERROR, _one_line(error))
            continue
        found = cells[baseline.name].found
        if found.refused:
            del cells[baseline.name]
            reason = f"the baseline was made of something else: {'; '.join(found.refused)}"
            settled[baseline.name] = CellResult(baseline, Verdict.INCOMPARABLE, reason, differences=found)
    for number in range(max((len(cell.waves) for cell in cells.values()), default=0)):
        _train_wave(cells.values(), number, store, watcher)
        pairs = {n: Pair(c.runs.sample, c.baseline.sample, c.look) for n, c in cells.items() if c.runs and not c.error}
        for name, judgement in judge(pairs, options.rules, family_cells=options.family_cells).items() if pairs else ():
            cell = cells[name]
            if not cell.decided:
                cell.judgement = judgement
                cell.decided = judgement.verdict in (Verdict.PASS, Verdict.FAIL)
    settled |= {name: _settle(cell) for name, cell in cells.items()}
    return GateResult([settled[baseline.name] for baseline in baselines], options.rules)


def _opened(baseline: Baseline, options: GateOptions) -> _Open:
    plan = options.plans.get(baseline.name)
    if plan is None:
        numbers = baseline.fresh_seeds(options.seeds) if isinstance(options.seeds, int) else options.seeds
        plan = plan_of(baseline, numbers, options.plan)
    (made_of,) = fingerprints(plan).values()
    found = differences(baseline.experiment, baseline.environment, made_of, options.policy)
    count, looks = len(plan.seeds), LOOKS if options.sequential else 1
    waves = tuple(sorted({-(-count * (i + 1) // looks) for i in range(looks)}))
    return _Open(baseline, plan, found, waves)


def _train_wave(cells: Iterable[_Open], number: int, store: Path, watcher: Watcher | None) -> None:
    """Train the next wave of every cell that is open; recipes that share all else are one plan, one pool."""
    groups: dict[tuple[Any, ...], list[_Open]] = {}
    for cell in cells:
        if not (cell.decided or cell.error or number >= len(cell.waves)):
            cell.look = Look(cell.waves, number)
            p = cell.plan
            key = (p.task, p.model, p.revision, p.max_steps, p.device, tuple(p.seeds), cell.waves)
            groups.setdefault(key, []).append(cell)
    for group in groups.values():
        try:
            _train_group(group, number, store, watcher)
        except StabbenchError as error:
            if len(group) == 1:
                group[0].error = _one_line(error)
                continue
            # One recipe may be to blame: the others get their own chance.
            for cell in group:
                try:
                    _train_group([cell], number, store, watcher)
                except StabbenchError as own:
                    cell.error = _one_line(own)


def _train_group(group: Sequence[_Open], number: int, store: Path, watcher: Watcher | None) -> None:
    first = group[0]
    recipes = [cell.plan.recipes[0] for cell in group]
    plan = dataclasses.replace(first.plan, recipes=recipes, seeds=first.plan.seeds[: first.waves[number]])
    done = execute(plan, store, watcher)
    for cell, (label, records) in zip(group, done.runs.items(), strict=True):
        missing = [r for r in records if r.outcome is Outcome.MISSING]
        if missing:
            cell.error = f"{len(missing)} of {len(records)} runs are missing: {missing[0].reason}"
        else:
            cell.runs = RecipeRuns(label, records)


def _settle(cell: _Open) -> CellResult:
    if cell.error or cell.judgement is None or cell.runs is None:
        return CellResult(cell.baseline, Verdict.ERROR, cell.error, differences=cell.found)
    judgement, notes = cell.judgement, []
    reused = [seed for seed in (r.seeds.seed for r in cell.runs.records) if seed in cell.baseline.scores]
    if reused:
        notes.append(f"{len(reused)} of its seeds are the baseline's own: the two samples are not independent")
    if judgement.stale:
        notes.append("clearly better than its baseline, which is stale: tighten it with `stabbench baseline update`")
    return CellResult(
        baseline=cell.baseline,
        verdict=judgement.verdict,
        reason=judgement.reason,
        runs=cell.runs,
        judgement=judgement,
        differences=cell.found,
        saved=cell.waves[-1] - len(cell.runs.records),
        notes=tuple(notes),
    )


def _one_line(error: StabbenchError) -> str:
    return "; ".join(filter(None, [error.message, error.hint]))
