"""Results measured elsewhere, as functions: what ``--from`` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from stabbench.api.arguments import IN_PYTHON
from stabbench.diagnostics.diagnose import Diagnosis, diagnose, diagnose_failed
from stabbench.gate.baselines import Baseline
from stabbench.gate.comparison import Comparison
from stabbench.gate.elsewhere import gate_elsewhere, record_elsewhere
from stabbench.gate.rules import Rules
from stabbench.imported.choice import Choice
from stabbench.imported.runs import read_all
from stabbench.records.recipe_runs import check_complete
from stabbench.report.comparison import PrintedComparison
from stabbench.report.page.build import runs_subject
from stabbench.report.page.make import write_report
from stabbench.report.printed_gate import PrintedGate
from stabbench.runner.resources import DEFAULT_BASELINES

Results = str | Path | Sequence[str | Path] | Mapping[str, str | Path]


def compare_results(
    results: Results,
    *,
    metric: str | None = None,
    seed_from: str | None = None,
    constant_score: float | None = None,
    lower_is_better: bool = False,
    task: str | None = None,
    crashed: Literal["missing", "failed", "left-out"] = "missing",
) -> Comparison:
    """Put results measured elsewhere side by side; nothing is trained.

    Args:
        results: Files or folders of other tools, as ``{"old": "runs/before", "new": "runs/after"}``; or paths alone,
            whose recipes are named by what is in them, or as the path is. The first recipe is the reference.
        metric: The name of the score; None takes the only one, or ``score``.
        seed_from: The parameter or column that is the seed, or a regular expression that finds it in the name of a run
            or folder; None takes ``seed``.
        constant_score: Of the best constant predictor, in the metric's own units: a run that is no better has failed.
            None where the results say which runs failed, or nobody knows.
        lower_is_better: The metric is a loss: its scores are negated, and it is called ``neg_`` and its name.
        task: Which one, where the results are of several; or its name, where they do not say it.
        crashed: What a run without a score is: ``"missing"``, an error; ``"failed"``, a failed run; ``"left-out"``, no
            run.

    Raises:
        StabbenchError: Results that cannot be read, lack a seed or a score, or have missing runs.
    """
    runs = read_all(_sources(results), Choice(metric, seed_from, constant_score, lower_is_better, task, crashed))
    check_complete(runs)
    return PrintedComparison.of_runs(runs)


def record_results(
    results: Results,
    baselines: str | Path = DEFAULT_BASELINES,
    *,
    metric: str | None = None,
    seed_from: str | None = None,
    constant_score: float | None = None,
    lower_is_better: bool = False,
    task: str | None = None,
    crashed: Literal["missing", "failed", "left-out"] = "missing",
) -> list[Baseline]:
    """Add results measured elsewhere to a baselines file.

    Args:
        results: As for :func:`compare_results`, and so are all that follow ``baselines``.
        baselines: The file, which may not be there yet.
        metric: The name of the score.
        seed_from: Where the seed is.
        constant_score: Of the best constant predictor.
        lower_is_better: The metric is a loss.
        task: The task.
        crashed: What a run without a score is.

    Raises:
        StabbenchError: A cell is there already, or as :func:`compare_results`; nothing is written then.
    """
    choice = Choice(metric, seed_from, constant_score, lower_is_better, task, crashed)
    return record_elsewhere(read_all(_sources(results), choice), Path(baselines))


def gate_results(
    results: Results,
    baselines: str | Path = DEFAULT_BASELINES,
    *,
    metric: str | None = None,
    seed_from: str | None = None,
    constant_score: float | None = None,
    lower_is_better: bool = False,
    task: str | None = None,
    crashed: Literal["missing", "failed", "left-out"] = "missing",
    rules: Rules | None = None,
) -> PrintedGate:
    """Judge results measured elsewhere against a baselines file.

    Args:
        results: As for :func:`compare_results`, and so are all that follow ``baselines`` but ``rules``.
        baselines: The file.
        metric: The name of the score.
        seed_from: Where the seed is.
        constant_score: Of the best constant predictor.
        lower_is_better: The metric is a loss.
        task: The task.
        crashed: What a run without a score is.
        rules: When a cell fails, and when it passes; None takes the defaults.

    Raises:
        StabbenchError: A recipe without a baseline, or as :func:`compare_results`.
    """
    choice = Choice(metric, seed_from, constant_score, lower_is_better, task, crashed)
    runs = read_all(_sources(results), choice)
    return PrintedGate.of(gate_elsewhere(Path(baselines), runs, rules or Rules()))


def diagnose_results(
    results: Results,
    *,
    metric: str | None = None,
    seed_from: str | None = None,
    constant_score: float | None = None,
    lower_is_better: bool = False,
    task: str | None = None,
    crashed: Literal["missing", "failed", "left-out"] = "missing",
    every: bool = False,
) -> list[Diagnosis]:
    """Say why runs that were measured elsewhere failed, as far as their logs go.

    Args:
        results: As for :func:`compare_results`, and so are all that follow but ``every``.
        metric: The name of the score.
        seed_from: Where the seed is.
        constant_score: Of the best constant predictor.
        lower_is_better: The metric is a loss.
        task: The task.
        crashed: What a run without a score is.
        every: Successful runs, too.

    Raises:
        StabbenchError: Results that cannot be read, or lack a seed or a score.
    """
    choice = Choice(metric, seed_from, constant_score, lower_is_better, task, crashed)
    found = read_all(_sources(results), choice)
    return [each for runs in found for each in (diagnose(runs) if every else diagnose_failed(runs))]


def report_results(
    results: Results,
    output: str | Path = "report.html",
    *,
    metric: str | None = None,
    seed_from: str | None = None,
    constant_score: float | None = None,
    lower_is_better: bool = False,
    task: str | None = None,
    crashed: Literal["missing", "failed", "left-out"] = "missing",
    rules: Rules | None = None,
) -> None:
    """Write a page about results measured elsewhere.

    Args:
        results: As for :func:`compare_results`, and so are all that follow ``output``.
        output: The page: a file that ends in .html, or a folder, where the style is a file of its own.
        metric: The name of the score.
        seed_from: Where the seed is.
        constant_score: Of the best constant predictor.
        lower_is_better: The metric is a loss.
        task: The task.
        crashed: What a run without a score is.
        rules: Of the verdicts; None takes the defaults.

    Raises:
        StabbenchError: Results that cannot be read, or lack a seed or a score; or a page that cannot be written.
    """
    choice = Choice(metric, seed_from, constant_score, lower_is_better, task, crashed)
    found = read_all(_sources(results), choice)
    write_report(runs_subject(found, rules or Rules(), [], IN_PYTHON.format("report_results")), Path(output))


def _sources(results: Results) -> list[tuple[str, Path]]:
    if isinstance(results, Mapping):
        return [(name, Path(path)) for name, path in results.items()]
    return [("", Path(path)) for path in ([results] if isinstance(results, str | Path) else results)]
