"""What is kept of a run: packed and found again, of older versions too, and compared only as far as both have it."""

import json
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from examples import HISTORY
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stabbench.records.history import Components, History, Predictions, rounded

NAMES = ["encoder.weight", "encoder.bias", "classifier.weight"]


def components(values: np.ndarray[Any, Any]) -> Components:
    return Components(NAMES, ["block 0", "block 0", "head"], [4, 2, 6], values, values, values, values)


FLOATS = arrays.arrays(np.float32, (2, 3), elements=st.floats(width=32, allow_nan=True, allow_infinity=False))
CLASSES = arrays.arrays(np.uint8, st.integers(0, 20))


@given(FLOATS, CLASSES, st.data())
def test_what_is_packed_is_found_again(values: Any, classes: Any, data: st.DataObject) -> None:
    probabilities = data.draw(arrays.arrays(np.float16, len(classes), elements=st.floats(0, 1, width=16)))
    made = replace(
        HISTORY,
        constant_loss=0.69,
        one_class=[True, False],
        components=components(values),
        predictions=Predictions(classes, probabilities, classes > 1, 3),
    )
    found = History.unpacked(made.packed())
    assert found == made
    assert found.components is not None
    assert found.components.distances.dtype == np.float32
    json.dumps(found.to_json(), allow_nan=False)


def test_a_history_of_an_earlier_version_is_read() -> None:
    old = {"losses": [0.5, None], "probe_steps": [1], "gradient_norms": {"head": [0.1]}}
    found = History.unpacked(zlib.compress(json.dumps(old).encode()))
    assert (found.losses, found.components, found.predictions) == ([0.5, None], None, None)


@pytest.mark.parametrize("content", [b"", b"\x81", b"[1, 2]", b'{"losses": "none"}', b"\x81\xa6losses\x03"])
def test_what_is_no_history_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        History.unpacked(zlib.compress(content))


@given(arrays.arrays(np.float32, 5, elements=st.floats(2.0**-100, 2.0**100, width=32)))
def test_rounding_keeps_eleven_bits(values: Any) -> None:
    near = rounded(values)
    assert (np.abs(near - values) <= values * 2**-11 * 1.001).all()
    assert not (near.view(np.uint32) & 0x1FFF).any()


def test_rounding_leaves_what_is_no_number() -> None:
    np.testing.assert_array_equal(rounded(np.float32([np.nan, np.inf, 0.0])), np.float32([np.nan, np.inf, 0.0]))


def test_two_histories_differ_in_what_both_have_kept() -> None:
    brief, usual = HISTORY, replace(HISTORY, components=components(np.ones((2, 3), np.float32)), constant_loss=0.7)
    assert usual.differing(brief) == brief.differing(usual) == []
    other = replace(usual, components=components(np.full((2, 3), 2, np.float32)), scores=[0.5])
    assert usual.differing(other) == ["scores", "components"]
    assert brief.differing(replace(brief, gradient_norms={})) == ["gradient_norms"]


def test_a_part_is_the_root_of_its_components_squares() -> None:
    made = components(np.float32([[3, 4, 1], [6, 8, 1]]))
    assert made.of_part(made.distances, "block 0").tolist() == [5, 10]
    assert made.update_rms[0, 0] == 3 / 2  # of four numbers
