"""The pytest plugin: options, the ``stability`` fixture, and INCONCLUSIVE as an outcome of its own.

Only pytest is imported here: a test run without stability benchmarks must not wait for numpy or torch.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from stabbench.pytest_plugin.fixture import Stability

# What the assertions of a test left undecided, in words.
UNDECIDED = pytest.StashKey[list[str]]()
LEFT_OUT = pytest.StashKey[int]()

_INI = {
    "stability_seeds": ("seeds of each stability benchmark", "20"),
    "stability_store": ("folder of the run store", ".stabbench"),
    "stability_baselines": ("the baselines file", "baselines.json"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Command-line options, and the settings of a configuration file."""
    group = parser.getgroup("stability", "fine-tuning stability (stabbench)")
    group.addoption("--gpu", action="store_true", help="run the stability benchmarks that are marked gpu, on a GPU")
    group.addoption("--stability-seeds", type=int, metavar="N", help="seeds of each benchmark [20]")
    group.addoption("--stability-store", metavar="DIR", help="folder of the run store [.stabbench]")
    group.addoption("--stability-baselines", metavar="FILE", help="the baselines file [baselines.json]")
    group.addoption(
        "--stability-sequential",
        action="store_true",
        help="look after each quarter of the seeds and stop where a benchmark is decided",
    )
    group.addoption(
        "--stability-update",
        action="store_true",
        help="record what has no baseline, and update what has one if it does not become looser",
    )
    group.addoption("--stability-strict", action="store_true", help="INCONCLUSIVE fails; so it does under --strict")
    for name, (doc, default) in _INI.items():
        parser.addini(name, f"{doc} [{default}]", default=None)


def pytest_configure(config: pytest.Config) -> None:
    """The marker, and the refusal of settings that cannot be: no number of seeds, ``--gpu`` without a GPU."""
    config.addinivalue_line("markers", "gpu: a stability benchmark for a GPU; runs with --gpu only")
    seeds = _setting(config, "stability_seeds")
    if not seeds.isdecimal() or int(seeds) < 1:
        raise pytest.UsageError(f"stability_seeds: {seeds!r} is no number of seeds")
    if config.getoption("--gpu") and not config.getoption("collectonly") and not hasattr(config, "workerinput"):
        import torch

        if not torch.cuda.is_available():
            raise pytest.UsageError("--gpu: no GPU was found (torch.cuda.is_available() is false)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One tier at a time: the benchmarks marked gpu with ``--gpu``, the others without. No other test is touched."""
    gpu = config.getoption("--gpu")
    other = [i for i in items if _is_benchmark(i) and (i.get_closest_marker("gpu") is not None) != gpu]
    if other:
        config.stash[LEFT_OUT] = len(other)
        config.hook.pytest_deselected(items=other)
        items[:] = [item for item in items if item not in other]


def _is_benchmark(item: pytest.Item) -> bool:
    return "stability" in getattr(item, "fixturenames", ())


@pytest.fixture
def stability(request: pytest.FixtureRequest) -> Stability:
    """Trains recipes over seeds, to assert how stable they are (:class:`stabbench.pytest_plugin.fixture.Stability`)."""
    from stabbench.pytest_plugin.fixture import Stability
    from stabbench.pytest_plugin.session import Settings

    config = request.config
    marked = request.node.get_closest_marker("gpu") is not None
    settings = Settings(
        seeds=int(_setting(config, "stability_seeds")),
        store=_path(config, "stability_store"),
        baselines=_path(config, "stability_baselines"),
        sequential=config.getoption("--stability-sequential"),
        update=config.getoption("--stability-update"),
        device="cuda" if marked else "cpu",
    )
    undecided = request.node.stash.setdefault(UNDECIDED, [])
    return Stability(settings, undecided, request)


def _setting(config: pytest.Config, name: str) -> str:
    given = config.getoption(f"--{name.replace('_', '-')}")
    return str(given if given is not None else config.getini(name) or _INI[name][1])


def _path(config: pytest.Config, name: str) -> Path:
    """As given on the command line; what a configuration file says is relative to that file."""
    given = config.getoption(f"--{name.replace('_', '-')}")
    path = Path(given) if given is not None else config.rootpath / _setting(config, name)
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that passed but left something undecided is INCONCLUSIVE, or failed if that is wanted."""
    report = yield
    undecided = item.stash.get(UNDECIDED, [])
    if call.when == "call" and report.passed and undecided:
        text = "\n\n".join(undecided)
        if _strict(item.config):
            report.outcome, report.longrepr = "failed", f"INCONCLUSIVE, which --stability-strict fails:\n\n{text}"
        else:
            # To JUnit XML and to other plugins it is a skip with its reason: nothing was shown.
            path, line, _ = item.location
            report.outcome = "skipped"
            report.longrepr = (path, (line or 0) + 1, f"INCONCLUSIVE: {undecided[0].splitlines()[0]}")
            report.stability_undecided = text  # type: ignore[attr-defined]  # reports carry any attribute
    return report


def _strict(config: pytest.Config) -> bool:
    try:
        everything = bool(config.getini("strict"))  # pytest's own --strict, from version 9
    except (KeyError, ValueError):
        everything = False
    # What was recorded just now was not to be decided.
    return (everything or bool(config.getoption("--stability-strict"))) and not config.getoption("--stability-update")


def pytest_report_teststatus(report: pytest.CollectReport | pytest.TestReport) -> Any:
    """Its own word and letter."""
    if getattr(report, "stability_undecided", None):
        return "inconclusive", "I", ("INCONCLUSIVE", {"yellow": True})
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What was undecided, and which tier was left out."""
    undecided = terminalreporter.stats.get("inconclusive", [])
    if undecided:
        terminalreporter.section("INCONCLUSIVE", sep="=", yellow=True)
        for report in undecided:
            terminalreporter.section(report.nodeid, sep="_", yellow=True)
            terminalreporter.write_line(report.stability_undecided)
    left_out = config.stash.get(LEFT_OUT, 0)
    if left_out:
        tier = "need no GPU: run them without --gpu" if config.getoption("--gpu") else "need a GPU: run them with --gpu"
        terminalreporter.write_line(f"stability: {left_out} benchmarks {tier}")
