"""What the runs of a row keep of every component at their probes, and which parts of the model are shown."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stabbench.records.history import Components
from stabbench.records.run import Outcome, RunRecord
from stabbench.report import numbers
from stabbench.studies.result import Row, StudyResult

# In the order of the data; blocks are between the two.
_BELOW, _ABOVE = ("embeddings",), ("pooler", "head", "other")
_BLOCK = re.compile(r"block (\d+)")
# Of a component's name what comes after the number of its block.
_WITHIN = re.compile(r"^.*?\.\d+\.(.+)$")

Floats: TypeAlias = NDArray[np.float64]


class Probed(NamedTuple):
    """A run with what is kept of its components.

    Attributes:
        row: Its row.
        record: The run.
        steps: The probes, from 1.
        components: Of these.
    """

    row: Row
    record: RunRecord
    steps: Sequence[int]
    components: Components


def probed(result: StudyResult, row: Row) -> list[Probed]:
    """Those runs of a row of which components are kept, all with the same probes."""
    found = [
        Probed(row, record, history.probe_steps, history.components)
        for record, history in zip(row.runs.records, result.histories(row), strict=True)
        if history.components is not None and len(history.probe_steps)
    ]
    return [each for each in found if list(each.steps) == list(found[0].steps)]


def shown_of(found: Iterable[Probed], outcome: Outcome) -> Probed | None:
    """The run that stands for those that ended so: of failed ones the lowest seed, of successful ones the best.

    Success may be by a single example: the best run shows what the training looks for.
    """
    ended = [each for each in found if each.record.outcome is outcome]
    if outcome is Outcome.OK:
        ended.sort(key=lambda each: -(each.record.score or 0))
    return next(iter(ended), None)


def unprobed(result: StudyResult) -> list[str]:
    """A note on the runs that :func:`probed` leaves out; none where there are none."""
    lost = sum(len(row.runs.records) - len(probed(result, row)) for row in result.rows)
    if not lost:
        return []
    return [
        f"{numbers.counted(lost, 'run')} left out: nothing is kept of their components. An earlier version trained "
        "them, or --detail brief; `stabbench run RECIPE --fresh` with the same task, model and seeds adds it."
    ]


def mean_over_runs(found: Sequence[Probed], measure: Callable[[Components], NDArray[np.floating]]) -> Floats:
    """Of a measure of every run, of one shape; NaN where no run has a finite one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a mean of nothing
        return np.asarray(np.nanmean([measure(each.components) for each in found], axis=0), np.float64)


def parts_of(components: Components) -> list[str]:
    """The parts that occur, from the embeddings up."""
    present = set(components.parts)
    return [part for part in (*_BELOW, *blocks_of(components), *_ABOVE) if part in present]


def blocks_of(components: Components) -> list[str]:
    """The blocks, from the lowest up."""
    blocks = {part for part in components.parts if _BLOCK.fullmatch(part)}
    return sorted(blocks, key=lambda part: int(part.split()[1]))


def some_blocks(components: Components, number: int) -> list[str]:
    """At most that many of the blocks, evenly spread, the topmost among them."""
    blocks = blocks_of(components)
    number = min(number, len(blocks))
    return [blocks[round((place + 1) * len(blocks) / number) - 1] for place in range(number)]


def weights_of_blocks(components: Components) -> list[str]:
    """What every block's weight matrices are called within it, ``attention.self.query.weight``."""
    names = {
        name: within.group(1)
        for name, part in zip(components.names, components.parts, strict=True)
        if _BLOCK.fullmatch(part) and (within := _WITHIN.match(name)) and not _is_small(name)
    }
    return list(dict.fromkeys(names.values()))


def component_in(components: Components, part: str, within: str) -> int | None:
    """The place of a block's component; of another part that of its largest component. None where it has none."""
    own = [place for place, of in enumerate(components.parts) if of == part]
    if _BLOCK.fullmatch(part):
        return next((place for place in own if components.names[place].endswith(f".{within}")), None)
    return max(own, key=lambda place: components.sizes[place], default=None)


def _is_small(name: str) -> bool:
    """A bias or a norm's scale."""
    return name.endswith("bias") or "norm" in name.lower()
