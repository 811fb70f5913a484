"""Whatever a text holds, it is shown and has no effect."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tabulate import tabulate

from stabbench.escape import markdown, markdown_block, one_line, printable

ANY = st.text(st.characters(), max_size=60) | st.lists(
    st.sampled_from(["::error::", "##[error]", "##vso[task]", "\x1b[2J", "\r", "\x07", "\u202e", "\n", " ", "|", "<b>",
                     "`", "</details>", "# x", "\ud800", "\x9b31m", "\u2028", "a", "[x](http://y)", "\\", "&lt;"])
).map("".join)  # fmt: skip


@given(ANY)
def test_no_control_character_and_no_command_reaches_a_terminal_or_a_log(text: str) -> None:
    shown = printable(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") and c not in "\n\t" for c in shown)
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", shown)
    assert not any(line.lstrip().startswith("::") for line in shown.splitlines())
    assert not re.search(r"##\w*\[", shown)
    shown.encode()


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=40).filter(lambda t: ":" not in t))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text or "#" in text
    assert printable(f"a:: {text}".replace("#", "")) == f"a:: {text}".replace("#", "")


@given(ANY)
def test_a_cell_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
    assert len(markdown(text).splitlines()) <= 1


@given(ANY)
def test_a_markdown_cell_stays_a_cell(text: str) -> None:
    table = tabulate([[markdown(text), "next"]], ["a", "b"], tablefmt="github", disable_numparse=True)
    row = table.splitlines()[2]
    assert len(table.splitlines()) == 3
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 3, "no pipe but the table's own"
    assert not re.search(r"(?<!\\)(?:\\\\)*[<`\[]", markdown(text))


@given(ANY)
def test_nothing_ends_a_block(text: str) -> None:
    assert all(line.startswith("    ") or not line.strip() for line in markdown_block(text).splitlines())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("::error::all is well", r"\x3a:error::all is well"),
        ("one\n  ::set-output name=a::b", "one\n  \\x3a:set-output name=a::b"),
        ("see ##[error]this", r"see \x23#[error]this"),
        ("abc\u202edef", r"abc\u202edef"),
        ("bell\x07 and\rreturn", r"bell\x07 and\x0dreturn"),
        ("caf\u00e9 ± ∞ 模型 👩\u200d🔬", "caf\u00e9 ± ∞ 模型 👩\u200d🔬"),
    ],
)
def test_it_can_still_be_read(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_markdown_shows_the_text_itself() -> None:
    assert markdown("a|b <c> `d` *e* #f") == r"a\|b \<c\> \`d\` \*e\* \#f"
    assert markdown("lab/entailment, devlin:lr=3e-5") == "lab/entailment, devlin:lr=3e-5"
