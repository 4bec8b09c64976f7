"""Cursors: opaque, exact, and never an error but ``cursor-invalid``."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.paging import Page, decode_cursor, encode_cursor
from shared.problems import Problem

KEPT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(KEPT | st.integers(1 - 2**63, 2**63 - 1), min_size=1, max_size=4))
def test_a_cursor_comes_back_as_it_was(values: list[Any]) -> None:
    cursor = encode_cursor(*values)
    assert cursor.isascii()
    assert decode_cursor(cursor, *map(type, values)) == tuple(values)


@given(st.text())
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        decode_cursor(text, str, int, str, int)
    assert refused.value.code == "cursor-invalid"


@pytest.mark.parametrize("cursor", [encode_cursor("a"), encode_cursor(1, "a"), encode_cursor(True)])
def test_types_are_exact(cursor: str) -> None:
    with pytest.raises(Problem):
        decode_cursor(cursor, int)


@pytest.mark.parametrize("value", ["a\0", "\ud800", 2**63, -(10**30)])
def test_what_no_database_keeps_is_no_place(value: str | int) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps([value]).encode()).decode()
    with pytest.raises(Problem) as refused:
        decode_cursor(cursor, type(value))
    assert refused.value.code == "cursor-invalid"


def test_the_last_page_has_no_next() -> None:
    page = Page(limit=2)
    rows, cursor = page.cut([1, 2, 3], lambda row: (row,))
    assert rows == [1, 2]
    assert cursor is not None
    assert Page(2, cursor).after(int) == (2,)
    assert page.cut([1, 2], lambda row: (row,)) == ([1, 2], None)
    assert page.cut([], lambda row: (row,)) == ([], None)
    assert page.after(int) is None
