"""Results as text on a terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.cli.table import as_text, width


def test_chinese_takes_two_columns() -> None:
    assert width("前台") == 4
    assert width("Desk") == 4
    assert width("e\N{COMBINING ACUTE ACCENT}") == 1
    assert as_text([{"name": "前台", "x": 1}, {"name": "ab", "x": 2}]) == "name  x\n前台  1\nab    2\n"


def test_rows_may_lack_columns() -> None:
    assert as_text([{"a": 1}, {"b": None}]) == "a  b\n1  -\n-  -\n"


def test_a_table_of_some_columns_is_brief() -> None:
    row = {"name": "a", "since": "2026-05-04T08:30:00.123000Z", "reason": "403 " + "前" * 20, "more": 1}
    assert as_text([row], ("name", "since", "reason", "none")) == (
        "name  since                 reason                                   none\n"
        f"a     2026-05-04T08:30:00Z  403 {'前' * 17}…  -\n"
    )
    assert as_text([{"reason": "x" * 40}], ("reason",)) == f"reason\n{'x' * 40}\n"
    assert as_text({"since": row["since"]}, ("since",)) == f"since  {row['since']}\n", (
        "one thing has all of it"
    )


def test_one_thing_is_a_line_a_setting() -> None:
    assert as_text({"name": "A", "enabled": True, "dns": ["1.1.1.1", "8.8.8.8"], "gateway": ""}) == (
        "name     A\nenabled  yes\ndns      1.1.1.1, 8.8.8.8\ngateway  -\n"
    )


def test_numbers_within_a_cell_have_their_names() -> None:
    assert as_text({"holds": {"extensions": 2, "records": 0}}) == "holds  extensions=2 records=0\n"
    assert as_text({"holds": {}}) == "holds  -\n"
    assert as_text({"legs": [{"side": "caller", "number": "101"}]}) == "legs  caller 101\n"


def test_done_needs_no_words() -> None:
    assert as_text({"done": True}) == ""
    assert as_text([]) == ""


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.text() | st.integers() | st.none()), max_size=4))
def test_no_text_drives_the_terminal_or_breaks_a_line(rows: list[dict[str, object]]) -> None:
    lines = as_text(rows).split("\n")
    assert len(lines) == (len(rows) + 2 if rows else 1)
    assert not any(ord(each) < 32 or 127 <= ord(each) < 160 for line in lines for each in line)
