"""Examples that several test files need."""

from dataclasses import replace

from stabbench.records.history import History
from stabbench.records.run import Fingerprint, Outcome, RunRecord
from stabbench.records.seeds import Seeds

HISTORY = History([0.7, None, 0.5], [1, 3], {"head": [0.1, None]}, [2, 3], [0.5, 0.75], [0.6, None])


def record(seed: int = 0, **changes: object) -> RunRecord:
    made_of = Fingerprint({"recipe": "devlin", "parameters": {"lr": 2e-5}}, {"torch": "2"})
    made = RunRecord(
        id=made_of.run_id(Seeds.of(seed)),
        recipe="devlin",
        task="lab/entailment",
        model="lab",
        revision=None,
        seeds=Seeds.of(seed),
        outcome=Outcome.OK,
        reason="",
        metric="accuracy",
        score=0.75,
        constant_score=0.5,
        final_loss=0.1,
        steps=3,
        stack=1,
        seconds=1.5,
        finished="2026-01-01T00:00:00+00:00",
        fingerprint=made_of,
        kept_step=3,
        validation_score=0.7,
    )
    return replace(made, **changes)  # type: ignore[arg-type]
