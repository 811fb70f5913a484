"""What every fuzz test shares: how many inputs, what may come of one, and how valid input is spoilt.

CI tries a few hundred inputs; many more by::

    STABBENCH_FUZZ=20000 STABBENCH_FUZZ_SEED=1 pytest tests/fuzz
"""

from __future__ import annotations

import contextlib
import copy
import os
import resource
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

from stabbench.errors import StabbenchError

#: Inputs of all fuzz tests together.
INPUTS = int(os.environ.get("STABBENCH_FUZZ", "400"))
SEED = int(os.environ.get("STABBENCH_FUZZ_SEED", "0"))
#: No input may take longer: none of them trains for more than a few steps.
SECONDS = 60
#: Nor more memory than this.
BYTES = 2**30

Test = Callable[..., None]


class Hang(BaseException):
    """An input took too long. No ``Exception``, so that nothing under test can swallow it."""


def fuzz(share: float, **inputs: st.SearchStrategy[Any]) -> Callable[[Test], Test]:
    """A test of many inputs, always the same ones for one ``SEED``.

    Args:
        share: Of all inputs; the shares of all fuzz tests add up to about 1.
        inputs: What the test's arguments are drawn from.
    """

    def decorate(test: Test) -> Test:
        limits = hypothesis.settings(
            max_examples=max(1, round(share * INPUTS)),
            deadline=None,
            database=None,
            phases=[Phase.generate],  # to shrink an input that hangs takes hours
            suppress_health_check=list(HealthCheck),
        )
        return hypothesis.seed(SEED)(limits(hypothesis.given(**inputs)(test)))

    return decorate


@contextlib.contextmanager
def refused_or_sane() -> Iterator[None]:
    """A clear error ends the block quietly; a traceback, a hang or gigabytes of memory fail the test."""

    def hang(number: int, frame: FrameType | None) -> None:
        raise Hang(f"longer than {SECONDS} seconds")

    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    before = signal.signal(signal.SIGALRM, hang)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    except StabbenchError as error:
        if not error.message.strip() or len(str(error)) > 10_000:
            raise AssertionError("an error without a word, or one that prints a whole file") from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) * 1024
    assert grown < BYTES, f"took {grown / 2**30:.1f} GiB"


# What breaks parsers, terminals, tables and numbers.
NASTY = [
    "", " ", "\0", "\r", "\n", "\t", "\ufeff", "\u202e", "\x1b[2J", "::error::", "|", "<b>", "</details>", "`",
    "../", "/", "~", "%s", "{0}", "é", "日本", "\U0001f600", "null", "None", "true", "nan", "inf", "-inf", "1e999",
    "1e308", "-0.0", "-1", "0", "1_0", "٣", "+2", "0x10", "1e400", "9" * 400, "2" + "0" * 18, "9223372036854775808",
    ",", ",,,", ":", "=", "[", "[" * 3000, '{"a":' * 3000, '"', "'", "\\", "<<<<<<< HEAD\n", "#",
]  # fmt: skip

nasty_texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=20))


def _deep() -> list[Any]:
    nested: list[Any] = []
    for _ in range(200):
        nested = [nested]
    return nested


# Values of another type or size than a field wants.
odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**400]),
    st.floats(),
    nasty_texts,
    st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=3)), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.builds(_deep),
)


@st.composite
def spoilt_text(draw: st.DrawFn, valid: str) -> str:
    """``valid`` with some places cut, doubled or written over."""
    text = valid
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        match draw(st.sampled_from(("cut", "double", "insert", "replace", "end"))):
            case "cut":
                text = text[:start] + text[end:]
            case "double":
                text = text[:end] + text[start:]
            case "insert":
                text = text[:start] + draw(nasty_texts) + text[start:]
            case "replace":
                text = text[:start] + draw(nasty_texts) + text[end:]
            case "end":
                text = text[:start]
    return text


@st.composite
def spoilt_bytes(draw: st.DrawFn, valid: bytes) -> bytes:
    """``valid`` with some bytes changed, cut off or in another encoding."""
    kind = draw(st.sampled_from(("text", "bytes", "bytes", "utf-16", "latin-1", "mac")))
    text = valid.decode(errors="replace")
    if kind == "text":
        return draw(spoilt_text(text)).encode(errors="surrogatepass")
    if kind == "utf-16":
        return text.encode("utf-16")
    if kind == "latin-1":
        return (text + "é").encode("latin-1", errors="replace")
    if kind == "mac":
        return valid.replace(b"\n", b"\r")
    data = bytearray(valid)
    for _ in range(draw(st.integers(1, 8))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        data[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=3))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@st.composite
def spoilt_json(draw: st.DrawFn, valid: Any) -> Any:
    """``valid`` with some values of its tree replaced, left out, or under another key."""
    data = copy.deepcopy(valid)
    for _ in range(draw(st.integers(1, 3))):
        parents = _containers(data)
        if not parents:
            return data
        parent = draw(st.sampled_from(parents))
        keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
        key = draw(st.sampled_from(keys))
        match draw(st.sampled_from(("replace", "replace", "replace", "leave out", "rename"))):
            case "replace":
                parent[key] = draw(odd_values)
            case "leave out":
                del parent[key]
            case "rename" if isinstance(parent, dict):
                parent[draw(nasty_texts)] = parent.pop(key)
    return data


def _containers(data: Any) -> list[Any]:
    """Every dict and list in ``data`` that is not empty."""
    found = []
    todo = [data]
    while todo:
        value = todo.pop()
        if isinstance(value, dict | list) and value:
            found.append(value)
            todo += value.values() if isinstance(value, dict) else value
    return found
