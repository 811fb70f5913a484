"""W&B's local runs: ``wandb/offline-run-…/run-‹id›.wandb`` and its like, before any synchronisation.

A file is a log of LevelDB's kind (https://github.com/google/leveldb/blob/main/doc/log_format.md) behind seven bytes of
W&B's own; each record is a protobuf message, which W&B's own package reads: the extra ``wandb``.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from stabbench.errors import how_to_install
from stabbench.imported.content import MOST_BYTES, first_bytes, folders
from stabbench.imported.found import FoundRun, ResultsError

NAME = "W&B's local runs"
_HEAD = b":W&B\xe1\xbe\x00"
_BLOCK, _FRAME = 32768, struct.Struct("<IHB")
_WHOLE, _FIRST, _MIDDLE, _LAST = range(1, 5)


def matches(path: Path) -> bool:
    """A file of a run, or a folder with some in it."""
    return first_bytes(path).startswith(_HEAD) if path.is_file() else bool(_files(path))


def read(path: Path) -> list[FoundRun]:
    """One run a file; a metric's value is the summary's. A run that did not end, or ended with an error, crashed."""
    return [read_run(file) for file in ([path] if path.is_file() else _files(path))]


def _files(path: Path) -> list[Path]:
    names = ((here, name) for here, files, _ in folders(path) for name in sorted(files) if name.endswith(".wandb"))
    return [here / name for here, name in names if first_bytes(here / name).startswith(_HEAD)]


def read_run(path: Path) -> FoundRun:
    """The run of one file.

    Raises:
        ResultsError: It is damaged, or W&B's package is not installed.
    """
    if path.stat().st_size > MOST_BYTES:
        raise ResultsError(f"{path} is over {MOST_BYTES // 2**20} MiB", "export the runs table as CSV")
    try:
        from google.protobuf.message import DecodeError
        from wandb.proto import wandb_internal_pb2
    except ImportError as error:
        raise ResultsError(
            f"{path} is a file of W&B, which its own package reads", how_to_install("wandb", "wandb")
        ) from error
    name, ended, step = path.stem, "it did not end", 0
    summary: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    record = wandb_internal_pb2.Record()
    try:
        for content in _records(path.read_bytes()):
            record.ParseFromString(content)
            match record.WhichOneof("record_type"):
                case "run":
                    name = record.run.display_name or name
                    parameters |= _values(record.run.config.update)
                case "config":
                    parameters |= _values(record.config.update)
                case "summary":
                    summary |= _values(record.summary.update)
                case "history":
                    summary |= _values(record.history.item)
                    step = record.history.step.num
                case "exit":
                    code = record.exit.exit_code
                    ended = "" if code == 0 else f"its exit code is {code}"
    except (DecodeError, ValueError, RecursionError, struct.error) as error:
        raise ResultsError(f"{path} is damaged: {error}", "export the runs table as CSV") from error
    return FoundRun(
        where=f"{path} ({name})",
        metrics={key: value for key, value in summary.items() if not key.startswith("_")},
        parameters=parameters,
        names=(name, path.parent.name),
        unfinished=ended,
        steps=step or None,
    )


def _records(data: bytes) -> Iterator[bytes]:
    """The records of a log; what a killed process has left half written at its end is none."""
    at, parts = len(_HEAD), b""
    while True:
        if _BLOCK - at % _BLOCK < _FRAME.size:  # no frame begins so near to the end of a block
            at += _BLOCK - at % _BLOCK
        if at + _FRAME.size > len(data):
            return
        checksum, length, kind = _FRAME.unpack_from(data, at)
        body = data[at + _FRAME.size : at + _FRAME.size + length]
        if len(body) < length:
            return
        if zlib.crc32(bytes([kind]) + body) != checksum:
            raise ValueError(f"a checksum is wrong at byte {at:,}")
        at += _FRAME.size + length
        parts = body if kind in (_WHOLE, _FIRST) else parts + body
        if kind in (_WHOLE, _LAST):
            yield parts


def _values(items: Iterable[Any]) -> dict[str, Any]:
    """By their names, those of nested ones joined by points, as W&B itself shows them."""
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}
