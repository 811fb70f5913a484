"""The three random streams of a run: initialisation, data order, dropout.

Zhang et al. 2021 (appendix B) cross initialisation seeds with data-order seeds; Mosbach et al. 2021 vary all together.
"""

from __future__ import annotations

import hashlib
import itertools
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from stabbench.errors import StabbenchError, excerpt

# How many runs of a recipe.
MOST_SEEDS = 1_000_000
# The largest integer that SQLite stores. A date makes a good seed: 20261126.
LARGEST_SEED = 2**63 - 1
# A mask's probabilities are multiples of one over this: sixteen random bits an entry.
MASK_VALUES = 2**16
_ADVICE = "give a number of seeds, or a list such as 3,7,11"

Stream = Literal["initialisation", "order", "dropout"]
STREAMS: tuple[Stream, ...] = get_args(Stream)


def mask_can_drop(p: float) -> bool:
    """Whether a mask can drop with probability ``p``: with 0, or so that it neither drops nor keeps everything."""
    return p == 0 or 0 < round((1 - p) * MASK_VALUES) < MASK_VALUES


@dataclass(frozen=True)
class Seeds:
    """The seeds of one run.

    Attributes:
        seed: The run's number, which all three streams take unless they are set.
        initialisation: Draws the new head, and what a recipe re-initialises.
        order: Shuffles the training examples.
        dropout: Draws the dropout masks, and mixout's.
    """

    seed: int
    initialisation: int
    order: int
    dropout: int

    @classmethod
    def of(cls, seed: int, **streams: int | None) -> Seeds:
        """All streams on ``seed``, except those that are given: ``Seeds.of(3, initialisation=0)``."""
        return replace(cls(seed, seed, seed, seed), **{k: v for k, v in streams.items() if v is not None})

    def derive(self, stream: Stream) -> int:
        """A 63-bit seed for a generator, independent between streams and between seeds."""
        text = f"stabbench/{stream}/{getattr(self, stream)}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def given_seeds(given: Any) -> int | list[int | Seeds]:
    """A number of seeds, or a list, as a program gives it; integers of NumPy become Python's own.

    Raises:
        StabbenchError: Neither, or too many.
    """
    if not isinstance(given, bool | str | bytes | Mapping):
        try:
            return _number(operator.index(given))
        except TypeError:
            pass
        if isinstance(given, Iterable):
            # A generator may have no end.
            items = list(itertools.islice(given, MOST_SEEDS + 1))
            if len(items) > MOST_SEEDS:
                raise StabbenchError(f"more than {MOST_SEEDS:,} seeds", _ADVICE)
            return [_item(item) for item in items]
    raise StabbenchError(f"seeds cannot be {excerpt(given)}", _ADVICE)


def parse_seeds(text: str) -> range | list[int]:
    """``10`` as the seeds 0 to 9, a range; ``3,7,11`` as a list.

    Raises:
        StabbenchError: Neither, or too many.
    """
    items = [item.strip() for item in text.removesuffix(",").split(",")]
    if not all(re.fullmatch("-?[0-9]+", item) for item in items):
        raise StabbenchError(f"{excerpt(text)} is neither a number of seeds nor a list such as 3,7,11")
    if any(len(item) > 4000 for item in items):  # beyond what Python reads
        raise StabbenchError(f"{excerpt(text)} is over {LARGEST_SEED:,}")
    if len(items) > MOST_SEEDS:
        raise StabbenchError(f"more than {MOST_SEEDS:,} seeds")
    numbers = [int(item) for item in items]
    # A negative number is no number of seeds; as a list it is refused by name.
    return numbers if "," in text or numbers[0] < 0 else range(_number(numbers[0]))


def check_seed(seed: Any) -> None:
    """Refuse what is no seed.

    Raises:
        StabbenchError: No whole number, negative, or beyond :data:`LARGEST_SEED`.
    """
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise StabbenchError(f"{excerpt(seed)} is no seed", "seeds are whole numbers")
    if seed < 0:
        raise StabbenchError(f"seed {excerpt(seed)} is negative", "seeds count from 0")
    if seed > LARGEST_SEED:
        raise StabbenchError(f"seed {excerpt(seed)} is over {LARGEST_SEED:,}")


def _number(count: int) -> int:
    if count < 0:
        raise StabbenchError(f"{excerpt(count)} is no number of seeds", _ADVICE)
    if count > MOST_SEEDS:
        raise StabbenchError(
            f"{excerpt(count)} is over {MOST_SEEDS:,}, the largest number of seeds",
            "for the one run of that seed give a list of one: --seeds 20261126, (with the comma), or seeds=[20261126]",
        )
    return count


def _item(item: Any) -> int | Seeds:
    if isinstance(item, Seeds):
        return item
    if isinstance(item, bool):
        raise StabbenchError(f"{item} is no seed", "seeds are whole numbers")
    try:
        return operator.index(item)
    except TypeError:
        raise StabbenchError(f"{excerpt(item)} is no seed", "seeds are whole numbers") from None


def seed_list(seeds: int | Sequence[int | Seeds]) -> list[Seeds]:
    """``3`` as the seeds 0, 1, 2; numbers of a list as seeds of all streams.

    Raises:
        StabbenchError: Neither, or too many.
    """
    given = given_seeds(seeds)
    return [s if isinstance(s, Seeds) else Seeds.of(s) for s in (range(given) if isinstance(given, int) else given)]
