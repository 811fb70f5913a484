"""Escapes what comes from a file, a model, a recipe or an exception, where it is printed.

Such a text may hold anything: a terminal's control characters, a command to a CI service, Markdown. It is shown as it
is, and has no effect.
"""

from __future__ import annotations

import re
import textwrap

# C0 and C1 controls but for tabs and ends of lines, surrogates of names that are not Unicode, Unicode's own ends of
# lines and paragraphs, what changes the order of writing ("Trojan source", CVE-2021-42574), and what XML has not.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
# GitHub takes `::error::` at the start of a line as a command, and `##[error]` anywhere; Azure and TeamCity
# `##vso[` and `##teamcity[`.
_COMMAND = re.compile(r"^(\s*):(?=:)|#(?=#\w*\[)", re.MULTILINE)
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|#~&!]")


def printable(text: str) -> str:
    """``text`` for a terminal or a log: its lines, without control characters and commands to a CI service."""
    shown = _HIDDEN.sub(lambda found: _code(found[0]), text)
    return _COMMAND.sub(lambda found: f"{found[1] or ''}{_code(found[0][-1])}", shown)


def one_line(text: str) -> str:
    """``text`` in one line: for a cell of a table, or one message of a log. Printed like any other text."""
    return " ".join(part.strip() for part in text.splitlines() if part.strip())


def is_unicode(text: str) -> bool:
    """Whether ``text`` can be written: a name that the file system gave may hold bytes that are no Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def markdown(text: str) -> str:
    """``text`` in one line of Markdown, shown literally."""
    return _MARKDOWN.sub(lambda found: f"\\{found[0]}", printable(one_line(text)))


def markdown_block(text: str) -> str:
    """Lines of Markdown that show ``text``; unlike a fence, an indented block has no end that could be in it."""
    return textwrap.indent(printable(text), "    ")


def workflow_command(level: str, title: str, message: str) -> str:
    """A line that GitHub Actions takes as a command and shows as an annotation, whatever the texts hold.

    Args:
        level: ``"error"`` or ``"warning"``.
        title: Of the annotation.
        message: Its text.
    """
    shown, said = (printable(one_line(text)).replace("%", "%25") for text in (title, message))
    return f"::{level} title={shown.replace(':', '%3A').replace(',', '%2C')}::{said}"


def _code(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
