"""Rows come out of the judging process as they were put in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.deliveries.columns import packed, unpacked

KINDS: tuple[st.SearchStrategy[Any], ...] = (
    st.text(),
    st.integers(),
    st.integers(0, 9),
    st.booleans(),
    st.binary(),
    st.dates(),
    st.datetimes(),
    st.decimals(allow_nan=False),
    st.uuids(),
    st.tuples(st.text(), st.none()),
)
PLACES = st.lists(st.sampled_from(KINDS).map(lambda kind: st.one_of(st.none(), kind)), max_size=5)
ROWS = PLACES.flatmap(
    lambda places: st.lists(
        st.tuples(st.integers(1, 10**6), st.text(), st.binary(), st.tuples(*places)), max_size=5
    )
)


def kinds(rows: list[Any]) -> list[Any]:
    """Types, which equality alone does not tell apart: True is 1."""
    return [[type(value) for value in (*row[:3], *row[3])] for row in rows]


@settings(max_examples=150, deadline=None)
@given(ROWS)
def test_rows_come_out_as_they_went_in(rows: list[Any]) -> None:
    found = unpacked(packed(rows))
    assert found == rows
    assert kinds(found) == kinds(rows)


def test_rows_of_unlike_lengths_and_kinds_do_too() -> None:
    rows: list[Any] = [
        (1, "a", b"1", (date(2008, 6, 10), Decimal("1.50"), 2**70)),
        (2, "b", b"2", (datetime(2008, 6, 10, 12, tzinfo=UTC), None)),
        (3, "c", b"", (UUID(int=1), True, "", b"")),
    ]
    for some in (rows, rows[:1], []):
        found = unpacked(packed(some))
        assert found == some
        assert kinds(found) == kinds(some)
