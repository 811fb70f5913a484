"""Hidden states without their padding, between a model's embeddings and its head.

Of a merged batch ``[seeds * batch, length, width]`` the real tokens are packed into ``[1, rows, width]``, one seed's
share after the other's. The time goes into tokens instead of padding, which is a third of the lab's positions, half of
RTE's and three quarters of CoLA's. On a CPU a share depends on that seed's own batch alone, so its numbers are the same
whatever its neighbours are.

Two seeds with two examples each, of at most four tokens (``.`` is padding)::

    merged batch            packed rows (a share is a multiple of ROWS = 8)
    seed 0   a b c .        a b c d e a' a' a'      share of seed 0: five tokens, filled up with copies of its first
             d e . .
    seed 1   f g h i        f g h i j f' f' f'      share of seed 1
             j . . .

Linear layers and norms work on rows: each seed's weights on its own share. Neighbouring seeds whose shares have one
size are multiplied together. In attention a token must meet the tokens of its own example only, so rows move into
*attention blocks* and back: ``[examples * heads, slots, width]``. Seeds whose longest examples take as many slots (a
multiple of SLOTS = 8) are in one block, and a bias of minus infinity hides the empty slots.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stabbench.engine.memory import to_device_async
from stabbench.engine.stacking.moves import Move

# An example's tokens attend to each other in a multiple of this many slots, so that there are few kinds of blocks.
SLOTS = 8
# A share has a multiple of this many rows. So it fills a processor's vectors, if the widths are multiples of 4, and no
# value is rounded otherwise for being among a tensor's last few.
ROWS = 8
# And it has a multiple of about this many values: in a narrow model, where a call costs more than some idle rows, most
# shares are then of one size and have one product in common.
VALUES = 2048
# Even shares are a multiple of this many rows: of few different sizes, so that a GPU's memory is used again.
EVEN_ROWS = 64


@dataclass(frozen=True)
class AttentionBlock:
    """Seeds whose examples attend in the same number of slots.

    Attributes:
        seeds: The positions of these seeds in the group.
        length: Slots an example.
        bias: Of the attention scores, ``[seeds * batch * heads, 1, length]``: minus infinity where a slot has no token.
    """

    seeds: Sequence[int]
    length: int
    bias: Tensor


@dataclass(frozen=True)
class EqualShares:
    """Neighbouring seeds whose shares have the same size, so that one product serves them.

    Attributes:
        seeds: The positions of these seeds in the group.
        rows: The rows of all their shares.
        size: The rows of one share.
    """

    seeds: slice
    rows: slice
    size: int


class Packing:
    """Where the tokens of a merged batch go.

    Args:
        real: Which positions are tokens, ``[seeds, batch, length]``.
        width: Of the hidden states.
        device: Where they are.
        even: Whether all shares get the size of the largest, so that one product serves all seeds, and all examples
            attend in one block, as long as the longest of the data: for a GPU, with few and large operations. Otherwise
            a share's size depends on its own tokens only, and its products are the same to the last bit whatever its
            neighbours are.

    Attributes:
        real: As given; an example without any token has one.
        own_sizes: Rows of each seed's own: its tokens, and copies of its first one to fill up.
        sizes: Rows of each share: more than those, if the shares are even.
        runs: Neighbouring shares of one size.
        rows: Of all shares.
        tokens: From the positions ``[seeds * batch * length]`` of the merged batch to the rows of the packed one.
    """

    def __init__(self, real: NDArray[np.bool_], width: int, device: torch.device, even: bool) -> None:
        self.real = real | (~real.any(2, keepdims=True) & (np.arange(real.shape[2]) == 0))
        self._device, self._even = device, even
        self._counts = self.real.sum(2)
        sizes = rounded_up(self._counts.sum(1), rounded_up(-(-VALUES // width), ROWS))
        self.own_sizes: list[int] = sizes.tolist()
        if even:
            sizes[:] = rounded_up(sizes.max(), EVEN_ROWS)
        self.sizes: list[int] = sizes.tolist()
        self.rows = sum(self.sizes)
        self.runs = _runs(self.sizes)
        begins = np.cumsum(sizes) - sizes
        # The row of each example's first token, [seeds, batch].
        self._firsts = begins[:, None] + np.cumsum(self._counts, 1) - self._counts
        self._copies, self._originals = self._fillers(begins)
        self._blocks: dict[int, tuple[Move, list[AttentionBlock]]] = {}
        self.tokens = self._tokens()

    def attention(self, heads: int) -> tuple[Move, list[AttentionBlock]]:
        """The move of ``[rows * heads, width]`` into the blocks of attention with ``heads`` heads, and the blocks.

        There, each block is ``[seeds, batch, heads, length, width]``, and one follows the other.
        """
        if heads not in self._blocks:
            self._blocks[heads] = self._attention(heads)
        return self._blocks[heads]

    def _fillers(self, begins: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The rows that have no token of their own, and the first row of the same seed for each of them."""
        used = begins + self._counts.sum(1)
        fillers = [np.arange(start, begin + size) for start, begin, size in zip(used, begins, self.sizes, strict=True)]
        return np.concatenate(fillers), np.repeat(begins, [len(rows) for rows in fillers])

    def _tokens(self) -> Move:
        places = self._firsts[..., None] + np.where(self.real, np.cumsum(self.real, 2) - 1, 0)
        positions = np.empty(self.rows, np.int64)
        positions[places[self.real]] = np.flatnonzero(self.real)
        positions[self._copies] = positions[self._originals]
        return Move(*map(self._sent, (positions, places.ravel(), np.flatnonzero(~self.real), self._copies)))

    def _attention(self, heads: int) -> tuple[Move, list[AttentionBlock]]:
        every = np.arange(heads)
        seeds, _, full = self.real.shape
        # If even, not the batch's longest: a seed's masks of dropout must not depend on its neighbours' examples.
        longest = np.full(seeds, full) if self._even else np.minimum(rounded_up(self._counts.max(1), SLOTS), full)
        blocks, takes, blanks = [], [], []
        for length in np.unique(longest):
            alike = np.flatnonzero(longest == length)
            slots = np.arange(length)
            blank = slots >= self._counts[alike][..., None]
            rows = self._firsts[alike][..., None] + np.where(blank, 0, slots)
            takes.append((rows[:, :, None] * heads + every[:, None]).ravel())
            blanks.append(np.broadcast_to(blank[:, :, None], (*blank.shape[:2], heads, length)).ravel())
            bias = np.where(blanks[-1], np.float32(-np.inf), np.float32(0)).reshape(-1, 1, length)
            blocks.append(AttentionBlock(alike.tolist(), int(length), self._sent(bias)))
        take, copies = np.concatenate(takes), np.concatenate(blanks)
        give = np.empty(self.rows * heads, np.int64)
        give[take[~copies]] = np.flatnonzero(~copies)
        unread = (self._copies[:, None] * heads + every).ravel()
        give[unread] = give[(self._originals[:, None] * heads + every).ravel()]
        return Move(*map(self._sent, (take, give, unread, np.flatnonzero(copies)))), blocks

    def _sent(self, values: NDArray[Any]) -> Tensor:
        return to_device_async(torch.from_numpy(values), self._device)


def rounded_up(values: Any, unit: int) -> Any:
    """An integer, or an array of them, to the next multiple of ``unit``."""
    return -(-values // unit) * unit


def _runs(sizes: Sequence[int]) -> list[EqualShares]:
    runs: list[EqualShares] = []
    seed = row = 0
    for size, alike in itertools.groupby(sizes):
        number = len(list(alike))
        runs.append(EqualShares(slice(seed, seed + number), slice(row, row + number * size), size))
        seed, row = seed + number, row + number * size
    return runs
