"""One bank of runs in every format: the same runs, and one verdict."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
from imported.written import METRIC, NOTHING_CRASHES, OF_PACKAGES, SEED_FROM, WRITERS, Bank

from stabbench.gate.baselines import Baseline
from stabbench.gate.baselines_file import load
from stabbench.gate.judge import Judgement, Pair, judge
from stabbench.gate.rules import Rules, Verdict
from stabbench.imported.choice import Choice
from stabbench.imported.formats import FORMATS, find
from stabbench.imported.runs import read_all
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Outcome

BASELINES = load(Path(__file__).parents[2] / "baselines.json")
STEADY = BASELINES["mosbach on lab/entailment, lab"]
SHAKY = BASELINES["devlin on lab/entailment, lab"]


@pytest.fixture(params=[*WRITERS, *OF_PACKAGES])
def written(request: pytest.FixtureRequest) -> str:
    if request.param in OF_PACKAGES:
        pytest.importorskip(OF_PACKAGES[request.param][0])
    return str(request.param)


def read(name: str, folder: Path, banks: dict[str, Bank], **choice: float | None) -> list[RecipeRuns]:
    write = WRITERS[name] if name in WRITERS else OF_PACKAGES[name][1]
    sources = []
    for label, bank in banks.items():
        (folder / label).mkdir(parents=True)
        sources.append((label, write(folder / label, bank)))
    return read_all(sources, Choice(metric=METRIC, seed_from=SEED_FROM.get(name), **choice))


def bank_of(baseline: Baseline) -> Bank:
    return {seed: math.nan if score is None else score for seed, score in baseline.scores.items()}


def judged(candidate: RecipeRuns, reference: RecipeRuns) -> Judgement:
    return judge({"new": Pair(candidate.sample, reference.sample)}, Rules())["new"]


@pytest.mark.parametrize(
    ("old", "new", "verdict"), [(STEADY, SHAKY, Verdict.FAIL), (SHAKY, STEADY, Verdict.PASS)], ids=["worse", "better"]
)
def test_one_bank_gives_one_verdict_in_every_format(
    written: str, old: Baseline, new: Baseline, verdict: Verdict, tmp_path: Path
) -> None:
    banks = {"old": bank_of(old), "new": bank_of(new)}
    reference, candidate = read(written, tmp_path, banks, constant_score=old.constant_score)
    found = judged(candidate, reference)
    expected = judge({"new": Pair(new.sample, old.sample)}, Rules())["new"]
    assert found.verdict is expected.verdict is verdict
    assert found.adjusted == pytest.approx(expected.adjusted, rel=1e-3)
    if written != "TensorBoard events":  # of 32 bits
        assert found == expected


def test_each_run_is_what_it_was(written: str, tmp_path: Path) -> None:
    bank = {3: 0.75, 4: 0.5, 11: math.nan, 7: 0.48, 1_000_000_007: 0.625, 5: None}
    (runs,) = read(written, tmp_path, {"bert": bank}, constant_score=0.5)
    assert runs.label == "bert"
    found = {r.seeds.seed: (r.score, r.outcome) for r in runs.records}
    expected = {
        3: (0.75, Outcome.OK),
        4: (0.5, Outcome.FAILED),
        5: (None, Outcome.MISSING),
        7: (0.48, Outcome.FAILED),
        11: (None, Outcome.FAILED),
        1_000_000_007: (0.625, Outcome.OK),
    }
    if written in NOTHING_CRASHES:
        del expected[5]
    assert found == expected
    assert list(found) == sorted(found)


def test_a_format_is_told_by_its_content(written: str, tmp_path: Path) -> None:
    write = WRITERS[written] if written in WRITERS else OF_PACKAGES[written][1]
    form, found = find(write(tmp_path, {0: 0.5, 1: 0.75}))
    assert {"JSON lines": "a table", "Parquet": "a table"}.get(written, written) == form.NAME
    assert len(found) == 2


def test_every_format_is_tried() -> None:
    assert {form.NAME for form in FORMATS} == {*WRITERS, *OF_PACKAGES} - {"JSON lines", "Parquet"}


def test_no_torch_is_loaded(tmp_path: Path) -> None:
    path = WRITERS["a table"](tmp_path, {0: 0.5, 1: 0.75})
    code = (
        "import sys; from pathlib import Path\n"
        "from stabbench.imported.choice import Choice; from stabbench.imported.runs import read_all\n"
        f"read_all([('', Path({str(path)!r}))], Choice())\n"
        "print(sorted({'torch', 'transformers', 'datasets', 'pyarrow', 'pandas', 'tensorboard'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
