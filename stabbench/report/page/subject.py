"""What a page is about: settings, the runs in each, and the verdicts on them. Values only, no text of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from stabbench.gate.comparison import Comparison
from stabbench.gate.gate import CellResult, GateResult
from stabbench.gate.judge import Judgement
from stabbench.gate.rules import Rules, Verdict
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import RunRecord
from stabbench.records.setting import setting_name
from stabbench.report.gate import cell_reason, remarks
from stabbench.report.judgement import detectable, note, reason
from stabbench.report.page.document import Section
from stabbench.report.page.traces import Traces, read_traces
from stabbench.statistics import Sample


@dataclass(frozen=True)
class Column:
    """Runs that are drawn together: those of a recipe, or a baseline's.

    Attributes:
        label: The recipe's, and for a baseline its date.
        sample: Scores and outcomes.
        seeds: Of each run.
        runs: The runs themselves; None for a baseline, of which only the scores are kept.
    """

    label: str
    sample: Sample
    seeds: Sequence[int]
    runs: RecipeRuns | None = None

    @classmethod
    def of(cls, runs: RecipeRuns, label: str = "") -> Column:
        """Of runs that are at hand."""
        return cls(label or runs.label, runs.sample, [record.seeds.seed for record in runs.records], runs)

    @cached_property
    def traces(self) -> Traces | None:
        """What happened during the runs; None for a baseline.

        Raises:
            StoreError: The store cannot be read.
        """
        return None if self.runs is None else read_traces(self.runs)

    @property
    def records(self) -> Sequence[RunRecord]:
        """The runs' records; none for a baseline."""
        return () if self.runs is None else self.runs.records


@dataclass(frozen=True)
class Judged:
    """A verdict and what it is about.

    Attributes:
        label: The recipe, and where a page has several settings the setting.
        against: The recipe or baseline that it was judged against; empty where the label says it.
        verdict: Also ERROR and INCOMPARABLE.
        reason: One sentence.
        remarks: What else there is to know.
        judgement: The tests; None where the runs could not be judged.
    """

    label: str
    against: str
    verdict: Verdict
    reason: str
    remarks: Sequence[str] = ()
    judgement: Judgement | None = None


@dataclass(frozen=True)
class Setting:
    """One task and one model, and the runs on them, which share a metric.

    Attributes:
        task: The task's name.
        model: The model as the user named it.
        metric: The name of the score.
        constant_score: Of the best constant predictor; None where it is not known.
        columns: The runs, recipe by recipe.
        comparison: The recipes with their tests; None where each recipe is compared with its own baseline.
    """

    task: str
    model: str
    metric: str
    constant_score: float | None
    columns: Sequence[Column]
    comparison: Comparison | None = None

    @property
    def name(self) -> str:
        """``lab/entailment, model lab``."""
        return setting_name(self.task, self.model)

    @property
    def recipes(self) -> list[RecipeRuns]:
        """The runs that are at hand, recipe by recipe."""
        return [column.runs for column in self.columns if column.runs is not None]

    @property
    def failures_known(self) -> bool:
        """Whether it is known of each run if it failed."""
        return all(runs.failures_known for runs in self.recipes)


@dataclass(frozen=True)
class Subject:
    """What a page is about.

    Attributes:
        title: In a line.
        settings: In the order of the command.
        judged: Every verdict.
        rules: By which the verdicts were given; None without verdicts.
        facts: Lines below the title: what is missing, say.
        command: What makes the page again; empty where nobody knows.
        gate: The gate's result, where there is one.
        lead: Sections before all others.
    """

    title: str
    settings: Sequence[Setting]
    judged: Sequence[Judged] = ()
    rules: Rules | None = None
    facts: Sequence[str] = ()
    command: str = ""
    gate: GateResult | None = field(default=None, repr=False)
    lead: Sequence[Section] = ()

    @property
    def recipes(self) -> list[RecipeRuns]:
        """The runs of all settings."""
        return [runs for setting in self.settings for runs in setting.recipes]

    @property
    def headed_settings(self) -> list[tuple[Setting, str]]:
        """Each setting with its heading in a section, which is empty where there is only one."""
        several = len(self.settings) > 1
        return [(setting, setting.name if several else "") for setting in self.settings]


def setting_of(comparison: Comparison) -> Setting:
    """The setting of a comparison."""
    c = comparison
    return Setting(c.task, c.model, c.metric, c.constant_score, [Column.of(runs) for runs in c.recipes], c)


def judged_comparison(comparison: Comparison, rules: Rules) -> list[Judged]:
    """The verdict of each recipe against the first; none where there is one recipe, or nobody knows which failed."""
    if len(comparison.recipes) < 2 or not all(runs.failures_known for runs in comparison.recipes):
        return []
    first = comparison.recipes[0].label
    found = []
    for label, judgement in comparison.judge(rules).items():
        noted = [f"{check.name}: {note(check)}" for check in judgement.checks if note(check)]
        remarks = [*noted, detectable(judgement)]
        found.append(Judged(label, first, judgement.verdict, reason(judgement), remarks, judgement))
    return found


def gate_subject(result: GateResult, command: str) -> Subject:
    """A gate's result: each cell with its baseline beside it."""
    several = len({(cell.baseline.task, cell.baseline.model) for cell in result.cells}) > 1
    places: dict[tuple[str, str], list[CellResult]] = {}
    for cell in result.cells:
        places.setdefault((cell.baseline.task, cell.baseline.model), []).append(cell)
    settings = []
    for (task, model), cells in places.items():
        first = cells[0].baseline
        columns = [column for cell in cells for column in _both(cell)]
        settings.append(Setting(task, model, first.metric, first.constant_score, columns))
    judged = [
        Judged(
            cell.baseline.name if several else cell.baseline.recipe,
            f"its baseline of {cell.baseline.recorded}",
            cell.verdict,
            cell_reason(cell),
            remarks(cell),
            cell.judgement,
        )
        for cell in result.cells
    ]
    title = f"Fine-tuning stability: {result.verdict}"
    return Subject(title, settings, judged, result.rules, command=command, gate=result)


def _both(cell: CellResult) -> list[Column]:
    """The new runs above their baseline's."""
    b = cell.baseline
    now = [] if cell.runs is None else [Column.of(cell.runs, b.recipe)]
    return [*now, Column(f"{b.recipe}, baseline", b.sample, list(b.scores))]
