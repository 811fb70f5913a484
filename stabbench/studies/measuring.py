"""Measures with the kept weights of a study's runs: what :mod:`stabbench.studies.with_weights` holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from stabbench.errors import StudyError
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Outcome, RunRecord
from stabbench.records.weights import kept_weights
from stabbench.runner.cells import RecipeCell, ResolvedRecipes
from stabbench.runner.measure_weights import perplexities, plane
from stabbench.runner.progress import Progress
from stabbench.runner.resources import Resources
from stabbench.studies.with_weights import MaskedWords, Measured, Surface
from stabbench.tasks.lab.tasks import held_out_sentences

# Mosbach et al. 2021, appendix: both axes, their points, and the examples.
AXIS, POINTS, EXAMPLES = (-1.5, 1.5), 40, 128
# Of the straight line between the two trained models.
BETWEEN = 21
# Runs of each kind, as in Mosbach et al. 2021, Fig. 2.
OF_A_KIND = 3
# The most texts, evenly spread over a file; and sentences of the lab.
TEXTS = 400

Ended = Sequence[tuple[RecipeCell, RunRecord]]


def measure_surface(
    resolved: ResolvedRecipes,
    runs: Sequence[RecipeRuns],
    place: tuple[str, str, str],
    resources: Resources,
    progress: Progress,
    *,
    gradients: bool,
) -> Surface:
    """The surface of a plan: through the first run that failed and the best of the first recipe that has any.

    Raises:
        StabbenchError: Weights cannot be read, or memory is short.
    """
    axis = np.linspace(*AXIS, POINTS)
    failed, successful = (_ended(resolved, runs, outcome)[:1] for outcome in (Outcome.FAILED, Outcome.OK))
    if not failed or not successful:
        none = np.full((POINTS, POINTS), math.nan)
        first, second = (found[0][1] if found else None for found in (failed, successful))
        return Surface(place, first, second, axis, none, none)
    progress.note(f"{resolved.task_name}: {POINTS**2:,} points of the surface")
    grid = [(float(a), float(b)) for b in axis for a in axis]
    corners = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]
    line = [(float(1 - t), float(t)) for t in np.linspace(0, 1, BETWEEN)]
    weights = (kept_weights(resources.store, failed[0][1]), kept_weights(resources.store, successful[0][1]))
    found = plane(
        resolved, resources, failed[0], weights, [*grid, *corners, *line],
        gradients=gradients, examples=EXAMPLES, progress=progress,
    )  # fmt: skip
    both = list(zip(found.losses, found.norms, strict=True))
    losses, norms = np.array(both[: len(grid)]).T.reshape(2, POINTS, POINTS)
    rest = both[len(grid) :]
    return Surface(
        place, failed[0][1], successful[0][1], axis,
        np.where(np.isfinite(losses), losses, math.nan), np.where(np.isfinite(norms), norms, math.nan),
        rest[: len(corners)], rest[len(corners) :], resolved.task.constant_loss,
    )  # fmt: skip


def measure_masked_words(
    resolved: ResolvedRecipes,
    runs: Sequence[RecipeRuns],
    place: tuple[str, str, str],
    resources: Resources,
    progress: Progress,
    texts: str,
) -> MaskedWords:
    """The perplexities of some failed and some successful runs of a plan.

    Raises:
        StabbenchError: The model does not predict masked words, weights cannot be read, or there are no texts.
    """
    used = texts_of(texts, resolved.model.name)
    chosen = [
        record for outcome in (Outcome.FAILED, Outcome.OK) for _, record in _ended(resolved, runs, outcome)[:OF_A_KIND]
    ]
    if not chosen:
        return MaskedWords(place, [], [], None, len(used))
    progress.note(f"{resolved.task_name}: perplexities of {len(chosen)} runs on {len(used)} texts")
    weights = [kept_weights(resources.store, record) for record in chosen]
    found = perplexities(resolved, resources, weights, used, progress)
    return MaskedWords(place, chosen, [each.put_back for each in found], found[0].pretrained, len(used))


def texts_of(file: str, model: str) -> list[str]:
    """The texts whose words are masked: of a file one a line, or for the lab's model sentences of its language.

    Raises:
        StudyError: There is no such file, it has no text, or another model needs one.
    """
    if not file:
        if model != "lab":
            raise StudyError(
                f"no texts to ask model {model!r} for masked words of",
                "give a file of plain text with --texts, such as the test set of WikiText-2",
            )
        return held_out_sentences(TEXTS)
    try:
        lines = [line.strip() for line in Path(file).read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise StudyError(f"the texts {file} cannot be read: {error}", "give a file of plain text, in UTF-8") from error
    # Headings of WikiText are no sentences.
    found = [line for line in lines if line and not (line.startswith("= ") and line.endswith(" ="))]
    if not found:
        raise StudyError(f"the file {file} has no text", "each line is one")
    places = np.linspace(0, len(found) - 1, min(TEXTS, len(found))).round().astype(int)
    return [found[place] for place in places]


def _ended(resolved: ResolvedRecipes, runs: Sequence[RecipeRuns], outcome: Outcome) -> Ended:
    """The runs that ended so, recipe by recipe: failed ones in the order of their seeds, others the best first."""
    found: list[tuple[RecipeCell, RunRecord]] = []
    for cell, own in zip(resolved.cells, runs, strict=True):
        ended = [record for record in own.records if record.outcome is outcome]
        # Success may be by a single example: what the training looks for is in the best.
        ordered = sorted(ended, key=lambda r: -(r.score or 0)) if outcome is Outcome.OK else ended
        found += [(cell, record) for record in ordered]
    return found


Measure = Callable[[ResolvedRecipes, Sequence[RecipeRuns], tuple[str, str, str], Resources, Progress, str], Measured]

#: By the view that shows it.
MEASURES: Mapping[str, Measure] = {
    "surface": lambda *given: measure_surface(*given[:5], gradients=False),
    "gradient-surface": lambda *given: measure_surface(*given[:5], gradients=True),
    "perplexity": measure_masked_words,
}
