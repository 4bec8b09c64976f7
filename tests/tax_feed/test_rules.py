from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tax_feed.collection.rules import chain, receipt_out_of_period
from tax_feed.rules import finds_unenrolled


@pytest.mark.parametrize(
    ("taxable", "insured", "found"),
    [(0, 0, False), (1, 0, True), (12, 7, True), (12, 12, False), (3, 5, False)],
)
def test_too_few_insured_is_a_finding(taxable: int, insured: int, found: bool) -> None:
    assert finds_unenrolled(taxable, insured) is found


@pytest.mark.parametrize(
    ("received_on", "out"),
    [
        (date(2008, 6, 10), False),
        (date(2008, 6, 11), True),
        (date(2008, 5, 31), False),
        (date(2007, 5, 7), False),
        (date(2007, 5, 6), True),
    ],
)
def test_late_items_may_come_and_later_or_ancient_ones_may_not(
    received_on: date, out: bool
) -> None:
    assert receipt_out_of_period(received_on, date(2008, 6, 10)) is out


MONTHS = [f"2008-{month:02d}" for month in range(1, 13)]
balances = st.dictionaries(
    st.sampled_from(MONTHS),
    st.tuples(st.sampled_from(["210502", "210503", "210521"]), st.integers(0, 10**9)),
)


@given(balances)
def test_the_chain_telescopes_to_the_latest_balance_unit_by_unit(
    stated: dict[str, tuple[str, int]],
) -> None:
    links = chain([(month, unit, fen) for month, (unit, fen) in stated.items()])
    by_unit: dict[str, int] = {}
    for link in links:
        by_unit[link.unit] = by_unit.get(link.unit, 0) + link.balance_fen
        before = link.carried_unit or link.unit
        by_unit[before] = by_unit.get(before, 0) - link.carried_fen
        unit, fen = stated[link.month]
        assert {unit: total for unit, total in by_unit.items() if total} == (
            {unit: fen} if fen else {}
        )
