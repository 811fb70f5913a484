"""The table of docs/gate.md: how often the gate alarms falsely, and how often it finds a planted regression.

    python scripts/gate_rates.py --store .stabbench

Samples are drawn from the banks of baselines.json (lab/entailment) and, for the regressions, from 30 runs of
each, which are trained if the store does not have them (about half an hour on two cores; then five minutes).
"""

from __future__ import annotations

from pathlib import Path

import click
from tabulate import tabulate

import stabbench
from stabbench.gate.baselines import select
from stabbench.gate.baselines_file import load
from stabbench.gate.calibration import Rates, against_baseline, same_against_same
from stabbench.gate.rules import Rules, Verdict
from stabbench.report.progress import shown_progress
from stabbench.statistics import Sample

TASK = "lab/entailment"
SEEDS = 20
WAVES = (5, 10, 15, 20)
CHANGED = {
    "bias correction off": "mosbach:bias_correction=false",
    "3 epochs": "mosbach:epochs=3",
    "learning rate 5 times": "mosbach:lr=1e-4",
    "learning rate 3 times": "mosbach:lr=6e-5",
    "nothing changed": "mosbach",
}
BANK = range(50, 80)  # none of the baseline's 0 to 49


@click.command(help=__doc__)
@click.option("--store", default=".stabbench", show_default=True)
@click.option("--trials", default=500, show_default=True)
@click.option("--seed", default=0, show_default=True, help="Of the draws.")
def main(store: str, trials: int, seed: int) -> None:  # noqa: D103  # click shows the module's
    cells = select(load(Path(__file__).parents[1] / "baselines.json"), task=TASK)
    banks = {cell.recipe: cell.sample for cell in cells}
    with shown_progress() as progress:
        done = stabbench.compare(
            list(CHANGED.values()), task=TASK, seeds=list(BANK), store=store, workers=None, progress=progress
        )
    changed = {what: runs.sample for what, runs in zip(CHANGED, done.recipes, strict=True)}
    rows = []
    for waves, design in (((), "fixed"), (WAVES, "sequential")):
        rates = same_against_same(banks, Rules(), candidate=SEEDS, waves=waves, trials=trials, seed=seed)
        rows.append([f"A/A, all {len(banks)} cells", design, *_shares(rates)])
        for name, cell in rates.cells.items():
            rows.append([f"A/A, {name} among them", design, *(f"{cell[v] / trials:.3f}" for v in _SHOWN), ""])
    unchanged, constant = changed["nothing changed"], cells[0].constant_score
    changed["1 run in 15 made to collapse"] = _with_collapsed(unchanged, 2, constant)
    changed["1 run in 6 made to collapse"] = _with_collapsed(unchanged, 5, constant)
    for what, sample in changed.items():
        for waves, design in (((), "fixed"), (WAVES, "sequential")):
            rates = _one_changed(sample, banks, waves, trials, seed)
            rows.append([f"mosbach, {what}", design, *_shares(rates)])
    columns = ["situation", "design", *map(str, _SHOWN), "mean seeds"]
    click.echo(tabulate(rows, columns, tablefmt="github", disable_numparse=True))


_SHOWN = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)


def _shares(rates: Rates) -> list[str]:
    return [*(f"{rates.rate(verdict):.3f}" for verdict in _SHOWN), f"{rates.seeds:.1f}"]


def _with_collapsed(sample: Sample, runs: int, constant: float) -> Sample:
    """The first so many runs end at the constant predictor's score instead."""
    return Sample((constant,) * runs + tuple(sample.scores[runs:]), (True,) * runs + tuple(sample.failed[runs:]))


def _one_changed(candidate: Sample, banks: dict[str, Sample], waves: tuple[int, ...], trials: int, seed: int) -> Rates:
    """Only the cell of mosbach is changed, but judged as one of the suite: with its share of alpha."""
    return against_baseline(
        {"mosbach": candidate},
        {"mosbach": banks["mosbach"]},
        Rules(),
        candidate=SEEDS,
        waves=waves,
        trials=trials,
        seed=seed,
        family_cells=len(banks),
    )


if __name__ == "__main__":
    main()
