"""What a lead is worth: the effectiveness test, its estimate and a year's money, as tables."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from enrollment.leads.coverage.rules import rate
from enrollment.leads.worth import rules
from enrollment.leads.worth.rules import Amounts, Known
from shared.plan import Plan

UNENROLLED, NOT_FULLY, PERSON = "unenrolled-employer", "not-fully-enrolled", "unenrolled-person"


def known(kind: str = UNENROLLED, **more: Any) -> Known:
    given: dict[str, Any] = {
        "kind": kind,
        "outcome": None,
        "gap": 0,
        "interrupted": 0,
        "headcounts": 0,
        "licensed": None,
        "found": 0,
        "affected": None,
        "household": False,
        "disputed": False,
        "can_pay": None,
        "age_known": None,
        "elsewhere": False,
    }
    return Known(**{**given, **more})


CASES: list[tuple[str, Known, str, tuple[str, ...], tuple[int | None, str]]] = [
    ("tax headcount", known(gap=9, headcounts=1), "effective", (), (9, "tax-headcount")),
    (
        "the tax office's word goes first",
        known(gap=9, headcounts=1, found=3, affected=20),
        "effective",
        (),
        (9, "tax-headcount"),
    ),
    (
        "a licence that states its staff",
        known(licensed=5, found=3),
        "effective",
        (),
        (5, "licence-headcount"),
    ),
    (
        "a licence without staff",
        known(licensed=0),
        "unclear",
        ("staff-unknown",),
        (None, "unknown"),
    ),
    ("found by the census", known(found=3, affected=20), "effective", (), (3, "census-found")),
    ("a complaint alone", known(affected=20), "effective", (), (20, "report")),
    ("a licence alone", known(), "unclear", ("staff-unknown",), (None, "unknown")),
    ("a household's owner", known(household=True), "effective", (), (1, "household-owner")),
    ("no staff", known(headcounts=1), "not-effective", ("no-staff",), (0, "tax-headcount")),
    (
        "two firms on one record",
        known(gap=9, headcounts=1, disputed=True),
        "unclear",
        ("identity-unsettled",),
        (9, "tax-headcount"),
    ),
    (
        "nobody found there can pay",
        known(found=2, can_pay=False),
        "not-effective",
        ("cannot-pay",),
        (2, "census-found"),
    ),
    ("a gap", known(NOT_FULLY, gap=4, headcounts=1), "effective", (), (4, "register-gap")),
    (
        "of a gap those interrupted are leads themselves",
        known(NOT_FULLY, gap=4, headcounts=1, interrupted=6),
        "effective",
        (),
        (0, "register-gap"),
    ),
    ("a person", known(PERSON, can_pay=True, age_known=True), "effective", (), (1, "person")),
    ("payment interrupted", known(PERSON), "effective", (), (1, "person")),
    ("cannot pay", known(PERSON, can_pay=False), "not-effective", ("cannot-pay",), (1, "person")),
    (
        "every reason is named",
        known(PERSON, can_pay=False, age_known=False, elsewhere=True),
        "not-effective",
        ("cannot-pay", "insured-elsewhere", "age-unknown"),
        (1, "person"),
    ),
    ("no post", known(PERSON, age_known=False), "unclear", ("age-unknown",), (1, "person")),
    *(
        (
            f"ended: {outcome}",
            known(gap=9, headcounts=1, outcome=outcome),
            "not-effective",
            (reason,),
            (9, "tax-headcount"),
        )
        for outcome, reason in (
            ("enrolled", "already-enrolled"),
            ("ceased", "ceased"),
            ("evidence-withdrawn", "evidence-withdrawn"),
            ("excluded", "excluded"),
        )
    ),
]


@pytest.mark.parametrize(
    ("case", "effect", "reasons", "estimate"),
    [row[1:] for row in CASES],
    ids=[row[0] for row in CASES],
)
def test_cases(
    case: Known, effect: str, reasons: tuple[str, ...], estimate: tuple[int | None, str]
) -> None:
    assert rules.test(case) == (effect, reasons)
    assert rules.estimate(case) == estimate
    assert all(Plan.default().find_code(rules.REASONS_LIST, code) for code in reasons)


def test_a_year_s_money_goes_by_the_parameters_of_the_day() -> None:
    by = rules.amounts(Plan.default(), date(2008, 6, 10))
    # 22,000 yuan of the year before, 60 % of it, 20 % and 12 %.
    assert by == Amounts(264_000, 158_400, "floor", ())
    assert rules.pooled_of(3, "tax-headcount", by) == 792_000
    assert rules.pooled_of(1, "person", by) == 158_400
    assert rules.pooled_of(None, "unknown", by) is None
    assert rules.pooled_fen(2, 1, by) == 686_400


def test_what_is_missing_is_named_and_nothing_guessed() -> None:
    by = rules.amounts(Plan.default(), date(2031, 6, 10))
    assert by.missing == ("mean-wage-previous-year",)
    assert rules.pooled_of(3, "tax-headcount", by) is None
    assert rules.pooled_fen(0, 0, by) == 0


@pytest.mark.parametrize(
    ("enrolled", "missing", "expected"),
    [(3, 1, Decimal("0.7500")), (0, 0, None), (2, 1, Decimal("0.6667")), (0, 5, Decimal(0))],
)
def test_the_rate_of_coverage(enrolled: int, missing: int, expected: Decimal | None) -> None:
    assert rate(enrolled, missing) == expected
