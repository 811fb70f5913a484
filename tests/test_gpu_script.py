"""scripts/gpu.py at its smallest, on the CPU: the first run on a GPU is to be a formality."""

import subprocess
import sys
from pathlib import Path

import pytest

from stabbench.baselines import load

SCRIPT = Path(__file__).parents[1] / "scripts" / "gpu.py"
HEADER = "index\tsentence1\tsentence2\tlabel"
ROWS = [f"{n}\tthe dog sees the cat\tthe cat sees the dog\t{('entailment', 'not_entailment')[n % 2]}" for n in range(8)]


def gpu(*arguments: str | Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, *arguments, "--tiny", "--device", "cpu"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == expect, f"{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny "deep" lab model, pretrained, and its baselines."""
    folder: Path = tmp_path_factory.mktemp("gpu")
    gpu("deep", "--out", folder)
    return folder


def test_the_deep_lab_model_is_pretrained_and_every_recipe_recorded(out: Path) -> None:
    cells = load(out / "baselines.json")
    assert len(cells) == 6
    assert all(len(cell.scores) == 2 and cell.model == str(out / "deep-lab") for cell in cells.values())


def test_a_part_that_is_done_is_not_done_again(out: Path) -> None:
    before = (out / "baselines.json").read_bytes()
    assert "$" not in gpu("deep", "--out", out).stdout
    assert (out / "baselines.json").read_bytes() == before


def test_the_real_tasks_are_recorded_on_the_model_that_is_given(out: Path, tmp_path: Path) -> None:
    (tmp_path / "RTE").mkdir()
    for name in ("train", "dev"):
        (tmp_path / "RTE" / f"{name}.tsv").write_text("\n".join([HEADER, *ROWS]) + "\n")
    gpu("baselines", "--out", tmp_path / "out", "--model", out / "deep-lab", "--data-dir", tmp_path)
    assert {cell.task for cell in load(tmp_path / "out" / "baselines.json").values()} == {"glue/rte"}


def test_what_goes_wrong_is_said(tmp_path: Path) -> None:
    done = gpu("baselines", "--out", tmp_path, "--model", "nowhere/at/all", expect=1)
    assert "the same command again to go on from there" in done.stderr
    assert "no part 'sped'" in gpu("sped", "--out", tmp_path, expect=2).stderr
