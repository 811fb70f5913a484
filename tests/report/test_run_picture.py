"""The picture of a run shows what was kept, and says what was not."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from examples import HISTORY, record

from stabbench.errors import StabbenchError
from stabbench.records.history import Components, History
from stabbench.report.run_picture import plot_run

pytest.importorskip("matplotlib")


def drawn(history: History, folder: Path, cause: str = "") -> str:
    """The texts of the picture."""
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none"}):
        plot_run(record(), history, folder / "run.svg", cause)
    return " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", (folder / "run.svg").read_text()))


def test_the_curve_the_norms_and_the_distances(tmp_path: Path) -> None:
    values = np.ones((2, 2), np.float32)
    components = Components(["a", "b"], ["block 0", "head"], [1, 1], values, values, values, values)
    text = drawn(replace(HISTORY, constant_loss=0.69, components=components), tmp_path, "a plateau")
    for shown in ("training loss", "constant predictor", "L2 distance to the start", "block 0", "head", "a plateau"):
        assert shown in text
    assert "mathdefault" not in text
    assert "were kept" not in text


def test_what_was_not_kept_is_said(tmp_path: Path) -> None:
    text = drawn(History(), tmp_path)
    for what in ("no losses", "no gradient norms", "no distances"):
        assert f"{what} were kept" in text


def test_a_picture_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StabbenchError, match="--plot"):
        plot_run(record(), HISTORY, tmp_path / "nowhere" / "run.png")
