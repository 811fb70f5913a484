"""The learning-rate schedule."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import get_linear_schedule_with_warmup

from stabbench.optim import linear_warmup_linear_decay


@given(st.integers(1, 400), st.floats(0, 0.9))
def test_it_is_the_schedule_of_the_papers_code(total: int, warmup: float) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = get_linear_schedule_with_warmup(optimizer, round(warmup * total), total)
    for step in range(total):
        assert linear_warmup_linear_decay(step, total, warmup) == pytest.approx(theirs.get_last_lr()[0])
        optimizer.step()
        theirs.step()


@given(st.integers(1, 10**5), st.floats(0, 0.99), st.floats(0, 1))
def test_it_stays_between_0_and_1_and_ends_at_0(total: int, warmup: float, place: float) -> None:
    assert 0 <= linear_warmup_linear_decay(int(place * total), total, warmup) <= 1
    assert linear_warmup_linear_decay(total, total, warmup) == 0
