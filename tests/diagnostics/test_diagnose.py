"""Each cause is named where it is planted in a history, and none in the history of a good run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from examples import record

from stabbench.diagnostics.causes import EXPLANATIONS, Cause
from stabbench.diagnostics.diagnose import diagnose, diagnose_failed
from stabbench.records.history import Components, History, Predictions
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Outcome, RunRecord
from stabbench.report.diagnosis import failures_line

STEPS, EXAMPLES = 200, 400
PROBES = list(range(1, STEPS + 1, 10))
CHANCE = 0.693


def curve(*levels: float) -> list[float | None]:
    """Losses that go through these levels, with a little noise."""
    noise = np.random.default_rng(0).normal(0, 0.02, STEPS)
    path = np.interp(np.arange(STEPS), np.linspace(0, STEPS - 1, len(levels)), levels)
    return [float(value) for value in np.abs(path + noise)]


def norms(low: float, head: float = 0.5) -> dict[str, list[float | None]]:
    """Gradient norms that start at .5 and are at these levels from the fifth probe on."""
    late = len(PROBES) - 5
    return {"block 0": [0.5] * 5 + [low] * late, "block 1": [0.5] * len(PROBES), "head": [0.5] * 5 + [head] * late}


def history(moved: float = 1.0, one: bool = False, **changes: Any) -> History:
    """That of a good run, but for the changes."""
    values = np.full((len(PROBES), 1), moved, np.float32)
    classes = np.zeros(EXAMPLES, np.uint8) if one else np.arange(EXAMPLES, dtype=np.uint8) % 2
    good = History(
        losses=curve(0.7, 0.3, 0.2, 0.1),
        probe_steps=PROBES,
        gradient_norms=norms(0.4),
        evaluation_steps=[100, STEPS],
        scores=[0.75, 0.75],
        constant_loss=CHANCE,
        learning_rates=[1e-5] * len(PROBES),
        components=Components(["w"], ["block 0"], [100], values, values, values, values),
        predictions=Predictions(classes, np.ones(EXAMPLES, np.float16), classes == 0, STEPS),
    )
    return replace(good, **changes)


def failed(seed: int = 9, **changes: Any) -> RunRecord:
    return record(seed, **{"outcome": Outcome.FAILED, "score": 0.5, "reason": "no better", **changes})


def cell(run: RunRecord, its: History, good: int = 3) -> RecipeRuns:
    """That run among good ones."""
    others = [record(seed, id=f"good {seed}") for seed in range(good)]
    given = {run.id: its, **{other.id: history() for other in others}}
    return RecipeRuns("devlin", [run, *others], given=given)


FLAT = curve(0.7, 0.69, 0.69)
SPIKED = curve(0.7, 0.3, 0.2, 0.15, 0.69, 0.69, 0.69)
SPIKED[100:104] = [6.0, 4.0, 2.0, 1.5]
PLANTED: dict[Cause, list[tuple[RunRecord, History]]] = {
    Cause.NON_FINITE: [
        (failed(score=None), history(losses=[*FLAT[:150], None, *FLAT[151:]])),
        (failed(score=None, reason="a prediction is not finite"), history()),
    ],
    Cause.NEVER_MOVED: [
        (failed(), history(moved=0.0, losses=FLAT)),
        (failed(), history(moved=1e-6, losses=FLAT, gradient_norms=norms(0.001))),
        (failed(), history(components=None, losses=FLAT, learning_rates=[0.0] * len(PROBES))),
    ],
    Cause.SPIKE: [(failed(), history(losses=SPIKED))],
    Cause.LATE_COLLAPSE: [
        (failed(), history(losses=curve(0.7, 0.3, 0.3, 0.69, 0.69, 0.69))),
        (failed(), history(losses=FLAT, scores=[0.75, 0.5])),
    ],
    Cause.NO_GENERALISATION: [(failed(), history(scores=[0.5, 0.5]))],
    Cause.VANISHING_GRADIENTS: [
        (failed(), history(losses=FLAT, scores=[0.5, 0.5], gradient_norms=norms(0.001))),
        (failed(), history(losses=FLAT, scores=[0.5, 0.5], gradient_norms=norms(0.0))),
    ],
    Cause.PLATEAU: [(failed(), history(losses=FLAT, scores=[0.5, 0.5]))],
    Cause.CONSTANT_PREDICTIONS: [
        (failed(), history(one=True, losses=curve(0.7, 0.5, 0.5), scores=[0.5, 0.5])),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("cause", "number"), [(c, n) for c, planted in PLANTED.items() for n in range(len(planted))])
def test_a_planted_cause_is_named(cause: Cause, number: int) -> None:
    (found,) = diagnose_failed(cell(*PLANTED[cause][number]))
    assert found.cause is cause
    assert found.evidence
    assert (found.lacking == "") == (PLANTED[cause][number][1].components is not None)


def test_every_cause_is_planted_and_explained() -> None:
    assert set(PLANTED) == set(EXPLANATIONS) == set(Cause)


def test_a_good_run_has_none() -> None:
    run = record(9, id="good 9")
    assert [found.cause for found in diagnose(cell(run, history()))] == [None] * 4


def test_without_successful_runs_a_run_is_compared_with_its_own_start() -> None:
    run, its = PLANTED[Cause.VANISHING_GRADIENTS][0]
    (found,) = diagnose_failed(cell(run, its, good=0))
    assert found.cause is Cause.VANISHING_GRADIENTS
    assert "its highest in the first half" in found.evidence


def test_gradients_that_fall_everywhere_are_not_those_that_vanish_below() -> None:
    its = history(losses=FLAT, scores=[0.5, 0.5], gradient_norms=norms(0.001, head=0.001))
    (found,) = diagnose_failed(cell(failed(), its))
    assert found.cause is Cause.PLATEAU


def test_a_score_above_the_constant_by_chance_is_no_success() -> None:
    """Of 400 examples a rate of .5 is known to .025."""
    lucky = record(9, score=0.52)
    its = history(losses=FLAT, scores=[0.52, 0.52], gradient_norms=norms(0.001))
    (found,) = diagnose(cell(lucky, its), [lucky])
    assert found.cause is Cause.VANISHING_GRADIENTS


def test_one_step_that_is_bad_and_recovered_from_is_no_cause() -> None:
    losses = curve(0.7, 0.3, 0.2, 0.1)
    losses[100:104] = [6.0, 4.0, 2.0, 1.0]
    run = record(9)
    (found,) = diagnose(cell(run, history(losses=losses)), [run])
    assert found.cause is None


def test_of_a_few_steps_no_curve_shows_a_cause() -> None:
    """A training of four epochs with a loss each, say."""
    short = History(losses=[0.7, 0.69, 0.7, 0.69])
    (found,) = diagnose_failed(cell(failed(steps=4), short))
    assert found.cause is None
    assert found.evidence.startswith("too little is recorded to tell: 4 steps are fewer than the 20")
    (broken,) = diagnose_failed(cell(failed(steps=4), History(losses=[0.7, None, None, None])))
    assert broken.cause is Cause.NON_FINITE, "what was computed shows it"
    logged = History(losses=[0.7, 0.69, 0.7], loss_steps=[500, 1000, 1500])
    (long,) = diagnose_failed(cell(failed(steps=1500), logged))
    assert long.cause is Cause.PLATEAU
    assert long.evidence == "the training loss is 0.69 at its lowest, the first being 0.70", "nobody said another level"


def test_predictions_as_training_code_gives_them() -> None:
    learnt = curve(0.7, 0.5, 0.5, 0.5)
    for given, cause in ((["a"] * 9, Cause.CONSTANT_PREDICTIONS), (["a", "b"], None), (["a"], None)):
        its = History(losses=learnt, given_predictions=given, constant_loss=CHANCE)
        (found,) = diagnose_failed(cell(failed(steps=STEPS), its))
        assert found.cause is cause
        assert "predictions" not in found.lacking


def test_what_was_not_kept_is_said() -> None:
    run = failed()
    old = History(losses=FLAT, probe_steps=PROBES, gradient_norms=norms(0.4), scores=[0.5], evaluation_steps=[STEPS])
    (found,) = diagnose_failed(cell(run, old))
    assert (found.cause, found.lacking) == (Cause.PLATEAU, "distances to the start, predictions")
    (nothing,) = diagnose_failed(RecipeRuns("devlin", [run]))
    assert (nothing.cause, nothing.lacking) == (None, "its history")
    (empty,) = diagnose_failed(cell(run, History()))
    assert empty.cause is None


def test_a_recipe_has_one_line() -> None:
    runs = [replace(run, id=f"{n}") for n, (run, _) in enumerate(PLANTED[Cause.PLATEAU] * 2 + PLANTED[Cause.SPIKE])]
    histories = [PLANTED[Cause.PLATEAU][0][1]] * 2 + [PLANTED[Cause.SPIKE][0][1]]
    made = RecipeRuns("devlin", [*runs, record()], given={r.id: h for r, h in zip(runs, histories, strict=True)})
    assert failures_line(made) == "3 of 4 failed: 2 plateau, 1 spike"
    assert failures_line(RecipeRuns("devlin", [record()])) == ""
