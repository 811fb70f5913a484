"""How many seeds are trained together, and which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stabbench.records.seeds import Seeds
from stabbench.runner.groups import MOST_STACKED, group_seeds, most_stacked

MIB = 2**20


@pytest.mark.parametrize(
    ("seeds", "stack", "workers", "most", "sizes"),
    [
        (10, None, 2, 16, [5, 5]),
        (25, None, 2, 16, [13, 12]),
        (3, None, 2, 16, [2, 1]),
        (1, None, 2, 16, [1]),
        (8, None, 1, 8, [8]),
        (9, None, 1, 8, [5, 4]),
        (5, None, 2, 2, [2, 1, 1, 1]),
        (3, None, 2, 1, [1, 1, 1]),
        (25, None, 1, None, [25]),
        (25, None, 4, None, [7, 6, 6, 6]),
        (7, 3, 2, 16, [3, 3, 1]),
        (0, None, 2, None, []),
    ],
)
def test_groups_keep_the_workers_busy(
    seeds: int, stack: int | None, workers: int, most: int | None, sizes: list[int]
) -> None:
    planned = [Seeds.of(n) for n in range(seeds)]
    groups = group_seeds(planned, stack, workers, most)
    assert [len(group) for group in groups] == sizes
    assert [s for group in groups for s in group] == planned


@given(st.integers(0, 300), st.none() | st.integers(1, 40), st.integers(1, 9), st.none() | st.integers(1, 40))
def test_every_seed_is_in_one_group_and_no_group_is_too_large(
    seeds: int, stack: int | None, workers: int, most: int | None
) -> None:
    planned = [Seeds.of(n) for n in range(seeds)]
    groups = group_seeds(planned, stack, workers, most)
    assert [s for group in groups for s in group] == planned
    assert all(len(group) <= (stack or most or seeds) for group in groups)
    assert all(groups)


def test_on_a_cpu_stacking_ends_where_it_stops_to_pay() -> None:
    assert most_stacked("cpu", 1 * MIB) == MOST_STACKED
    assert most_stacked("cpu", 90 * MIB) == 2
    assert most_stacked("cpu", 1300 * MIB) == 1


def test_a_gpu_takes_as_many_as_fit() -> None:
    assert most_stacked("cuda", 1300 * MIB) is None
    assert most_stacked("cuda", 1300 * MIB, needed=9_000, free=80_000) == 8
    assert most_stacked("cuda", 1300 * MIB, needed=9_000, free=8_000) == 1


def test_a_little_memory_makes_small_groups_on_a_cpu_too() -> None:
    assert most_stacked("cpu", 1 * MIB, needed=1_000, free=4_000) == 3
    assert most_stacked("cpu", 90 * MIB, needed=1_000, free=4_000) == 2
    assert most_stacked("cpu", 90 * MIB, needed=1_000, free=None) == 2
