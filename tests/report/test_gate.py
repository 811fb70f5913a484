"""A gate's text fits a terminal, for cells of this project's own baselines."""

import dataclasses
import re
from itertools import islice
from pathlib import Path

import pytest

from stabbench.gate.baselines import Baseline
from stabbench.gate.baselines_file import load
from stabbench.gate.compatibility import Differences
from stabbench.gate.gate import CellResult, GateResult
from stabbench.gate.judge import Judgement, Pair, judge
from stabbench.gate.rules import Rules, Verdict
from stabbench.recipes import recipe_names
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Fingerprint, Outcome, RunRecord
from stabbench.records.seeds import Seeds
from stabbench.report.gate import gate_markdown, gate_text
from stabbench.report.judgement import verdicts_text

COLUMNS = 80
CELLS = load(Path(__file__).parents[2] / "baselines.json")
# Runs, and how much lower their scores are than the baseline's.
CANDIDATES = {"the same": (20, 0.0), "too few": (3, 0.0), "worse": (20, 0.3), "one": (1, 0.0)}
CHANGED = Differences((), ("lr: 2e-05 → 1.0", "its code"), ("torch: 2.13.0+cpu → 2.14.0+cpu, transformers: 5.1 → 5.2",))


def runs(cell: Baseline, count: int, lower: float) -> RecipeRuns:
    made = Fingerprint(dict(cell.experiment), dict(cell.environment))
    return RecipeRuns(
        cell.recipe,
        [
            RunRecord(
                id="", recipe=cell.recipe, task=cell.task, model=cell.model, revision=None, seeds=Seeds.of(seed),
                outcome=Outcome.FAILED if seed in cell.failed else Outcome.OK, reason="", metric=cell.metric,
                score=None if score is None else score - lower, constant_score=cell.constant_score, final_loss=0.1,
                steps=1, stack=1, seconds=1.0, finished=cell.recorded, fingerprint=made,
            )
            for seed, score in islice(cell.scores.items(), count)
        ],
    )  # fmt: skip


def judged(cells: list[Baseline], count: int, lower: float) -> tuple[dict[str, RecipeRuns], dict[str, Judgement]]:
    new = {cell.name: runs(cell, count, lower) for cell in cells}
    return new, judge({c.name: Pair(new[c.name].sample, c.sample) for c in cells}, Rules(max_std=0.1, max_failed=3))


def gated(cells: list[Baseline], count: int, lower: float) -> GateResult:
    new, verdicts = judged(cells, count, lower)
    return GateResult(
        [
            CellResult(c, verdicts[c.name].verdict, "", new[c.name], verdicts[c.name], CHANGED, 3)
            for c in cells
        ],
        Rules(max_std=0.1, max_failed=3),
    )  # fmt: skip


def wide(text: str) -> list[str]:
    return [line for line in text.splitlines() if len(line) > COLUMNS]


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_every_line_of_a_gate_fits(candidate: str) -> None:
    cells = list(CELLS.values())[::3]
    text = gate_text(gated(cells, *CANDIDATES[candidate]))
    assert not wide(text)
    unfolded = re.sub(r"\n +", " ", text)
    for cell in cells:
        assert cell.name in unfolded, "nothing is cut"


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_every_line_of_a_check_fits(candidate: str) -> None:
    cells = [c for c in CELLS.values() if c.task == "lab/entailment"]
    _, verdicts = judged(cells, *CANDIDATES[candidate])
    assert not wide(verdicts_text({cell.recipe: verdicts[cell.name] for cell in cells}, "bias-correction"))


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_the_longest_name_of_a_recipe_fits(candidate: str) -> None:
    longest = max(recipe_names(), key=len)
    cell = dataclasses.replace(CELLS["mosbach on lab/entailment, lab"], recipe=longest)
    assert not wide(gate_text(gated([cell], *CANDIDATES[candidate])))


HOSTILE = "a|b <b>x</b> </details> `c`\n# head\n```\n::error::d ##[error]e [f](http://g) \x1b[2J\u202e"


def test_no_name_has_an_effect_on_a_page() -> None:
    cells = [
        dataclasses.replace(cell, recipe=f"{HOSTILE}{number}", task=HOSTILE, model=HOSTILE)
        for number, cell in enumerate(list(CELLS.values())[:2])
    ]
    result = gated(cells, 20, 0.0)
    changed = Differences((), (HOSTILE,), (HOSTILE,))
    named = [dataclasses.replace(c, differences=changed, error=HOSTILE) for c in result.cells]
    page = gate_markdown(GateResult(named, result.rules))
    assert "f\\](http://g)" in page, "it is shown"
    assert page.count("</details>") == page.count("<details>") == 1
    assert not re.search(r"(?<!\\)`|<b>|##\w*\[|[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", page)
    for line in page.splitlines():
        assert not line.lstrip().startswith("::")
        assert not line.startswith("#") or line == page.splitlines()[0]
    for rows in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        pipes = {len(re.findall(r"(?<!\\)\|", row)) for row in rows.splitlines()}
        assert len(pipes) == 1, "no column but the table's own"


def test_what_cannot_be_broken_is_not_cut() -> None:
    """A path, or a recipe of many parameters."""
    cell = next(iter(CELLS.values()))
    path = "/".join(["folder"] * 20)
    text = gate_text(GateResult([CellResult(cell, Verdict.ERROR, f"model {path}: no such folder")], Rules()))
    assert path in text
    assert text.splitlines()[-1] == "verdict: ERROR"
