"""`stabbench baseline`, `gate` and `compare --check` as users give them: real trainings of a few steps."""

import dataclasses
import functools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import COMMAND, unfolded, without_origin
from command import stabbench as run_stabbench

from stabbench.gate.baselines import Baseline
from stabbench.gate.baselines_file import load, save

stabbench = functools.partial(run_stabbench, timeout=600)
# Six steps of training.
TINY = "devlin:epochs=0.1"
CELL = f"{TINY} on lab/entailment, lab"
BANK = 8
# So wide that unchanged runs pass with few seeds: these tests are of the command, not of the statistics.
WIDE = ["--rate-margin", "1", "--spread-margin", "99", "--mean-margin", "1", "--rate-floor", "1", "--mean-floor", "1",
        "--spread-floor", "99"]  # fmt: skip


def strict_json(path: Path) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    data: dict[str, Any] = json.loads(path.read_text(), parse_constant=refuse)
    return data


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a baseline of TINY, and a store that also holds the runs of a first gate."""
    folder = tmp_path_factory.mktemp("recorded")
    done = stabbench("baseline", "record", TINY, "--seeds", str(BANK), "--workers", "1", cwd=folder)
    assert f"{BANK} to train" in done.stderr
    gated = stabbench("gate", "--seeds", "8", *WIDE, "--workers", "1", cwd=folder)
    assert "0 runs are stored, 8 to train" in gated.stderr, "fresh seeds, not the baseline's"
    return folder


@pytest.fixture
def folder(recorded: Path, tmp_path: Path) -> Path:
    """A copy of it to play with."""
    return Path(shutil.copytree(recorded, tmp_path / "copy"))


def rewrite(folder: Path, change: Callable[[Baseline], Baseline]) -> None:
    """Change the only cell as the library would write it: the checksum is right."""
    path = folder / "baselines.json"
    save(path, [change(cell) for cell in load(path).values()])


def of_older_torch(cell: Baseline) -> Baseline:
    return dataclasses.replace(cell, environment={**cell.environment, "torch": "2.0.1"})


# From nothing to a verdict


def test_a_gate_without_a_baselines_file_says_how_to_make_one(tmp_path: Path) -> None:
    for command in (["gate"], ["baseline", "show"], ["baseline", "verify"], ["baseline", "update"]):
        done = stabbench(*command, "--baselines", "mine.json", cwd=tmp_path, expect=3)
        assert "no baselines file mine.json" in done.stderr
        assert "stabbench baseline record" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_recorded_baseline_is_shown_with_what_it_was_made_of(folder: Path) -> None:
    table = stabbench("baseline", "show", cwd=folder).stdout
    (line,) = [line for line in table.splitlines() if line.startswith(TINY)]
    assert line.split()[1:4] == ["lab/entailment", "lab", str(BANK)]
    cell = load(folder / "baselines.json")[CELL]
    assert cell.recorded in line
    long = stabbench("baseline", "show", TINY, "--task", "lab/entailment", "--verbose", cwd=folder).stdout
    assert long.startswith(table)
    assert CELL in long
    for made_of in (f"data {cell.experiment['data']}", f"torch {cell.environment['torch']}", "'epochs': 0.1"):
        assert made_of in long
    unknown = stabbench("baseline", "show", "devlin", cwd=folder, expect=3)
    assert f"unknown baseline of recipe 'devlin': did you mean '{TINY}'" in unknown.stderr


def test_a_cell_is_recorded_once(folder: Path) -> None:
    before = (folder / "baselines.json").read_bytes()
    done = stabbench("baseline", "record", "mosbach", TINY, cwd=folder, expect=3)
    assert f"baselines.json has {CELL} already" in done.stderr
    assert "stabbench baseline update" in done.stderr
    assert "to train" not in done.stderr
    assert (folder / "baselines.json").read_bytes() == before


def test_another_cell_is_added_to_the_file_and_gated_alone_or_with_the_first(folder: Path) -> None:
    cut = ["--task", "lab/paraphrase", "--max-steps", "2", "--workers", "1"]
    stabbench("baseline", "record", "bias-correction", *cut, "--seeds", "3,7,11", cwd=folder)
    assert len(load(folder / "baselines.json")) == 2
    few = ["--seeds", "3", "--workers", "1"]
    alone = stabbench("gate", "--task", "lab/paraphrase", *few, "--json", "one.json", cwd=folder, expect=2)
    assert "3 to train (6 steps)" in alone.stderr, "cut short as its baseline"
    cut = "bias-correction on lab/paraphrase, lab: cut to 2 steps of 189 by --max-steps"
    assert alone.stdout.startswith(f"0 of 3 runs from the store\n{cut}\n")
    (shown,) = stabbench("baseline", "show", "--task", "lab/paraphrase", cwd=folder).stdout.splitlines()[2:]
    assert shown.endswith("2 steps")
    (cell,) = strict_json(folder / "one.json")["cells"]
    assert (cell["recipe"], cell["candidate"]["seeds"]) == ("bias-correction", [0, 1, 2])
    assert cell["candidate"]["max_steps"] == cell["baseline"]["max_steps"] == 2
    assert cell["candidate"]["experiment"] == cell["baseline"]["experiment"]
    assert cell["candidate"]["from_store"] == [False] * 3
    both = stabbench("gate", *few, "--json", "both.json", cwd=folder, expect=2)
    assert "to train" not in both.stderr
    cells = strict_json(folder / "both.json")["cells"]
    assert [c["recipe"] for c in cells] == [TINY, "bias-correction"]
    assert [c["judgement"]["family"] for c in cells] == [6, 6], "all tests of the gate are one family"


def test_verify_says_that_the_file_is_whole_and_how_often_it_would_alarm(folder: Path) -> None:
    done = stabbench("baseline", "verify", "--trials", "50", cwd=folder)
    assert "baselines.json is whole" in done.stdout
    assert re.search(r"False alarms of the whole gate: 0\.\d{3} of 50 splits \(alpha 0\.05\)", done.stdout)
    assert stabbench("baseline", "verify", "--trials", "50", cwd=folder).stdout == done.stdout
    path = folder / "baselines.json"
    path.write_text(re.sub(r'"3": 0\.\d+', '"3": 0.987', path.read_text()))
    for command in (["baseline", "verify"], ["gate"], ["baseline", "update"], ["baseline", "show"]):
        edited = stabbench(*command, cwd=folder, expect=3)
        assert f"the cell '{CELL}' was edited by hand" in edited.stderr
    path.write_bytes(path.read_bytes()[:-60])
    assert "truncated" in stabbench("baseline", "verify", cwd=folder, expect=3).stderr


def test_verify_finds_runs_that_are_not_of_one_kind(folder: Path) -> None:
    """A cell whose file came from elsewhere: with a limit that every half breaks, every split is a false alarm."""
    done = stabbench("baseline", "verify", "--trials", "20", "--max-std", "0", cwd=folder, expect=3)
    assert "1.000 of 20 splits" in done.stdout
    assert "more than alpha allows" in done.stderr


def test_few_seeds_are_inconclusive_and_more_are_asked_for(folder: Path) -> None:
    margins = ["--rate-margin", "0.5", "--spread-margin", "9", "--mean-margin", "0.4"]
    done = stabbench("gate", "--seeds", "3", *margins, "--json", "out.json", cwd=folder, expect=2)
    assert f"INCONCLUSIVE {CELL}" in done.stdout
    assert "too few runs to show harm or non-inferiority (3 runs)" in unfolded(done.stdout)
    assert re.search(r"about \d+ more seeds would decide", done.stdout)
    assert "to train" not in done.stderr, "they are the first of the eight"
    data = strict_json(folder / "out.json")
    assert (data["verdict"], data["exit_code"]) == ("INCONCLUSIVE", 2)
    (cell,) = data["cells"]
    assert cell["candidate"]["seeds"] == [8, 9, 10]
    assert cell["judgement"]["more_seeds"] > 0
    assert set(cell["judgement"]["checks"]) == {"failed runs", "spread", "mean"}


def test_a_single_seed_has_no_spread_and_the_json_no_nan(folder: Path) -> None:
    stabbench("gate", "--seeds", "1", "--json", "out.json", "--markdown", "out.md", cwd=folder, expect=2)
    (cell,) = strict_json(folder / "out.json")["cells"]
    assert cell["candidate"]["planned"] == 1
    assert cell["judgement"]["checks"]["spread"]["p_worse"] is None
    assert "nan" not in (folder / "out.md").read_text().lower()


def test_a_passed_gate_ends_with_0_and_the_same_words_every_time(folder: Path) -> None:
    first = stabbench("gate", "--seeds", "8", *WIDE, cwd=folder)
    assert first.stdout.endswith("verdict: PASS\n")
    assert f"PASS         {CELL}: non-inferior to the baseline" in unfolded(first.stdout)
    day = load(folder / "baselines.json")[CELL].recorded
    assert f"\n8 of 8 runs from the store, trained {day}" in f"\n{first.stdout}"
    again = stabbench("gate", TINY, "--seeds", "8", *WIDE, cwd=folder)
    assert again.stdout == first.stdout
    assert "to train" not in again.stderr


def test_nothing_heavy_is_loaded_where_every_run_is_stored(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "stabbench", "gate", "--seeds", "8", *WIDE],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert "scipy" in loaded
    assert not loaded & {"torch", "transformers", "datasets"}


def test_a_broken_limit_fails(folder: Path) -> None:
    done = stabbench("gate", "--seeds", "3", "--max-std", "0", "--json", "out.json", cwd=folder, expect=1)
    assert "the limit is 0" in done.stdout
    assert strict_json(folder / "out.json")["verdict"] == "FAIL"


def test_a_sequential_gate_stops_where_it_is_decided(folder: Path) -> None:
    done = stabbench("gate", "--seeds", "8", "--sequential", *WIDE, "--json", "out.json", cwd=folder)
    (cell,) = strict_json(folder / "out.json")["cells"]
    assert cell["saved_runs"] > 0
    assert cell["candidate"]["planned"] == 8 - cell["saved_runs"]
    assert f"decided early: {cell['saved_runs']} runs saved" in done.stdout


def test_the_baselines_own_seeds_can_be_asked_for_and_are_remarked_on(folder: Path) -> None:
    done = stabbench("gate", "--seeds", "0,1,8", *WIDE, "--json", "out.json", cwd=folder)
    assert "2 of its seeds are the baseline's own" in done.stdout
    (cell,) = strict_json(folder / "out.json")["cells"]
    assert cell["candidate"]["seeds"] == [0, 1, 8]
    assert cell["notes"]


def test_markdown_is_appended_never_replaced(folder: Path) -> None:
    summary = folder / "summary.md"
    summary.write_text("# What another step wrote\n")
    stabbench("gate", "--seeds", "3", "--markdown", "summary.md", cwd=folder, expect=2)
    once = summary.read_text()
    assert once.startswith("# What another step wrote\n## ")
    assert "| recipe " in once
    assert "INCONCLUSIVE" in once
    assert once.count("<details>") == once.count("</details>") == 1
    stabbench("gate", "--seeds", "8", *WIDE, "--markdown", "summary.md", cwd=folder)
    twice = summary.read_text()
    assert twice.startswith(once)
    assert twice[len(once) :].startswith("## ✅ Fine-tuning stability: PASS")
    assert twice.endswith("\n")


# What may differ from the baseline


def test_other_data_are_incomparable_and_nothing_is_trained(folder: Path) -> None:
    now = load(folder / "baselines.json")[CELL].experiment["data"]
    rewrite(folder, lambda c: dataclasses.replace(c, experiment={**c.experiment, "data": "of last year"}))
    done = stabbench("gate", "--seeds", "9", "--json", "out.json", "--markdown", "out.md", cwd=folder, expect=3)
    for said in (unfolded(done.stdout), (folder / "out.md").read_text()):
        assert "INCOMPARABLE" in said
        assert f"data: of last year → {now}" in said
    assert "to train" not in done.stderr
    (cell,) = strict_json(folder / "out.json")["cells"]
    assert cell["changed"]["refused"] == [f"data: of last year → {now}"]
    assert cell["candidate"] is None
    assert cell["judgement"] is None


def test_another_environment_is_printed_and_gated_unless_it_must_be_the_same(folder: Path) -> None:
    torch = load(folder / "baselines.json")[CELL].environment["torch"]
    rewrite(folder, of_older_torch)
    done = stabbench("gate", "--seeds", "8", *WIDE, cwd=folder)
    assert f"environment: torch: 2.0.1 → {torch}" in done.stdout
    assert done.stdout.endswith("verdict: PASS\n")
    refused = stabbench("gate", "--seeds", "8", *WIDE, "--environment", "same", cwd=folder, expect=3)
    assert f"not comparable with the baseline: torch: 2.0.1 → {torch}" in unfolded(refused.stdout)


def test_another_kind_of_device_is_refused_unless_anything_goes(folder: Path) -> None:
    rewrite(folder, lambda c: dataclasses.replace(c, environment={**c.environment, "device": "cuda"}))
    arguments = ["gate", "--seeds", "8", *WIDE, "--device", "cpu"]
    refused = stabbench(*arguments, cwd=folder, expect=3)
    assert "INCOMPARABLE" in refused.stdout
    assert "device: cuda → cpu" in refused.stdout
    taken = stabbench(*arguments, "--environment", "any", cwd=folder)
    assert "environment: device: cuda → cpu" in taken.stdout


def test_a_changed_recipe_is_what_is_tested(folder: Path) -> None:
    parameters = {**load(folder / "baselines.json")[CELL].experiment["parameters"], "lr": 3e-5}
    rewrite(folder, lambda c: dataclasses.replace(c, experiment={**c.experiment, "parameters": parameters}))
    done = stabbench("gate", "--seeds", "8", *WIDE, cwd=folder)
    assert "recipe changed: lr: 3e-05 → 2e-05" in done.stdout


def test_an_unknown_recipe_is_an_error_of_its_own_cell(folder: Path) -> None:
    path = folder / "baselines.json"
    (cell,) = load(path).values()
    save(path, [cell, dataclasses.replace(cell, recipe="colleagues-recipe")])
    done = stabbench("gate", "--seeds", "8", *WIDE, "--json", "out.json", cwd=folder, expect=3)
    assert "ERROR        colleagues-recipe on lab/entailment, lab: unknown recipe 'colleagues-recipe'" in unfolded(
        done.stdout
    )
    assert f"PASS         {CELL}" in done.stdout
    assert done.stdout.endswith("verdict: ERROR\n")
    verdicts = {c["recipe"]: c["verdict"] for c in strict_json(folder / "out.json")["cells"]}
    assert verdicts == {TINY: "PASS", "colleagues-recipe": "ERROR"}
    assert stabbench("gate", TINY, "--seeds", "8", *WIDE, cwd=folder).stdout.endswith("verdict: PASS\n")
    # A regression that is known is not hidden by the error.
    stabbench("gate", "--seeds", "8", "--max-std", "0", cwd=folder, expect=1)


def test_a_recipe_that_breaks_while_it_trains_is_an_error_of_its_own_cell(folder: Path) -> None:
    (folder / "mine.py").write_text(
        "from stabbench import Recipe\n"
        'class Mine(Recipe):\n    """Mine."""\n    name = "mine"\n    epochs = 0.1\n    lr = 1e-5\n'
    )
    plugin = ["--plugin", "mine.py", "--workers", "1"]
    stabbench("baseline", "record", "mine", "--seeds", str(BANK), *plugin, cwd=folder)
    with (folder / "mine.py").open("a") as file:
        file.write("    def gradient_scales(self, norms):\n        return 1 / 0\n")
    done = stabbench("gate", "--seeds", "8", *WIDE, *plugin, "--json", "out.json", cwd=folder, expect=3)
    assert "ERROR        mine on lab/entailment, lab: 8 of 8 runs are missing: ZeroDivisionError" in unfolded(
        done.stdout
    )
    assert f"PASS         {CELL}" in done.stdout
    verdicts = {c["recipe"]: c["verdict"] for c in strict_json(folder / "out.json")["cells"]}
    assert verdicts == {TINY: "PASS", "mine": "ERROR"}


# Updating


def test_an_update_without_a_change_says_so(folder: Path) -> None:
    before = (folder / "baselines.json").read_bytes()
    done = stabbench("baseline", "update", cwd=folder)
    assert done.stdout == f"{CELL}: unchanged\n"
    assert "to train" not in done.stderr
    assert f"{BANK} of {BANK} runs from the store, trained " in done.stderr
    assert (folder / "baselines.json").read_bytes() == before


def test_more_seeds_are_an_update_without_a_reason(folder: Path) -> None:
    done = stabbench("baseline", "update", TINY, "--seeds", str(BANK + 8), cwd=folder)
    assert f"{CELL}: updated" in done.stdout
    assert "to train" not in done.stderr, "the gate made these runs"
    assert list(load(folder / "baselines.json")[CELL].scores) == list(range(BANK + 8))
    listed = stabbench("baseline", "update", "--seeds", "3,7", cwd=folder, expect=3)
    assert "takes a number" in listed.stderr


def test_a_looser_baseline_takes_a_reason_which_stays(folder: Path) -> None:
    def better(cell: Baseline) -> Baseline:
        return dataclasses.replace(of_older_torch(cell), scores=dict.fromkeys(cell.scores, 0.9), failed={})

    rewrite(folder, better)
    before = (folder / "baselines.json").read_bytes()
    refused = stabbench("baseline", "update", cwd=folder, expect=3)
    assert f"the new baseline of {CELL} is looser: " in refused.stderr
    assert "std 0.0000 → 0." in refused.stderr
    assert "mean 0.9000 → 0." in refused.stderr
    assert "--loosen" in refused.stderr
    assert f"not updated: {CELL}" in refused.stderr
    assert (folder / "baselines.json").read_bytes() == before
    stabbench("baseline", "update", "--loosen", "torch changed its kernels", cwd=folder)
    shown = stabbench("baseline", "show", "--verbose", cwd=folder).stdout
    assert re.search(r"loosened \d{4}-\d\d-\d\d: torch changed its kernels \(before: .* 0\.9", shown)


# compare --check


def test_check_gives_a_verdict_and_its_exit_code(tmp_path: Path) -> None:
    arguments = ["compare", TINY, "devlin:epochs=0.1,lr=1e-5", "--seeds", "6", "--workers", "1"]
    plain = stabbench(*arguments, cwd=tmp_path)
    unsure = stabbench(*arguments, "--check", "--json", "out.json", cwd=tmp_path, expect=2)
    assert without_origin(unsure.stdout).startswith(without_origin(plain.stdout).rstrip("\n")), (
        "the tables, and the verdict after them"
    )
    assert f"INCONCLUSIVE devlin:lr=1e-5,epochs=0.1 against {TINY}" in unsure.stdout
    assert "verdicts" in strict_json(tmp_path / "out.json")
    assert strict_json(tmp_path / "out.json")["verdicts"]["devlin:lr=1e-5,epochs=0.1"]["verdict"] == "INCONCLUSIVE"
    good = stabbench(*arguments, "--check", *WIDE, cwd=tmp_path)
    assert f"PASS devlin:lr=1e-5,epochs=0.1 against {TINY}" in good.stdout
    bad = stabbench(*arguments, "--check", "--max-std", "0", cwd=tmp_path, expect=1)
    assert f"FAIL devlin:lr=1e-5,epochs=0.1 against {TINY}" in bad.stdout
    assert "verdict" not in plain.stdout.lower()
    assert not any("to train" in done.stderr for done in (unsure, good, bad))


# Several commands, and their deaths


def test_two_comparisons_at_once_train_every_seed_once(tmp_path: Path) -> None:
    arguments = ["compare", "devlin:epochs=0.5", "devlin:epochs=0.5,lr=1e-5", "--seeds", "4"]
    both = [
        subprocess.Popen(
            [*COMMAND, *arguments, "--stack", "1", "--workers", "1"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=600) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert without_origin(said[0][0]) == without_origin(said[1][0])
    errors = [errors for _, errors in said]
    assert sum("note: another process trains the same: waiting for it" in e for e in errors) == 1
    assert re.findall(r"(\d+) to train", "".join(errors)) == ["8"]
    trained = re.findall(r"\d/8 runs, \d+ s: (\S+, seed \d)", "".join(errors))
    assert len(trained) == len(set(trained)) == 8
    assert len(stabbench("list", "runs", cwd=tmp_path).stdout.splitlines()) == 8


def test_a_gate_that_is_killed_goes_on_where_it_was_and_judges_the_same(tmp_path: Path) -> None:
    stabbench("baseline", "record", "devlin:epochs=0.3", "--seeds", "4", "--workers", "1", cwd=tmp_path)
    arguments = ["gate", "--seeds", "8", *WIDE, "--stack", "1", "--workers", "2", "--json", "out.json"]
    killed = subprocess.Popen([*COMMAND, *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert killed.stderr is not None
    for line in killed.stderr:
        if "2/8 runs" in line:
            break
    killed.kill()  # SIGKILL
    killed.communicate()
    assert not (tmp_path / "out.json").exists()
    runs = len(stabbench("list", "runs", cwd=tmp_path).stdout.splitlines())
    assert 6 <= runs < 12
    resumed = stabbench(*arguments, cwd=tmp_path)
    assert f"{runs - 4} runs are stored, {12 - runs} to train" in resumed.stderr
    assert "waiting" not in resumed.stderr, "the dead command's claims are given back"
    (tmp_path / ".stabbench").rename(tmp_path / "resumed")
    in_one_go = stabbench(*arguments, cwd=tmp_path)
    assert "0 runs are stored, 8 to train" in in_one_go.stderr
    assert without_origin(resumed.stdout) == without_origin(in_one_go.stdout)


def test_two_recordings_at_once_do_not_lose_each_others_cells(tmp_path: Path) -> None:
    recipes = [TINY, "bias-correction:epochs=0.1"]
    both = [
        subprocess.Popen(
            [*COMMAND, "baseline", "record", recipe, "--seeds", "2", "--workers", "1"],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
        )
        for recipe in recipes
    ]
    for process in both:
        _, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
    assert [cell.recipe for cell in load(tmp_path / "baselines.json").values()] == sorted(recipes)


# Bad input


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["gate", "devlin:epochs=0.2"], 3, f"did you mean '{TINY}'"),
        (["gate", "--task", "lab/entailmnt"], 3, "did you mean 'lab/entailment'"),
        (["gate", "--seeds", "0"], 3, "no seeds"),
        (["gate", "--seeds", "many"], 3, "neither a number of seeds nor a list"),
        (["gate", "--seeds", "9,9"], 3, "seed 9 is given twice"),
        (["gate", "--alpha", "0.7"], 3, "alpha must be between 0 and .5"),
        (["gate", "--spread-margin", "0.5"], 3, "spread_margin must be at least 1"),
        (["gate", "--environment", "mostly"], 3, "mostly"),
        (["gate", "--json", "no/such/out.json"], 3, "there is no folder"),
        (["gate", "--markdown", "no/such/out.md"], 3, "there is no folder"),
        (["gate", "--plugin", "absent.py"], 3, "cannot be imported"),
        (["gate", "--baselines", "absent.json"], 3, "no baselines file absent.json"),
        (["gate", "--baselines", "."], 3, "is a directory"),
        (["gate", "--store", "baselines.json", "--seeds", "9"], 3, "is a file, not a folder"),
        (["baseline", "verify", "--trials", "2"], 3, "--trials"),
        (["baseline", "record"], 3, "RECIPE"),
        (["baseline", "record", "mosbahc"], 3, "did you mean 'mosbach'"),
        (["baseline", "record", "mosbach", "mosbach"], 3, "given twice"),
        (["baseline", "update", "devlin"], 3, f"unknown baseline of recipe 'devlin': did you mean '{TINY}'"),
        (["compare", "devlin", "mosbach", "--check", "--alpha", "0"], 3, "alpha must be between 0 and .5"),
    ],
)
def test_bad_input_is_one_clear_message(folder: Path, arguments: list[str], code: int, message: str) -> None:
    before = (folder / "baselines.json").read_bytes()
    done = stabbench(*arguments, cwd=folder, expect=code)
    assert message in done.stderr + done.stdout
    assert "runs are stored" not in done.stderr
    assert (folder / "baselines.json").read_bytes() == before


@pytest.mark.parametrize(
    "command", [["gate"], ["baseline"], *(["baseline", name] for name in ("record", "update", "show", "verify"))]
)
def test_every_command_has_help_with_an_example(command: list[str], tmp_path: Path) -> None:
    text = stabbench(*command, "--help", cwd=tmp_path).stdout
    assert "stabbench " in text.split("Options:")[0].split("\n\n", 1)[1]
