"""The gate and its baselines for results measured elsewhere: nothing is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stabbench.errors import StabbenchError, unknown
from stabbench.gate import update
from stabbench.gate.baselines import Baseline, BaselineError, find
from stabbench.gate.baselines_file import load
from stabbench.gate.compatibility import Differences, differences
from stabbench.gate.gate import CellResult, GateResult
from stabbench.gate.judge import Pair, judge
from stabbench.gate.rules import Rules, Verdict
from stabbench.records.recipe_runs import RecipeRuns, check_complete, check_failures_known


def gate_elsewhere(path: Path, runs: Sequence[RecipeRuns], rules: Rules) -> GateResult:
    """Judge each recipe's runs against the cell of its name in a baselines file.

    Raises:
        StabbenchError: A recipe without a baseline, or runs of which nobody knows whether they failed.
    """
    cells = load(path)
    pairs = [(_baseline(cells, own, path), own) for own in runs]
    check_failures_known(runs)
    settled: dict[str, CellResult] = {}
    judged: dict[str, tuple[Baseline, RecipeRuns, Differences]] = {}
    for baseline, own in pairs:
        now = own.records[0].fingerprint
        found = differences(baseline.experiment, baseline.environment, now)
        try:
            check_complete([own])
        except StabbenchError as error:
            settled[baseline.name] = CellResult(
                baseline, Verdict.ERROR, f"{error.message}; {error.hint}", differences=found
            )
            continue
        if found.refused:
            settled[baseline.name] = CellResult(baseline, Verdict.INCOMPARABLE, differences=found)
        else:
            judged[baseline.name] = (baseline, own, found)
    samples = {name: Pair(own.sample, baseline.sample) for name, (baseline, own, _) in judged.items()}
    for name, judgement in (judge(samples, rules) if samples else {}).items():
        baseline, own, found = judged[name]
        settled[name] = CellResult(
            baseline=baseline,
            verdict=judgement.verdict,
            runs=own,
            judgement=judgement,
            differences=found,
        )
    return GateResult([settled[baseline.name] for baseline, _ in pairs], rules)


def record_elsewhere(runs: Sequence[RecipeRuns], path: Path) -> list[Baseline]:
    """Add the cells of these runs to a baselines file, which may not be there yet.

    Raises:
        StabbenchError: A cell is there already, or runs are missing or of unknown outcome; nothing is written then.
    """
    check_complete(runs)
    check_failures_known(runs)
    return update.add([Baseline.of(own.records) for own in runs], path)


def _baseline(cells: dict[str, Baseline], runs: RecipeRuns, path: Path) -> Baseline:
    first = runs.records[0]
    found = find(cells, runs.label, first.task, first.model, None)
    # The model need not be in both results.
    others = [c for c in cells.values() if c.measured_elsewhere and (c.recipe, c.task) == (runs.label, first.task)]
    if found is None and len(others) == 1:
        found = others[0]
    if found is None:
        known = {cell.recipe for cell in cells.values() if cell.task == first.task}
        what = unknown("baseline of recipe", runs.label, known) if known else f"no baseline is of task {first.task!r}"
        raise BaselineError(f"{path}: {what}", "to record one: stabbench baseline record --from NAME=PATH")
    return found
