"""The pytest plugin: options, the ``stability`` fixture, and INCONCLUSIVE as an outcome of its own.

Only pytest is imported here: a test run without stability benchmarks must not wait for numpy or torch.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stabbench.errors import excerpt
from stabbench.escape import printable
from stabbench.records.seeds import MOST_SEEDS

if TYPE_CHECKING:
    from stabbench.pytest_plugin.fixture import Stability

# Texts of the assertions that a test left undecided.
UNDECIDED = pytest.StashKey[list[str]]()
LEFT_OUT = pytest.StashKey[int]()
# The ids of a test's runs by the recipe's label.
RUNS = pytest.StashKey[dict[str, list[str]]]()
# A test's runs by id: the day on which each was trained, or an empty text where the test trained it.
DAYS = pytest.StashKey[dict[str, str]]()

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
        "--stability-plugin",
        action="append",
        default=[],
        metavar="MODULE",
        help="module or .py file that defines recipes; may be repeated",
    )
    group.addoption(
        "--stability-sequential",
        action="store_true",
        help="judge after each quarter of the seeds, and stop training where a benchmark is decided",
    )
    group.addoption(
        "--stability-update",
        action="store_true",
        help="record missing baselines, and update those that do not become looser",
    )
    group.addoption(
        "--stability-report", metavar="FILE", help="write a page about all benchmarks: an .html file, or a folder"
    )
    group.addoption("--stability-strict", action="store_true", help="INCONCLUSIVE fails, as it does under --strict")
    for name, (doc, default) in _INI.items():
        parser.addini(name, f"{doc} [{default}]", default=None)
    parser.addini("stability_plugin", "modules or .py files that define recipes, one a line", "linelist", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and refuse a wrong number of seeds and ``--gpu`` without a GPU."""
    config.addinivalue_line("markers", "gpu: a stability benchmark for a GPU; runs with --gpu only")
    seeds = _setting(config, "stability_seeds")
    # Not `isdecimal`, which accepts digits of other scripts; seven digits are a million.
    if not re.fullmatch("0*[1-9][0-9]{0,6}", seeds) or int(seeds) > MOST_SEEDS:
        raise pytest.UsageError(f"stability_seeds: {excerpt(seeds)} is not a number of seeds (1 to {MOST_SEEDS:,})")
    if config.getoption("--stability-report"):
        from stabbench.pytest_plugin.page import check_page

        check_page(Path(config.getoption("--stability-report")))
    if config.getoption("--gpu") and not config.getoption("collectonly") and not hasattr(config, "workerinput"):
        import torch

        if not torch.cuda.is_available():
            raise pytest.UsageError("--gpu: no GPU was found (torch.cuda.is_available() is false)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select one tier: benchmarks marked gpu with ``--gpu``, the others without. Other tests are not affected."""
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
        plugins=_plugins(config),
    )
    undecided = request.node.stash.setdefault(UNDECIDED, [])
    days, runs = request.node.stash.setdefault(DAYS, {}), request.node.stash.setdefault(RUNS, {})
    return Stability(settings, undecided, days, runs, request)


def _setting(config: pytest.Config, name: str) -> str:
    given = config.getoption(f"--{name.replace('_', '-')}")
    return str(given if given is not None else config.getini(name) or _INI[name][1])


def _plugins(config: pytest.Config) -> tuple[str, ...]:
    """Plugins of the configuration file, whose ``.py`` files are relative to that file, and of the command line."""
    listed = [
        str(config.rootpath / name) if name.endswith(".py") else name for name in config.getini("stability_plugin")
    ]
    return tuple(dict.fromkeys([*listed, *config.getoption("--stability-plugin")]))


def _path(config: pytest.Config, name: str) -> Path:
    """A path from the command line, or from the configuration file, relative to that file."""
    given = config.getoption(f"--{name.replace('_', '-')}")
    path = Path(given) if given is not None else config.rootpath / _setting(config, name)
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that passed but left something undecided is INCONCLUSIVE, or failed with ``--stability-strict``."""
    report = yield
    if call.when == "call" and DAYS in item.stash:
        report.stability_days = item.stash[DAYS]  # type: ignore[attr-defined]  # reports carry any attribute
        report.stability_runs = item.stash[RUNS]  # type: ignore[attr-defined]
    undecided = item.stash.get(UNDECIDED, [])
    if call.when == "call" and report.passed and undecided:
        text = "\n\n".join(undecided)
        if _strict(item.config):
            report.outcome, report.longrepr = "failed", f"INCONCLUSIVE, which --stability-strict fails:\n\n{text}"
        else:
            # JUnit XML and other plugins see a skip with its reason: nothing was shown.
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
    # With --stability-update nothing is judged.
    return (everything or bool(config.getoption("--stability-strict"))) and not config.getoption("--stability-update")


def pytest_report_teststatus(report: pytest.CollectReport | pytest.TestReport) -> Any:
    """INCONCLUSIVE has a word and a letter of its own."""
    if getattr(report, "stability_undecided", None):
        return "inconclusive", "I", ("INCONCLUSIVE", {"yellow": True})
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the undecided tests, the origin of the runs, and the number of deselected benchmarks."""
    undecided = terminalreporter.stats.get("inconclusive", [])
    if undecided:
        terminalreporter.section("INCONCLUSIVE", sep="=", yellow=True)
        for report in undecided:
            terminalreporter.section(printable(report.nodeid), sep="_", yellow=True)
            terminalreporter.write_line(report.stability_undecided)
    days: dict[str, str] = {}
    for report in (each for listed in terminalreporter.stats.values() for each in listed):
        for run_id, day in getattr(report, "stability_days", {}).items():
            # The empty text of the test that trained a run sorts before the day that other tests saw.
            days[run_id] = min(day, days.get(run_id, day))
    if days:
        from stabbench.records.provenance import origin

        terminalreporter.write_line(f"stability: {origin(list(days.values()))}")
    if page := config.getoption("--stability-report"):
        from stabbench.pytest_plugin.page import write_suite_page

        said = write_suite_page(terminalreporter.stats, _path(config, "stability_store"), Path(page))
        terminalreporter.write_line(f"stability: {printable(said)}")
    left_out = config.stash.get(LEFT_OUT, 0)
    if left_out:
        tier = "need no GPU: run them without --gpu" if config.getoption("--gpu") else "need a GPU: run them with --gpu"
        terminalreporter.write_line(f"stability: {left_out} benchmarks {tier}")
