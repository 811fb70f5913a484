"""scripts/gpu.py at its smallest, on the CPU: the first run on a GPU is to be a formality."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from stabbench.gate.baselines_file import load

pytestmark = pytest.mark.long

SCRIPT = Path(__file__).parents[2] / "scripts" / "gpu.py"
HEADER = "index\tsentence1\tsentence2\tlabel"
ROWS = [f"{n}\tthe dog sees the cat\tthe cat sees the dog\t{('entailment', 'not_entailment')[n % 2]}" for n in range(8)]


def gpu(*arguments: str | Path, expect: int = 0, device: str = "cpu") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, *arguments, "--tiny", "--device", device]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == expect, f"{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All parts, the real tasks on the "deep" lab model that is pretrained on the way; the folder of what came out."""
    folder: Path = tmp_path_factory.mktemp("gpu")
    (folder / "GLUE" / "RTE").mkdir(parents=True)
    for name in ("train", "dev"):
        (folder / "GLUE" / "RTE" / f"{name}.tsv").write_text("\n".join([HEADER, *ROWS]) + "\n")
    gpu("--out", folder, "--model", folder / "tiny" / "deep-lab", "--data-dir", folder / "GLUE")
    return folder / "tiny"


def test_every_recipe_is_recorded_on_the_deep_lab_model_and_on_real_tasks(out: Path) -> None:
    cells = load(out / "baselines.json").values()
    assert sorted(cell.task for cell in cells) == ["glue/rte"] * 6 + ["lab/entailment"] * 6
    assert all(len(cell.scores) == 2 and cell.model == str(out / "deep-lab") for cell in cells)


def test_the_speed_table_and_the_profile_are_kept(out: Path) -> None:
    assert "\nTrainer loop " in (out / "speed-bert-base-2-seeds.txt").read_text()
    assert "aten::bmm" in (out / "profile-bert-base.txt").read_text()


def test_a_part_that_is_done_is_not_done_again(out: Path) -> None:
    before = (out / "baselines.json").read_bytes()
    again = gpu("deep", "speed", "--out", out.parent).stdout
    assert "$" not in again
    assert again.count("done already") == 4
    assert (out / "baselines.json").read_bytes() == before


def test_a_part_that_fails_keeps_no_other_from_being_run(tmp_path: Path) -> None:
    done = gpu("baselines", "deep", "--out", tmp_path, "--model", "nowhere/at/all", expect=1)
    assert "exit code 3: all-glue-rte-2-seeds" in done.stderr
    assert "the same command again to go on from there" in done.stderr
    assert len(load(tmp_path / "tiny" / "baselines.json")) == 6
    (part,) = (tmp_path / "tiny").glob("*.part")
    assert "nowhere/at/all" in part.read_text()


def test_what_goes_wrong_is_said_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for wrong, why in [
        (["sped", "--out", tmp_path], "no part 'sped'"),
        (["--out", tmp_path / "file"], "--out: "),
        (["--out", tmp_path, "--seeds", "0"], "'0' is no number from 1"),
        (["--out", tmp_path, "--data-dir", tmp_path / "file"], "is no folder"),
    ]:
        assert why in gpu(*wrong, expect=2).stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_figures_of_a_cpu_are_not_taken_for_those_of_a_gpu(tmp_path: Path) -> None:
    assert "PyTorch sees no GPU here" in gpu("--out", tmp_path, expect=2, device="cuda").stderr
