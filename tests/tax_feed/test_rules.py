from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tax_feed.audits.rules import approved_headcount, not_deductible
from tax_feed.collection.rules import chain, receipt_out_of_period
from tax_feed.prelevies.rules import stage_of
from tax_feed.registrations.rules import enrol_by
from tax_feed.rules import finds_unenrolled, formula, part_of


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


@pytest.mark.parametrize(
    ("base_fen", "rate", "fen", "shown"),
    [
        (165_000, "0.20", 33_000, "1650.00 × 20% = 330.00"),
        (165_000, "0.08", 13_200, "1650.00 × 8% = 132.00"),
        (100_003, "0.08", 8_000, "1000.03 × 8% = 80.00"),
        (100_006, "0.08", 8_000, "1000.06 × 8% = 80.00"),
        (100_007, "0.08", 8_001, "1000.07 × 8% = 80.01"),
        (5, "0.1", 1, "0.05 × 10% = 0.01"),
        (-5, "0.1", -1, "-0.05 × 10% = -0.01"),
        (0, "0.125", 0, "0.00 × 12.5% = 0.00"),
    ],
)
def test_a_part_is_half_up_and_shown_with_its_formula(
    base_fen: int, rate: str, fen: int, shown: str
) -> None:
    assert part_of(base_fen, Decimal(rate)) == fen
    assert formula(base_fen, Decimal(rate)) == shown


@pytest.mark.parametrize(
    ("taxable", "contributing", "approved"), [(12, 7, 7), (7, 12, 7), (7, 7, 7), (5, 0, 0)]
)
def test_the_approved_headcount_is_the_smaller_one(
    taxable: int, contributing: int, approved: int
) -> None:
    assert approved_headcount(taxable, contributing) == approved


@pytest.mark.parametrize(
    ("accrued", "paid", "refused"), [(5760, 3360, 2400), (3360, 3360, 0), (3360, 5760, 0)]
)
def test_what_was_accrued_and_not_paid_is_refused(accrued: int, paid: int, refused: int) -> None:
    assert not_deductible(accrued, paid) == refused


@pytest.mark.parametrize(
    ("enrolled", "settled", "cancelled", "stage"),
    [
        (None, None, False, "pre-levied"),
        (date(2008, 6, 1), None, False, "individual-due"),
        (date(2008, 6, 1), date(2008, 6, 2), False, "settled"),
        (date(2008, 6, 1), date(2008, 6, 2), True, "cancelled"),
    ],
)
def test_a_pre_levy_s_stage(
    enrolled: date | None, settled: date | None, cancelled: bool, stage: str
) -> None:
    assert stage_of(enrolled, settled, cancelled) == stage


@pytest.mark.parametrize(
    ("notified", "by"),
    [(date(2008, 5, 12), date(2008, 6, 11)), (date(2008, 2, 28), date(2008, 3, 29)), (None, None)],
)
def test_the_clock_a_notice_starts(notified: date | None, by: date | None) -> None:
    assert enrol_by(notified, 30) == by
