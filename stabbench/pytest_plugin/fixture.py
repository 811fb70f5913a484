"""The ``stability`` fixture: assertions about recipes that read like sentences.

::

    def test_our_recipe(stability):
        result = stability.run("mosbach:lr=1e-5", task="glue/rte", model="bert-large-uncased", data_dir="GLUE")
        result.has_no_failed_runs()
        result.std_below(0.03)
        result.not_less_stable_than_baseline()
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import pytest

from stabbench import recording
from stabbench.baselines import Baseline, cell_name, load
from stabbench.comparison import Comparison, PairTests, RecipeRuns
from stabbench.errors import StabbenchError
from stabbench.experiment import Execution, Watcher, execute
from stabbench.gate import GateOptions, gate
from stabbench.plan import DEFAULT_MODEL, DEFAULT_TASK, Plan
from stabbench.progress import watcher
from stabbench.recipes import Recipe, parse_recipe
from stabbench.report import as_json, as_text
from stabbench.seeds import Seeds
from stabbench.statistics import Summary, holm
from stabbench.verdict import FIXED, Rules, Verdict, measure


@dataclass(frozen=True)
class Settings:
    """The options of the test run."""

    seeds: int
    store: Path
    baselines: Path
    sequential: bool
    update: bool
    device: str


class Stability:
    """Runs recipes for a test.

    Args:
        settings: The options.
        undecided: Filled by the test's results with what could not be decided.
        request: Of the test.
    """

    def __init__(self, settings: Settings, undecided: list[str], request: pytest.FixtureRequest) -> None:
        self.settings = settings
        self.undecided = undecided
        self._request = request

    def run(
        self,
        recipe: str | Recipe,
        *,
        task: str = DEFAULT_TASK,
        model: str = DEFAULT_MODEL,
        seeds: int | Sequence[int] | None = None,
        **options: Any,
    ) -> StabilityResult:
        """Train a recipe over seeds, or take what the store has.

        Args:
            recipe: Such as ``"mosbach"`` or ``"devlin:lr=3e-5"``, or a :class:`stabbench.Recipe`.
            task: Such as ``"lab/entailment"`` or ``"glue/rte"``.
            model: ``"lab"``, a local folder or a hub id.
            seeds: Their number (none of them the baseline's, if there is one), or a list; by default the number that
                ``--stability-seeds`` says.
            options: Further fields of :class:`stabbench.plan.Plan`, such as ``data_dir``, ``max_steps`` or ``workers``.
        """
        __tracebackhide__ = True
        with _explained():
            made = parse_recipe(recipe) if isinstance(recipe, str) else recipe
            if options.get("data_dir") is not None:
                options["data_dir"] = Path(options["data_dir"])
            # Each process of pytest-xdist trains by itself; and a recipe of a test file is known in this process only.
            own = not type(made).__module__.startswith("stabbench.")
            options.setdefault("workers", 1 if own or "PYTEST_XDIST_WORKER" in os.environ else None)
            baseline = load(self.settings.baselines, must_exist=False).get(cell_name(made.label, task, model))
            count = self.settings.seeds if seeds is None else seeds
            if isinstance(count, int):
                numbers = baseline.fresh_seeds(count) if baseline else list(range(count))
            else:
                numbers = list(count)
            plan = Plan(
                recipes=[made],
                task=task,
                model=model,
                seeds=[Seeds.of(n) for n in numbers],
                **{"device": self.settings.device, **options},
            )
            result = StabilityResult(self, plan, baseline)
            if not self.settings.sequential:
                _ = result.runs
            return result

    def note_for_benchmark(self, name: str, content: dict[str, Any]) -> None:
        """Put a result beside the timings of pytest-benchmark, where the test has its fixture."""
        if "benchmark" in self._request.fixturenames:
            benchmark = self._request.getfixturevalue("benchmark")
            benchmark.extra_info.setdefault("stability", {}).setdefault(name, {}).update(content)

    @contextlib.contextmanager
    def watching(self) -> Iterator[Watcher]:
        """Progress past pytest's capturing; trainings take minutes. Quiet under pytest-xdist."""
        capture = self._request.config.pluginmanager.getplugin("capturemanager")
        if capture is None or "PYTEST_XDIST_WORKER" in os.environ:
            yield Watcher()
            return
        with capture.global_and_fixture_disabled(), watcher() as watching:
            yield watching


@dataclass
class StabilityResult:
    """The runs of one recipe, and what can be asserted of them. Every assertion gives the result back.

    Attributes:
        stability: The fixture.
        plan: What was asked for.
        baseline: The stored one, if there is one.
    """

    stability: Stability
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
        self.stability.note_for_benchmark(self._name, runs.to_json())
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
        with _explained():
            if self.stability.settings.update:
                self._undecided(f"{self._name}: {self._update()}; nothing was judged")
                return self
            if self.baseline is None:
                self._fail(self._no_baseline())
                return self
            options = self._gate_options(Rules(**rules))
            with self.stability.watching() as watching:
                result = gate([self.baseline], options, self.stability.settings.store, watching)
        (cell,) = as_json(result)["cells"]
        self.stability.note_for_benchmark(self._name, {"verdict": cell["verdict"], "judgement": cell["judgement"]})
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
        better, worse = ([p is not None and p <= alpha for p in p_values[i::2]] for i in (0, 1))
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
        with _explained():
            recipe = parse_recipe(other) if isinstance(other, str) else other
            plan = Plan(**{**vars(self.plan), "recipes": [recipe]})
            return self._executed(plan)[0]

    def _executed(self, plan: Plan) -> tuple[RecipeRuns, Execution]:
        __tracebackhide__ = True
        with _explained(), self.stability.watching() as watching:
            done = execute(plan, self.stability.settings.store, watching).check_complete()
        ((label, records),) = done.runs.items()
        return RecipeRuns(label, records), done

    def _gate_options(self, rules: Rules) -> GateOptions:
        assert self.baseline is not None
        device = self.baseline.environment.get("device")
        cells = load(self.stability.settings.baselines).values()
        plan = {name: getattr(self.plan, name) for name in ("data_dir", "stack", "workers", "allow_pickle")}
        return GateOptions(
            seeds=[s.seed for s in self.plan.seeds],
            rules=rules,
            sequential=self.stability.settings.sequential,
            device=self.plan.device,
            plan=plan,
            recipes={self.label: self.plan.recipes[0]},
            family_cells=sum(cell.environment.get("device") == device for cell in cells),
        )

    def _update(self) -> str:
        settings = self.stability.settings
        if self.baseline is None:
            recording.add([Baseline.of(self.runs.records)], settings.baselines, settings.store)
            return f"recorded in {settings.baselines} with {len(self.runs.records)} runs"
        options = {"workers": self.plan.workers, "data_dir": self.plan.data_dir, "device": self.plan.device}
        with self.stability.watching() as watching:
            new = recording.rerun(self.baseline, None, settings.store, options, watching, recipe=self.plan.recipes[0])
        made = recording.replace(self.baseline, new, "", settings.baselines, settings.store)
        return "its baseline is unchanged" if made == self.baseline else f"updated in {settings.baselines}"

    def _no_baseline(self) -> str:
        file = self.stability.settings.baselines
        where = "" if self.plan.model == DEFAULT_MODEL else f" --model {self.plan.model}"
        return (
            f"there is no baseline of {self._name} in {file}. Record one, and commit the file:\n"
            f"  stabbench baseline record {self.label} --task {self.plan.task}{where} --baselines {file}\n"
            f"or with these {len(self.plan.seeds)} runs:\n"
            "  pytest --stability-update"
        )

    def _undecided(self, text: str) -> None:
        self.stability.undecided.append(text)

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


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """A StabbenchError says what to do; its traceback says nothing more."""
    __tracebackhide__ = True
    try:
        yield
    except StabbenchError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
