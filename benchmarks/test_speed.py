"""How long four seeds of the lab take, with stabbench and without; `python -m benchmarks.speed` has the whole table.

    pytest benchmarks/test_speed.py -m long        about two minutes on two quiet cores

Times differ from machine to machine, so nothing is asserted of them; the ratios are in the benchmark's extra_info.
"""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from speed.contender import Measured, Row, clocked
from speed.rows import CONTENDERS, REFERENCE, rows
from speed.workload import Workload, make_workload

SEEDS = 4
# The reference first, as the others are compared with it.
NAMES = sorted(CONTENDERS, key=lambda name: name != REFERENCE)

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def workload(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    return make_workload("lab", tmp_path_factory.mktemp("model"), tiny=False, precision="fp32", steps=None)


@pytest.fixture(scope="module")
def contenders(workload: Workload) -> dict[str, Row]:
    return {row.name: row for row in rows(workload, [SEEDS], SEEDS)}


@pytest.fixture(scope="module")
def done() -> dict[str, Measured]:
    return {}


@pytest.mark.benchmark(group=f"{SEEDS} seeds of lab/entailment")
@pytest.mark.parametrize("name", NAMES)
def test_speed(
    benchmark: BenchmarkFixture,
    workload: Workload,
    contenders: dict[str, Row],
    done: dict[str, Measured],
    name: str,
) -> None:
    row = contenders[name]
    done[name] = measured = benchmark.pedantic(clocked, (row, row.ready(), workload, SEEDS), rounds=1)
    benchmark.extra_info |= {"trained by": row.how, "seed-steps a second": measured.rate}
    if REFERENCE in done:
        benchmark.extra_info["times a Trainer loop"] = measured.rate / done[REFERENCE].rate


def test_all_do_the_same_work(workload: Workload, done: dict[str, Measured]) -> None:
    if not done:
        pytest.skip("nothing was trained: run the whole file")
    for name, measured in done.items():
        assert [outcome.updates for outcome in measured.outcomes] == [workload.steps] * SEEDS, name
        assert all(0 <= outcome.score <= 1 for outcome in measured.outcomes), name
