"""Runs that nobody trained, for pages about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
from examples import record

from stabbench.gate.rules import Rules
from stabbench.records.history import History, Predictions
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Fingerprint, Outcome, RunRecord
from stabbench.report.page.build import runs_subject
from stabbench.report.page.html import as_html
from stabbench.report.page.make import page_of

CONSTANT = 0.5
SHAKY = (0.5, 0.71, None, 0.48, 0.75, 0.5, 0.69, 0.73, 0.5, 0.74)
STEADY = (0.80, 0.81, 0.79, 0.82, 0.80, 0.81, 0.80, 0.79, 0.81, 0.80)


def runs(label: str, scores: Sequence[float | None], *, kept: bool = True, **changes: object) -> RecipeRuns:
    """One run a score; none, or one no better than the constant predictor's, is a failed run's. ``kept``: histories."""
    records = []
    for seed, score in enumerate(scores):
        failed = score is None or score <= CONSTANT
        made = record(
            seed,
            recipe=label,
            score=score,
            outcome=Outcome.FAILED if failed else Outcome.OK,
            reason="no better than the best constant predictor" if failed else "",
            steps=20,
            fingerprint=Fingerprint({"recipe": label, "parameters": {"lr": 2e-5}}, {"torch": "2"}),
        )
        made = replace(made, **changes)  # type: ignore[arg-type]
        records.append(replace(made, id=made.fingerprint.run_id(made.seeds)))
    return RecipeRuns(label, records, given={r.id: history(r) for r in records} if kept else {})


def history(of: RunRecord) -> History:
    """Twenty steps: the loss of a successful run falls, and a failed one has hardly any gradient below its head."""
    failed = of.outcome is Outcome.FAILED
    losses = [None if of.score is None and step > 10 else 0.7 if failed else 0.7 - 0.03 * step for step in range(20)]
    norms = {"embeddings": 1e-4 if failed else 0.5, "block 0": 1e-3 if failed else 0.6, "head": 1.0}
    right = np.arange(40) < 40 * (of.score or 0.0)
    return History(
        losses=losses,
        probe_steps=[1, 10, 20],
        gradient_norms={part: [norm, None, norm] for part, norm in norms.items()},
        evaluation_steps=[10, 20],
        scores=[0.5, of.score],
        constant_loss=0.69,
        predictions=Predictions(right.astype(int), np.full(40, 0.75, np.float16), right, 20),
    )


def page_text(*recipes: RecipeRuns, facts: Sequence[str] = (), command: str = "stabbench report") -> str:
    """The page about those runs, in one file."""
    return as_html(page_of(runs_subject(recipes, Rules(), facts, command)), "")


class Elements(HTMLParser):
    """Every element of a page, with its attributes, and all texts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
