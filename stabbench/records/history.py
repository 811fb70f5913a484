"""What happened during a run. Kept beside its record, and read only where it is asked for."""

from __future__ import annotations

import dataclasses
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from stabbench.records.run import RunRecord

Floats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Arrays:
    """Equal where all that is in them is equal; NaN is equal to NaN."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(
            np.array_equal(one, getattr(other, name), equal_nan=getattr(one, "dtype", np.dtype(bool)).kind == "f")
            for name, one in vars(self).items()
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Components(_Arrays):
    """Every component (parameter tensor) at the probes.

    Arrays are ``[probes, components]``, rounded to about three digits; what is not defined, or not finite, is NaN.

    Attributes:
        names: Their names in the model.
        parts: The part of the model that each belongs to.
        sizes: How many numbers each has.
        gradient_norms: L2 norms of the gradients, before clipping.
        scales: The factors by which clipping scaled the gradients.
        distances: L2 distances of the values after the step to those at the start of the training.
        cosine_distances: 1 - the cosine of the angle between the two.
    """

    names: Sequence[str]
    parts: Sequence[str]
    sizes: Sequence[int]
    gradient_norms: Floats
    scales: Floats
    distances: Floats
    cosine_distances: Floats

    @property
    def clipped_norms(self) -> Floats:
        """L2 norms of the gradients after clipping."""
        norms: Floats = self.gradient_norms * self.scales
        return norms

    @property
    def update_rms(self) -> Floats:
        """The root mean square of the differences to the start, as yang2022 (Fig. 2) draw it."""
        return np.asarray(self.distances / np.sqrt(np.asarray(self.sizes)), np.float32)

    def of_part(self, values: Floats, part: str) -> Floats:
        """Norms or distances of all components of a part together, ``[probes]``."""
        chosen = [name == part for name in self.parts]
        return np.asarray(np.sqrt(np.square(values[:, chosen]).sum(1)), np.float32)


@dataclass(frozen=True, eq=False)
class Predictions(_Arrays):
    """What a run predicted on the evaluation set.

    Attributes:
        values: Class numbers ``[examples]``; of several labels 0 and 1 ``[examples, classes]``; or numbers.
        probabilities: Of what was predicted, in half precision, of the shape of ``values``; empty for numbers.
        right: Which examples were predicted right ``[examples]``, of several labels all of them; empty for numbers.
        step: After how many updates.
    """

    values: NDArray[Any]
    probabilities: NDArray[np.float16]
    right: NDArray[np.bool_]
    step: int

    @property
    def one_class(self) -> bool:
        """Whether all examples got the same prediction."""
        return len(self.values) > 0 and bool((self.values == self.values[0]).all())


@dataclass(frozen=True)
class History:
    """What happened during a run; a number that is not finite is None. What was not kept is empty, or None.

    Attributes:
        losses: Training loss of every step, or of ``loss_steps``.
        probe_steps: The steps, from 1, at which gradient norms were kept.
        gradient_norms: For each part of the model, its gradient's norm at those steps, before clipping; ``"all"`` is
            the whole model, where another program kept no more.
        evaluation_steps: The steps, from 1, after which the run was scored.
        scores: Its scores there on the evaluation set.
        validation_scores: The same on the validation set; empty without one.
        loss_steps: The steps, from 1, of ``losses``; empty where every step has one.
        constant_loss: The training loss of the best constant predictor.
        learning_rates: The scheduled rate at the probes, before the factors of parts.
        one_class: Whether the training batch of the probe got one class for all examples; empty for numbers.
        components: Every component at the probes.
        predictions: Those that the run's score was earned by.
        evaluation_predictions: Those of every evaluation, in the order of ``evaluation_steps``.
        given_predictions: Of the evaluation set at the end, as training code gave them: numbers, names, or lists.
        metrics: Other numbers that training code gave beside the score, by name.
    """

    losses: Sequence[float | None] = ()
    probe_steps: Sequence[int] = ()
    gradient_norms: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    evaluation_steps: Sequence[int] = ()
    scores: Sequence[float | None] = ()
    validation_scores: Sequence[float | None] = ()
    loss_steps: Sequence[int] = ()
    constant_loss: float | None = None
    learning_rates: Sequence[float] = ()
    one_class: Sequence[bool] = ()
    components: Components | None = None
    predictions: Predictions | None = None
    evaluation_predictions: Sequence[Predictions] = ()
    given_predictions: Sequence[Any] = ()
    metrics: Mapping[str, float | None] = field(default_factory=dict)

    def differing(self, other: History) -> list[str]:
        """Names of what both have kept and is not the same."""
        both = [(f.name, getattr(self, f.name), getattr(other, f.name)) for f in dataclasses.fields(self)]
        kept = [(name, one, two) for name, one, two in both if name in _ALWAYS or (_is_kept(one) and _is_kept(two))]
        return [name for name, one, two in kept if _plain(one) != _plain(two)]

    def has_more_than(self, other: History) -> bool:
        """Whether it has kept something that the other has not, and all that the other has."""
        kept, others = ({name for name, value in vars(each).items() if _is_kept(value)} for each in (self, other))
        return kept > others

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types; NaN is None."""
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(vars(self), enc_hook=_as_list))
        return plain

    def packed(self) -> bytes:
        """In few bytes, arrays as they are in memory."""
        kept = {name: value for name, value in vars(self).items() if value is not None and value != ()}
        return zlib.compress(_ENCODER.encode(kept))

    @classmethod
    def unpacked(cls, content: bytes) -> History:
        """What :meth:`packed` gave, or the JSON of earlier versions, every value of its declared type.

        Raises:
            ValueError: It is neither.
            zlib.error: It is damaged.
        """
        text = zlib.decompress(content)
        # MessagePack of a record never begins as JSON does.
        return _JSON.decode(text) if text.startswith(b"{") else _DECODER.decode(text)


#: What training gives for one seed.
Run = tuple[RunRecord, History]

# Of every version and level: where one has none of it and the other has, they differ.
_ALWAYS = frozenset({"losses", "probe_steps", "gradient_norms", "evaluation_steps", "scores", "validation_scores"})


def _is_kept(value: object) -> bool:
    return value is not None and value not in ((), [], {})


def _plain(value: Any) -> Any:
    """Lists for tuples, as they are stored."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return list(value) if isinstance(value, Sequence) else value


def _as_list(value: object) -> Any:
    if isinstance(value, _Arrays):
        return vars(value)
    assert isinstance(value, np.ndarray)
    if value.dtype.kind != "f":
        return value.tolist()
    plain = value.astype(object)
    plain[~np.isfinite(value)] = None
    return plain.tolist()


def rounded(values: NDArray[np.float32]) -> Floats:
    """To 11 significant bits, an error of at most .05%: what is left is 0, and takes no room when it is packed."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    near = ((bits + np.uint32(0x1000)) & np.uint32(0xFFFFE000)).view(np.float32)
    return np.where(np.isfinite(values), near, values)


def _as_bytes(value: object) -> Any:
    """The first bytes of all numbers, then the second, and so on: like stands beside like, and is packed better."""
    assert isinstance(value, np.ndarray)
    flat = np.ascontiguousarray(value).reshape(-1)
    return value.dtype.str, value.shape, flat.view(np.uint8).reshape(len(flat), value.itemsize).T.tobytes()


def _as_array(_: type, value: Any) -> NDArray[Any]:
    kind, shape, content = value
    numbers, size = math.prod(shape), np.dtype(kind).itemsize
    columns = np.frombuffer(content, np.uint8).reshape(size, numbers)
    array: NDArray[Any] = np.ascontiguousarray(columns.T).reshape(-1).view(kind).reshape(shape)
    return array


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_as_bytes)
_DECODER = msgspec.msgpack.Decoder(History, dec_hook=_as_array)
_JSON = msgspec.json.Decoder(History)
