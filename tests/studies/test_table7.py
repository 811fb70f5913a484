"""Zhang et al. 2021, Table 7, at tiny size: each family of models with the hyperparameters of Table 6."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_models import tiny_model
from transformers import AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from stabbench.models.source import find_model
from stabbench.runner.resources import Resources
from stabbench.studies.loading import load_study
from stabbench.studies.published import compare_published
from stabbench.studies.running import run_study

disable_progress_bar()
# Learning rate, batch size, updates of a whole training on 1,000 examples, warmup.
TABLE_6 = {
    "xlnet": (3e-5, 32, 800, 200 / 800),
    "roberta": (2e-5, 16, 2036, 122 / 2036),
    "electra": (5e-5, 32, 320, 0.1),
    "bart": (1e-5, 32, 1018, 61 / 1018),
}


@pytest.mark.parametrize("family", TABLE_6)
def test_every_family_is_trained_with_its_own_hyperparameters(family: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    folder = tmp_path / f"{family}-large"
    tiny_model(family, vocab_size=106).save_pretrained(folder)
    AutoTokenizer.from_pretrained(find_model("lab").folder).save_pretrained(folder)
    found = run_study(
        load_study("zhang2021-table7"), Resources(tmp_path / "store", "cpu", 1),
        tasks=["lab/entailment"], models=[str(folder)], seeds=1, max_steps=1,
    )  # fmt: skip
    assert [row.recipe for row in found.rows] == ["bias-correction", "reinit"]
    lr, batch_size, steps, warmup = TABLE_6[family]
    for row in found.rows:
        parameters = row.runs.records[0].fingerprint.experiment["parameters"]
        assert (parameters["lr"], parameters["batch_size"], row.runs.whole_steps) == (lr, batch_size, steps)
        assert parameters["warmup"] == pytest.approx(warmup, abs=1e-6)
        assert (parameters["evaluations"], parameters["keep"]) == (10, "best")
    # Only RoBERTa's and BART's folders are named as their models on the hub are.
    models = {cells[3].rpartition("/")[2] for cells in compare_published(found).texts}
    assert len(models) == (1 if family in ("roberta", "bart") else 4)
