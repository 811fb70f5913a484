"""A table keeps its shape, whatever its cells hold."""

from hypothesis import given
from hypothesis import strategies as st

from stabbench.report.numbers import Number
from stabbench.report.table import Style, Table

CELL = st.text(max_size=20) | st.sampled_from(["a|b", "a\nb", "</details>\n\n# x", "\r\n", "`", "| |\n|---|---|"])


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=4), st.sampled_from(["simple", "github"]))
def test_a_row_is_one_line(rows: list[tuple[str, str]], style: Style) -> None:
    assert len(Table(["one", "two"], rows).text(style).split("\n")) == len(rows) + 2


def test_a_number_stays_as_it_was_written() -> None:
    shown = Table(["a", "b"], [["1.50", Number(3e-5, "3e-5")]]).text()
    assert shown.splitlines()[-1].split() == ["1.50", "3e-5"]


def test_title_and_notes_stand_around_the_rows_and_notes_are_wrapped() -> None:
    table = Table(["a"], [["1"]], ["word " * 40, "*"], title="b_c")
    title, empty, *_, last = table.text().splitlines()
    assert (title, empty, last) == ("b_c", "", "*")
    assert max(map(len, table.text().splitlines())) <= 80
    assert table.text("github").startswith("**b\\_c**\n\n|")
    assert table.text("github").endswith("\n\\*")


def test_without_rows_only_the_notes_are_shown() -> None:
    assert Table([], [], ["nothing"]).text() == "nothing"
