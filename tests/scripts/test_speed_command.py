"""The command of benchmarks/speed at its smallest: every contender trains, whatever time it takes."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]


def speed(*arguments: str, expect: int = 0) -> str:
    """What the command prints, or what it complains of."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.speed", "--tiny", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == expect, f"{done.stdout}\n{done.stderr}"
    return done.stderr if expect else done.stdout


def test_every_contender_trains_a_shape_of_bert() -> None:
    """As on a GPU, in bfloat16."""
    printed = speed("--model", "bert-base", "--precision", "bf16")
    assert "2 seeds of 3 updates, CUT SHORT from 9" in printed
    table = printed.partition("times a Trainer loop")[2]
    for name in ("stabbench's engine", "PyTorch loop", "Trainer loop ", "Trainer loops in parallel", "shell loop"):
        assert f"\n{name}" in table
    assert "\nfloor: " in table


def test_stabbench_itself_takes_part_on_the_lab() -> None:
    printed = speed("--only", "engine", "--only", "compare", "--stacks", "1,2,8")
    table = printed.partition("times a Trainer loop")[2]
    assert table.count("\nstabbench's engine") == 2, "K is no more than there are seeds"
    assert "\nstabbench compare" in table


def test_the_profile_names_the_operators_of_a_step() -> None:
    printed = speed("--model", "bert-base", "--profile", "--stacks", "2,100000")  # no more than there are seeds
    assert "10 steps of 2 seeds" in printed
    assert "aten::bmm" in printed, "by far the most time; which others are listed hangs on noise"


def test_a_table_without_any_row_is_refused() -> None:
    assert "--model lab" in speed("--only", "compare", "--model", "bert-base", expect=2)
