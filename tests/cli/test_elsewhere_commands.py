"""`--from`: results measured elsewhere, compared, recorded and gated by the real commands."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from command import stabbench, unfolded
from imported.written import METRIC, trainer_folders, wandb_runs
from training_files import GOOD, training_file

from stabbench.cli.commands import commands
from stabbench.errors import StabbenchError

SCORES = Path(__file__).parents[2] / "examples" / "scores.csv"
STEADY, SHAKY = f"mosbach={SCORES}", f"devlin={SCORES}"
AT = ("--constant-score", "0.5")


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_recipes_of_one_file_are_compared(tmp_path: Path) -> None:
    done = stabbench("compare", "--from", SCORES, *AT, "--json", "out.json", "--csv", "out.csv", cwd=tmp_path)
    assert f"measured elsewhere: devlin, mosbach from {SCORES} (a table)" in done.stdout
    assert "task and model unknown: accuracy, best constant predictor 0.500" in done.stdout
    data = json.loads((tmp_path / "out.json").read_text())
    assert data["schema"] == "stabbench/comparison/1"
    assert data["recipes"]["devlin"]["planned"] == data["recipes"]["mosbach"]["planned"] == 25
    assert data["recipes"]["mosbach"]["failed"] == 0 < data["recipes"]["devlin"]["failed"]
    assert data["tests"]["mosbach vs devlin"]["failures"]["p_better"] < 0.001
    rows = table(tmp_path / "out.csv")
    assert len(rows) == 50
    assert [float(r["score"]) for r in rows[25:]] == data["recipes"]["mosbach"]["scores"]
    again = stabbench("compare", "--from", "out.csv", "--json", "again.json", cwd=tmp_path)
    assert without_source(again.stdout) == without_source(done.stdout)
    assert without_sources(tmp_path / "again.json") == without_sources(tmp_path / "out.json")


def without_source(shown: str) -> str:
    return re.sub(r"(?m)^measured elsewhere: .*\n|^\d+ of \d+ runs from the store.*\n", "", shown)


def without_sources(file: Path) -> object:
    """What a comparison's JSON says of the results themselves, not of how they were trained."""
    data = json.loads(file.read_text())
    ours = ("planned", "failed", "scores", "seeds", "streams", "outcomes", "mean", "std", "min", "max")
    recipes = {label: {key: runs[key] for key in ours} for label, runs in data["recipes"].items()}
    return {key: data[key] for key in ("task", "model", "metric", "constant_score", "tests")} | {"recipes": recipes}


@pytest.mark.parametrize("lower", [False, True])
def test_what_csv_writes_is_read_again_as_it_was(lower: bool, tmp_path: Path) -> None:
    """Of training code, one of whose runs has no finite score; of a loss, too."""
    script = GOOD + "if seed == 2:\n    (output / 'result.json').write_text('{\"accuracy\": NaN, \"loss\": NaN}')\n"
    key = "loss" if lower else "accuracy"
    for name in ("old", "new"):
        more = {"lower_is_better": True} if lower else {}
        training_file(tmp_path, script, name=name, score=f"{{output}}/result.json:{key}", **more)
    trained = stabbench(
        "compare", "old.toml", "new.toml", "--seeds", "5", "--csv", "a.csv", "--json", "a.json", cwd=tmp_path
    )
    read = stabbench("compare", "--from", "a.csv", "--csv", "b.csv", "--json", "b.json", cwd=tmp_path)
    assert without_sources(tmp_path / "b.json") == without_sources(tmp_path / "a.json")
    causes = r"(?m)^(?:(?:old|new): \d.*\n(?:  .*\n)*)+\n"  # of what the runs kept
    assert re.sub(causes, "", without_source(trained.stdout)) == without_source(read.stdout)
    assert f"training code: {'neg_' if lower else ''}{key}, best constant" in read.stdout
    again = stabbench("compare", "--from", "b.csv", "--json", "c.json", cwd=tmp_path)
    assert without_source(again.stdout) == without_source(read.stdout)
    assert without_sources(tmp_path / "c.json") == without_sources(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("reference", "candidate", "exit_code", "verdict"), [(SHAKY, STEADY, 0, "PASS"), (STEADY, SHAKY, 1, "FAIL")]
)
def test_a_verdict_and_its_exit_code(
    reference: str, candidate: str, exit_code: int, verdict: str, tmp_path: Path
) -> None:
    sources = ("--from", reference, "--from", candidate)
    done = stabbench("compare", *sources, *AT, "--check", cwd=tmp_path, expect=exit_code)
    assert f"\n{verdict} " in done.stdout


def test_too_few_seeds_are_inconclusive(tmp_path: Path) -> None:
    for name, scores in (("old", "0.7 0.71 0.72"), ("new", "0.7 0.72 0.71")):
        lines = "".join(f"{seed},{score}\n" for seed, score in enumerate(scores.split()))
        (tmp_path / f"{name}.csv").write_text(f"seed,score\n{lines}")
    files = ("--from", "old.csv", "--from", "new.csv")
    stabbench("compare", *files, *AT, "--check", cwd=tmp_path, expect=2)
    said = stabbench("compare", *files, "--check", cwd=tmp_path, expect=3).stderr
    assert "nobody knows which runs of old failed" in said
    done = stabbench("compare", *files, "--json", "out.json", cwd=tmp_path)
    assert "unknown" in done.stdout
    assert "--constant-score" in done.stdout
    data = json.loads((tmp_path / "out.json").read_text())
    assert data["constant_score"] is None
    assert data["recipes"]["old"]["failed"] is None
    assert data["tests"]["new vs old"]["failures"]["p_worse"] is None


def test_a_folder_of_outputs_against_an_export(tmp_path: Path) -> None:
    """Another tool each: the runs before are Trainer's folders, those after a W&B export."""
    bank = {seed: 0.7 + seed % 7 / 100 for seed in range(20)}
    (tmp_path / "runs").mkdir()
    trainer_folders(tmp_path / "runs", bank)
    wandb_runs(tmp_path, {seed + 100: score for seed, score in bank.items()})
    sources = ("--from", "old=runs", "--from", "new=wandb_export.csv", "--metric", METRIC)
    done = stabbench("compare", *sources, *AT, "--check", cwd=tmp_path)
    assert "old from runs (Trainer folders); new from wandb_export.csv (a W&B runs table)" in unfolded(done.stdout)


def test_crashed_runs_are_missing(tmp_path: Path) -> None:
    wandb_runs(tmp_path, {0: 0.7, 1: None, 2: 0.8})
    said = stabbench(
        "compare", "--from", "wandb_export.csv", "--from", STEADY, "--metric", METRIC, cwd=tmp_path, expect=3
    )
    assert "has no metric" in said.stderr
    file = tmp_path / "more.csv"
    file.write_text(f"seed,{METRIC}\n0,0.7\n1,0.8\n")
    said = stabbench(
        "compare", "--from", "wandb_export.csv", "--from", file, "--metric", METRIC, cwd=tmp_path, expect=3
    )
    assert "1 of 5 runs are missing (wandb_export, seed 1: its state in W&B is crashed)" in said.stderr


def test_a_baseline_and_a_gate(tmp_path: Path) -> None:
    done = stabbench("baseline", "record", "--from", STEADY, *AT, cwd=tmp_path)
    assert "mosbach" in done.stdout
    said = stabbench("baseline", "record", "--from", STEADY, *AT, cwd=tmp_path, expect=3)
    assert "already" in said.stderr
    assert "mosbach" in stabbench("baseline", "show", "--verbose", cwd=tmp_path).stdout
    stabbench("baseline", "verify", "--trials", "20", cwd=tmp_path)
    new = f"mosbach={SCORES.with_name('new_scores.csv')}"
    gate = stabbench("gate", "--from", new, *AT, "--json", "gate.json", "--csv", "gate.csv", cwd=tmp_path)
    assert "verdict: PASS" in gate.stdout
    assert "the baseline's own" not in unfolded(gate.stdout)
    data = json.loads((tmp_path / "gate.json").read_text())
    assert (data["schema"], data["verdict"]) == ("stabbench/gate/1", "PASS")
    assert len(table(tmp_path / "gate.csv")) == 25
    worse = tmp_path / "worse.csv"
    shaky = [line.split(",") for line in SCORES.read_text().splitlines() if line.startswith("devlin")]
    worse.write_text("seed,accuracy\n" + "".join(f"{100 + int(seed)},{score}\n" for _, seed, score in shaky))
    stabbench("gate", "--from", f"mosbach={worse}", *AT, cwd=tmp_path, expect=1)
    other = stabbench("gate", "--from", f"mosbach={worse}", "--constant-score", "0.4", cwd=tmp_path, expect=3)
    assert "INCOMPARABLE" in other.stdout
    assert "constant_score: 0.5 → 0.4" in unfolded(other.stdout)
    said = stabbench("gate", "--from", f"mosbahc={worse}", *AT, cwd=tmp_path, expect=3)
    assert "did you mean 'mosbach'" in said.stderr
    without = stabbench("gate", cwd=tmp_path, expect=3)
    assert "measured elsewhere" in unfolded(without.stdout)
    assert "--from" in without.stdout
    said = stabbench("baseline", "update", cwd=tmp_path, expect=3)
    assert "--from" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", "devlin", "--from", SCORES], "one of the two"),
        (["compare", "--from", SCORES, "--seeds", "3"], "--seeds has no effect with --from"),
        (["compare", "devlin", "mosbach", "--metric", "f1"], "--metric has no effect without --from"),
        (["compare", "--from", f"mosbach={SCORES}"], "two recipes or more"),
        (["compare"], "two recipes or more"),
        (["compare", "--from", f"={SCORES}"], "no name before the equals sign"),
        (["compare", "--from", "old="], "the path is empty"),
        (["compare", "--from", "nowhere.csv"], "there is no file or folder nowhere.csv"),
        (["gate", "mosbach", "--from", SCORES], "one of the two"),
        (["gate", "--from", SCORES, "--sequential"], "--sequential has no effect"),
        (["baseline", "record"], "RECIPE"),
        (["compare", "--from", SCORES, "--constant-score", "nan"], "constant score"),
        (["compare", "--from", SCORES, "--csv", SCORES], "written over"),
    ],
)
def test_what_is_refused(
    arguments: list[str | Path], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((click.ClickException, StabbenchError), match=re.escape(said)):
        commands.main([str(argument) for argument in arguments], standalone_mode=False)
    assert not list(tmp_path.iterdir())


def test_a_loss_is_better_when_it_is_lower(tmp_path: Path) -> None:
    for name, low in (("old", 0.4), ("new", 0.2)):
        lines = "".join(f"{seed},{low + seed % 5 / 100}\n" for seed in range(20))
        (tmp_path / f"{name}.csv").write_text(f"seed,loss\n{lines}")
    files = ("--from", "old.csv", "--from", "new.csv", "--lower-is-better", "--constant-score", "0.693")
    done = stabbench("compare", *files, "--check", "--json", "out.json", cwd=tmp_path)
    data = json.loads((tmp_path / "out.json").read_text())
    assert (data["metric"], data["constant_score"]) == ("neg_loss", -0.693)
    assert data["recipes"]["new"]["mean"] == pytest.approx(-0.22)
    assert data["tests"]["new vs old"]["mean"]["p_better"] < 0.001
    assert "neg_loss" in done.stdout


def test_no_torch_and_nothing_stored(tmp_path: Path) -> None:
    code = (
        "import sys; from stabbench.cli.commands import commands\n"
        f"commands.main(['compare', '--from', {str(SCORES)!r}, '--constant-score', '0.5'], standalone_mode=False)\n"
        "print(sorted({'torch', 'transformers', 'datasets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "[]"
    assert not list(tmp_path.iterdir())


def test_runs_of_our_own_as_csv(tmp_path: Path) -> None:
    stabbench("run", "devlin", "--seeds", "2", "--max-steps", "2", "--csv", "runs.csv", cwd=tmp_path)
    rows = table(tmp_path / "runs.csv")
    assert [(r["recipe"], r["seed"], r["steps"], r["metric"]) for r in rows] == [
        ("devlin", "0", "2", "accuracy"), ("devlin", "1", "2", "accuracy"),
    ]  # fmt: skip
