"""What a test can say of a recipe's runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from stabbench import recording
from stabbench.baselines import Baseline, cell_name, load
from stabbench.comparison import Comparison, PairTests, RecipeRuns
from stabbench.experiment import Execution, execute
from stabbench.gate import GateOptions, gate
from stabbench.plan import Plan
from stabbench.pytest_plugin.session import Session, explained
from stabbench.recipes import Recipe, parse_recipe, recipe_names
from stabbench.report import as_json, as_text
from stabbench.seeds import Seeds
from stabbench.statistics import Summary, holm
from stabbench.verdict import FIXED, Rules, Verdict, measure


@dataclass
class StabilityResult:
    """The runs of one recipe, and what can be asserted of them. Every assertion gives the result back.

    Attributes:
        session: The test's.
        plan: What was asked for.
        baseline: The stored one, if there is one.
    """

    session: Session
    plan: Plan
    baseline: Baseline | None
    _done: Execution | None = field(default=None, init=False)

    @property
    def label(self) -> str:
        """The recipe."""
        return self.plan.recipes[0].label

    @cached_property
    def runs(self) -> RecipeRuns:
        """Every run, trained when first asked for."""
        runs, self._done = self._executed(self.plan)
        self.session.note_for_benchmark(self._name, runs.to_json())
        return runs

    @property
    def summary(self) -> Summary:
        """Planned, failed, mean, std and so on."""
        return self.runs.summary

    def has_no_failed_runs(self) -> Self:
        """No run ended at the constant predictor, or with a loss or prediction that is not finite."""
        __tracebackhide__ = True
        return self.failed_at_most(0)

    def failed_at_most(self, runs: int) -> Self:
        """So many failed runs at most."""
        __tracebackhide__ = True
        if self.runs.failed > runs:
            self._fail(f"{self.runs.failed} of {len(self.runs.records)} runs failed, {runs} are allowed")
        return self

    def std_below(self, limit: float) -> Self:
        """The standard deviation of the scores, those of failed runs included."""
        __tracebackhide__ = True
        if not limit > 0:
            self._fail(f"std_below takes a limit above 0, got {limit}")
        if self.summary.std is None:
            self._fail("a standard deviation takes two runs with a score")
        elif self.summary.std >= limit:
            self._fail(f"the standard deviation of the {self._metric} is {self.summary.std:.4f}, not below {limit:g}")
        return self

    def mean_above(self, limit: float) -> Self:
        """The mean score, those of failed runs included."""
        __tracebackhide__ = True
        if self.summary.mean is None or self.summary.mean <= limit:
            self._fail(f"the mean {self._metric} is {_text(self.summary.mean)}, not above {limit:g}")
        return self

    def not_less_stable_than_baseline(self, **rules: Any) -> Self:
        """The verdict against the stored baseline: FAIL fails, INCONCLUSIVE is shown as such.

        Args:
            rules: Fields of :class:`stabbench.verdict.Rules`, such as ``mean_margin=0.03``. Alpha is shared out among
                all cells of the baselines file that ran on the same kind of device.
        """
        __tracebackhide__ = True
        with explained():
            if self.session.settings.update:
                self._undecided(f"{self._name}: {self._update()}; nothing was judged")
                return self
            if self.baseline is None:
                self._fail(self._no_baseline())
                return self
            options = self._gate_options(Rules(**rules))
            with self.session.watching() as watching:
                result = gate([self.baseline], options, self.session.settings.store, watching)
        (cell,) = as_json(result)["cells"]
        self.session.note_for_benchmark(self._name, {"verdict": cell["verdict"], "judgement": cell["judgement"]})
        if result.verdict is Verdict.INCONCLUSIVE:
            self._undecided(f"{result.cells[0].reason}\n\n{as_text(result)}")
        elif result.verdict is not Verdict.PASS:
            self._fail(f"{result.verdict}: {result.cells[0].reason}\n\n{as_text(result)}")
        return self

    def more_stable_than(self, other: str | Recipe, *, alpha: float = 0.05) -> Self:
        """Significantly fewer failed runs or a smaller spread than another recipe on the same seeds, and neither worse.

        Holm's correction over the four one-sided tests. Where the runs are too few to tell, INCONCLUSIVE.
        """
        __tracebackhide__ = True
        reference = self._other(other)
        if self.runs.sample.collapsed:
            self._fail(f"every run of {self.label} failed: that is no stability")
        checks = measure(self.runs.sample, reference.sample, Rules(alpha=alpha), FIXED)[:2]
        p_values = holm([p for check in checks for p in (check.test.p_better, check.test.p_worse)])
        better = [p is not None and p <= alpha for p in p_values[::2]]
        worse = [
            p is not None and p <= alpha and check.over_floor for p, check in zip(p_values[1::2], checks, strict=True)
        ]
        shown = "\n".join(f"{c.name}: better, p = {_text(p)}" for c, p in zip(checks, p_values[::2], strict=True))
        if any(worse):
            self._fail(f"{self.label} is less stable than {reference.label}", reference)
        elif not any(better):
            text = f"{self.label} is not shown to be more stable than {reference.label} with so few runs\n{shown}"
            if self.runs.failed >= reference.failed and (self.summary.std or 0) >= (reference.summary.std or 0):
                self._fail(text, reference)
            self._undecided(text + self._table(reference))
        return self

    def against(self, other: str | Recipe) -> PairTests:
        """All tests of :command:`stabbench compare` against another recipe on the same seeds, Levene's among them."""
        __tracebackhide__ = True
        return PairTests.of(self.runs, self._other(other))

    @property
    def _name(self) -> str:
        return cell_name(self.label, self.plan.task, self.plan.model)

    @property
    def _metric(self) -> str:
        return self.runs.records[0].metric

    def _other(self, other: str | Recipe) -> RecipeRuns:
        __tracebackhide__ = True
        with explained():
            recipe = parse_recipe(other) if isinstance(other, str) else other
            return self._executed(replace(self.plan, recipes=[recipe]))[0]

    def _executed(self, plan: Plan) -> tuple[RecipeRuns, Execution]:
        __tracebackhide__ = True
        with explained(), self.session.watching() as watching:
            done = execute(plan, self.session.settings.store, watching).check_complete()
        ((label, records),) = done.runs.items()
        return RecipeRuns(label, records), done

    def _gate_options(self, rules: Rules) -> GateOptions:
        assert self.baseline is not None
        device = self.baseline.environment.get("device")
        cells = load(self.session.settings.baselines).values()
        return GateOptions(
            rules=rules,
            sequential=self.session.settings.sequential,
            plans={self._name: self.plan},
            family_cells=sum(cell.environment.get("device") == device for cell in cells),
        )

    def _update(self) -> str:
        settings = self.session.settings
        if self.baseline is None:
            recording.add([Baseline.of(self.runs.records)], settings.baselines)
            return f"recorded in {settings.baselines} with {len(self.runs.records)} runs"
        plan = replace(self.plan, seeds=[Seeds.of(seed) for seed in self.baseline.scores])
        records = self._executed(plan)[0].records
        new = recording.renewed(self.baseline, records)
        made = recording.replace(self.baseline, new, "", settings.baselines)
        return "its baseline is unchanged" if made == self.baseline else f"updated in {settings.baselines}"

    def _no_baseline(self) -> str:
        file, plan = self.session.settings.baselines, self.plan
        ways = [f"with these {len(plan.seeds)} runs:\n  pytest --stability-update"]
        if plan.recipes[0].name in recipe_names():
            options = [
                f" --{option.replace('_', '-')} {value}"
                for option in ("task", "model", "revision", "data_dir", "max_steps")
                if (value := getattr(plan, option)) is not None
            ]
            command = f"stabbench baseline record {self.label}{''.join(options)} --baselines {file}"
            ways.insert(0, f"with a bank of runs:\n  {command}")
        listed = "\nor ".join(ways)
        return f"there is no baseline of {self._name} in {file}. Record one, and commit the file,\n{listed}"

    def _undecided(self, text: str) -> None:
        self.session.undecided.append(text)

    def _fail(self, reason: str, *others: RecipeRuns) -> None:
        __tracebackhide__ = True
        raise AssertionError(f"{self._name}: {reason}{self._table(*others)}")

    def _table(self, *others: RecipeRuns) -> str:
        """The runs in numbers, every score among them."""
        if self._done is None:
            return ""
        task = self._done.task
        table = Comparison(task.name, self.plan.model, task.metric, task.constant_score, [*others, self.runs])
        scores = [f"{runs.label}: {_scores(runs)}" for runs in table.recipes]
        return "\n\n" + "\n".join([str(table), "", "scores by seed (! failed):", *scores])


def _scores(runs: RecipeRuns) -> str:
    failed = runs.sample.failed
    return "  ".join(
        f"{r.seeds.seed}:{_text(r.score)}{'!' if bad else ''}" for r, bad in zip(runs.records, failed, strict=True)
    )


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
