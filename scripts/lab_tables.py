"""Print the tables of docs/lab.md from a run store.

for task in entailment paraphrase acceptability similarity; do
    stabbench compare devlin bias-correction mosbach mixout reinit cwgnc --task lab/$task --seeds 25 --store lab
done
python scripts/lab_tables.py lab
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from tabulate import tabulate

from stabbench.gate.comparison import PairTests
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Outcome, RunRecord
from stabbench.records.store import Store

RECIPES = ["devlin", "bias-correction", "mosbach", "mixout", "reinit", "cwgnc"]
PARTS = ["block 0", "block 3", "block 6", "block 9", "block 11", "head"]


def scores(task: str, runs: list[RunRecord]) -> str:
    """One row a recipe: failed runs, scores, and the spread tested against devlin's."""
    by_recipe = {name: RecipeRuns(name, [r for r in runs if r.recipe == name]) for name in RECIPES}
    rows = []
    for name, recipe in by_recipe.items():
        s = recipe.summary
        tests = None if name == "devlin" else PairTests.of(recipe, by_recipe["devlin"])
        rows.append(
            [
                name,
                f"{s.failed}/{s.planned}",
                f"{s.mean:.3f} ± {s.std:.3f}",
                f"{s.min:.3f}",
                f"{s.max:.3f}",
                *(("", "") if tests is None else (_p(tests.levene_mean.p), _p(tests.levene_median.p))),
            ]
        )
    head = [task, "failed", "mean ± std", "min", "max", "Levene p, mean", "Levene p, median"]
    return tabulate(rows, head, tablefmt="github", disable_numparse=True)


def gradients(store: Store, runs: list[RunRecord]) -> str:
    """Median gradient norm by part of the model over training, of devlin's failed and successful runs."""
    groups = {o: [store.history(r.id) for r in runs if r.outcome is o] for o in (Outcome.FAILED, Outcome.OK)}
    steps = next(iter(groups[Outcome.FAILED])).probe_steps
    rows = []
    for place in range(0, len(steps), 4):
        row = [str(steps[place])]
        for part in PARTS:
            medians = [statistics.median(h.gradient_norms[part][place] or 0 for h in hs) for hs in groups.values()]
            row.append(" / ".join(f"{m:.2g}" for m in medians))
        rows.append(row)
    counts = " / ".join(f"{len(hs)} {outcome}" for outcome, hs in groups.items())
    return tabulate(rows, [f"step ({counts})", *PARTS], tablefmt="github", disable_numparse=True)


def _p(value: float | None) -> str:
    return "-" if value is None else f"{value:.1e}"


def main() -> None:
    """Print every table."""
    with Store(Path(sys.argv[1]), write=False) as store:
        runs = list(store.records())
        for task in sorted({r.task for r in runs}):
            of_task = [r for r in runs if r.task == task]
            print(scores(task, of_task), end="\n\n")
            devlin = [r for r in of_task if r.recipe == "devlin"]
            if len({r.outcome for r in devlin}) == 2:
                print(f"Gradient norms of devlin on {task}, median over runs, failed / ok:\n")
                print(gradients(store, devlin), end="\n\n")


if __name__ == "__main__":
    main()
