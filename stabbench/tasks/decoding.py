"""The text of a file of data, UTF-8 whoever wrote it."""

from __future__ import annotations

from pathlib import Path

from stabbench.errors import TaskError


def decoded(path: Path) -> str:
    """The text of a file.

    Raises:
        TaskError: It is not UTF-8, or has line ends that nobody writes any more.
    """
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TaskError(f"{path}: the file is UTF-16", "convert it to UTF-8")
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise TaskError(f"{path}, line {line}: a NUL byte", "is it UTF-16? convert the file to UTF-8; or it is damaged")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise TaskError(f"{path}, line {line}: not UTF-8 ({error.reason})", "convert the file to UTF-8") from error
    if "\n" not in text and "\r" in text.rstrip("\r"):
        raise TaskError(
            f"{path}: its lines end with carriage returns alone, as of an old Mac", "convert its line ends: mac2unix"
        )
    return text
