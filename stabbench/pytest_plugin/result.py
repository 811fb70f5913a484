"""Assertions about a recipe's runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self, Unpack

from stabbench.escape import one_line, printable
from stabbench.gate import update
from stabbench.gate.baselines import Baseline
from stabbench.gate.baselines_file import load
from stabbench.gate.comparison import Comparison, PairTests
from stabbench.gate.gate import GateOptions, gate
from stabbench.gate.plans import baseline_of
from stabbench.gate.rules import RuleOptions, Rules, Verdict
from stabbench.gate.superiority import more_stable
from stabbench.pytest_plugin.session import Session, explained, usual_workers
from stabbench.recipes import Recipe, recipe_names
from stabbench.records.recipe_runs import RecipeRuns, check_failures_known
from stabbench.records.seeds import Seeds
from stabbench.records.setting import cell_name
from stabbench.report.as_json import as_json
from stabbench.report.comparison import comparison_text
from stabbench.report.gate import cell_reason, gate_text
from stabbench.report.numbers import p_equation, score
from stabbench.runner.execute import execute
from stabbench.runner.methods import find_method
from stabbench.runner.plan import Plan
from stabbench.runner.resources import Resources
from stabbench.statistics import Summary
from stabbench.tasks.registry import record_name


@dataclass
class StabilityResult:
    """The runs of one recipe, and assertions about them. Every assertion returns the result itself.

    Attributes:
        session: The session of the test.
        plan: The recipe, task, model and seeds.
        resources: How they are trained.
        baseline: The stored baseline; None where there is none.
    """

    session: Session
    plan: Plan
    resources: Resources
    baseline: Baseline | None

    @property
    def label(self) -> str:
        """The recipe's label."""
        return self.plan.recipes[0].label

    @cached_property
    def runs(self) -> RecipeRuns:
        """The runs, trained at the first access."""
        runs = self._executed(self.plan, self.resources)
        self.session.note_for_benchmark(self._name, runs.to_json())
        return runs

    @property
    def summary(self) -> Summary:
        """The number of runs and of failed runs, mean, standard deviation and so on."""
        return self.runs.summary

    def has_no_failed_runs(self) -> Self:
        """No run failed: each beats the best constant predictor, and its loss and predictions are finite."""
        __tracebackhide__ = True
        return self.failed_at_most(0)

    def failed_at_most(self, runs: int) -> Self:
        """At most ``runs`` runs failed."""
        __tracebackhide__ = True
        if not self.runs.failures_known:
            self._fail("nobody knows which runs failed: give constant_score, that of the best constant predictor")
        if self.runs.failed > runs:
            self._fail(f"{self.runs.failed} of {len(self.runs.records)} runs failed, {runs} are allowed")
        return self

    def std_below(self, limit: float) -> Self:
        """The standard deviation of the scores, those of failed runs included, is below ``limit``."""
        __tracebackhide__ = True
        if not limit > 0:
            self._fail(f"std_below takes a limit above 0, got {limit}")
        if self.summary.std is None:
            self._fail("a standard deviation needs two runs with a score")
        elif self.summary.std >= limit:
            self._fail(
                f"the standard deviation of the {self._metric} is {score(self.summary.std, 4)}, not below {limit:g}"
            )
        return self

    def mean_above(self, limit: float) -> Self:
        """The mean score, failed runs included, is above ``limit``."""
        __tracebackhide__ = True
        if self.summary.mean is None or self.summary.mean <= limit:
            self._fail(f"the mean {self._metric} is {score(self.summary.mean, 4)}, not above {limit:g}")
        return self

    def not_less_stable_than_baseline(self, **rules: Unpack[RuleOptions]) -> Self:
        """The gate's verdict against the stored baseline: FAIL fails the test, INCONCLUSIVE is an outcome of its own.

        Args:
            rules: Fields of :class:`stabbench.gate.rules.Rules`, such as ``mean_margin=0.03``. Alpha is divided among
                all cells of the baselines file that ran on the same kind of device.
        """
        __tracebackhide__ = True
        with explained():
            if self.session.settings.update:
                self._undecided(f"{one_line(self._name)}: {self._update()}; nothing was judged")
                return self
            if self.baseline is None:
                self._fail(self._no_baseline())
                return self
            options = self._gate_options(Rules(**rules))
            with self.session.shown_progress() as progress:
                result = gate([self.baseline], options, self.resources, progress)
        for judged in result.cells:
            if judged.runs is not None:
                self.session.note_origin(judged.runs)
        (cell,) = as_json(result)["cells"]
        self.session.note_for_benchmark(self._name, {"verdict": cell["verdict"], "judgement": cell["judgement"]})
        if result.verdict is Verdict.INCONCLUSIVE:
            self._undecided(f"{one_line(cell_reason(result.cells[0]))}\n\n{gate_text(result)}")
        elif result.verdict is not Verdict.PASS:
            self._fail(f"{result.verdict}: {one_line(cell_reason(result.cells[0]))}\n\n{gate_text(result)}")
        return self

    def more_stable_than(self, other: str | Recipe, *, alpha: float = 0.05) -> Self:
        """Significantly fewer failed runs or a smaller spread than another recipe on the same seeds, and neither worse.

        Holm's correction is over the four one-sided tests. INCONCLUSIVE where there are too few runs.
        """
        __tracebackhide__ = True
        reference = self._other(other)
        found = more_stable(self.runs.sample, reference.sample, alpha=alpha)
        if self.runs.sample.collapsed:
            self._fail(f"every run of {self.label} failed: that is no stability")
        elif found.less_stable:
            self._fail(f"{self.label} is less stable than {reference.label}", reference)
        elif found.verdict is not Verdict.PASS:
            shown = "\n".join(
                f"{check.name}: better, {p_equation(p)}" for check, p in zip(found.checks, found.p_better, strict=True)
            )
            text = f"{self.label} is not shown to be more stable than {reference.label}\n{shown}"
            if found.verdict is Verdict.FAIL:
                self._fail(text, reference)
            self._undecided(text + self._table(reference))
        return self

    def against(self, other: str | Recipe) -> PairTests:
        """All tests of :command:`stabbench compare` against another recipe on the same seeds."""
        __tracebackhide__ = True
        return PairTests.of(self.runs, self._other(other))

    @property
    def _name(self) -> str:
        return cell_name(self.label, record_name(self.plan.task), self.plan.model)

    @property
    def _metric(self) -> str:
        return self.runs.records[0].metric

    def _other(self, other: str | Recipe) -> RecipeRuns:
        __tracebackhide__ = True
        with explained():
            recipe = find_method(other) if isinstance(other, str) else other
            # A recipe of the test file among those of a plugin: only this process knows it.
            workers = self.resources.workers if usual_workers(recipe) is None else 1
            resources = replace(self.resources, workers=workers)
            return self._executed(replace(self.plan, recipes=[recipe]), resources)

    def _executed(self, plan: Plan, resources: Resources) -> RecipeRuns:
        __tracebackhide__ = True
        with explained(), self.session.shown_progress() as progress:
            done = execute(plan, resources, progress).check_complete()
        (runs,) = done.results()
        self.session.note_origin(runs)
        return runs

    def _gate_options(self, rules: Rules) -> GateOptions:
        assert self.baseline is not None
        device = self.baseline.environment.get("device")
        cells = load(self.session.settings.baselines).values()
        return GateOptions(
            rules=rules,
            sequential=self.session.settings.sequential,
            plans={self.baseline.name: self.plan},
            family_cells=sum(cell.environment.get("device") == device for cell in cells),
        )

    def _update(self) -> str:
        settings = self.session.settings
        check_failures_known([self.runs])
        if self.baseline is None:
            update.add([baseline_of(self.plan, self.runs.records)], settings.baselines)
            return f"recorded in {settings.baselines} with {len(self.runs.records)} runs"
        plan = replace(self.plan, seeds=[Seeds.of(seed) for seed in self.baseline.scores])
        records = self._executed(plan, self.resources).records
        new = update.new_baseline(self.baseline, records)
        made = update.replace(self.baseline, new, "", settings.baselines)
        return "its baseline is unchanged" if made == self.baseline else f"updated in {settings.baselines}"

    def _no_baseline(self) -> str:
        file, plan = self.session.settings.baselines, self.plan
        ways = [f"with these {len(plan.seeds)} runs:\n  pytest --stability-update"]
        if plan.recipes[0].name in recipe_names() and isinstance(plan.task, str):
            options = [
                f" --{option.replace('_', '-')} {value}"
                for option in ("task", "model", "revision", "data_dir", "max_steps")
                if (value := getattr(plan, option)) is not None
            ]
            options += [f" --plugin {plugin}" for plugin in self.resources.plugins]
            command = f"stabbench baseline record {self.label}{''.join(options)} --baselines {file}"
            ways.insert(0, f"with a bank of runs:\n  {command}")
        listed = "\nor ".join(ways)
        return f"there is no baseline of {one_line(self._name)} in {file}. Record one, and commit the file,\n{listed}"

    def _undecided(self, text: str) -> None:
        self.session.undecided.append(printable(text))

    def _fail(self, reason: str, *others: RecipeRuns) -> None:
        __tracebackhide__ = True
        raise AssertionError(printable(f"{one_line(self._name)}: {reason}{self._table(*others)}"))

    def _table(self, *others: RecipeRuns) -> str:
        """The comparison of the runs, and every score."""
        if "runs" not in vars(self):  # nothing is trained for a message
            return ""
        table = Comparison.of_runs([*others, self.runs])
        scores = [f"{runs.label}: {_scores(runs)}" for runs in table.recipes]
        return "\n\n" + "\n".join([comparison_text(table), "", "scores by seed (! failed):", *scores])


def _scores(runs: RecipeRuns) -> str:
    failed = runs.sample.failed
    return "  ".join(
        f"{r.seeds.seed}:{score(r.score, 4)}{'!' if bad else ''}" for r, bad in zip(runs.records, failed, strict=True)
    )
