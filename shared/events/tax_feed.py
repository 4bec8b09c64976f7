"""Facts of tax-feed: what 地税 knows of headcounts, payments and arrears (O37–O48).

``key`` is the employer key. All money is integer fen; the pooled part (统筹) never mixes with
the individual part. Money belongs to ``unit``, the unit that collected it, wherever the firm
moves later.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from shared.events.base import Fact


class _TaxFact(Fact, frozen=True, kw_only=True):
    producer: ClassVar[str] = "tax-feed"

    unit: str
    org_code: str | None = None


class ContributionCollected(_TaxFact, frozen=True, kw_only=True):
    """Money was received (O11). Subject ``receipt:<number>``; a cancelled receipt is the same
    subject with zero amounts."""

    kind: ClassVar[str] = "contribution-collected"
    title_zh: ClassVar[str] = "养老保险费入库"

    receipt_no: str
    month_for: str
    """The month the contribution is for, ``2008-05``."""
    received_on: date
    pooled_fen: int
    individual_fen: int
    arrears_pooled_fen: int = 0
    """Of ``pooled_fen``, what clears earlier months' arrears."""
    payer_count: int = 0


class _Arrears(_TaxFact, frozen=True, kw_only=True):
    month: str
    as_at: date
    """Last day of the month the stock is stated for."""
    balance_fen: int
    """Arrears of this employer at ``as_at``."""
    carried_fen: int
    """Balance at this employer's latest earlier month, 0 if none: the contribution of this
    month to a balance at any date is balance − carried, so sums telescope."""
    carried_unit: str | None = None
    """The unit that earlier balance stood under, where the firm has moved; None: the same."""


class ArrearsRecorded(_Arrears, frozen=True, kw_only=True):
    """The stock of arrears of one employer for one month (O41). Subject ``arrears:<employer
    key>:<month>``; restated with a new revision when an earlier month is corrected."""

    kind: ClassVar[str] = "arrears-recorded"
    title_zh: ClassVar[str] = "欠费登记"


class ArrearsSettled(_Arrears, frozen=True, kw_only=True):
    """As ArrearsRecorded, with nothing owed any more."""

    kind: ClassVar[str] = "arrears-settled"
    title_zh: ClassVar[str] = "欠费结清"


class _Headcount(_TaxFact, frozen=True, kw_only=True):
    feed: str
    """``headcounts``, or ``employer-checks`` standing in for it."""
    period: str
    name: str
    reg_type: str | None = None
    industry: str | None = None
    household: bool = False
    taxable_headcount: int
    """Persons whose wages were deducted before tax (计税工资人数)."""
    insured_headcount: int
    """Persons contributions are paid for, as the tax office sees it."""
    licence_no: str | None = None
    owner_key: str | None = None
    """``own:`` keyed hash of a household owner's identity number, where known."""
    tax_reg_on: date | None = None
    effective_on: date
    """Last day of the period checked."""


class HeadcountDeclared(_Headcount, frozen=True, kw_only=True):
    """Headcounts of one employer for one period. Subject ``headcount:<employer key>:<period>``."""

    kind: ClassVar[str] = "headcount-declared"
    title_zh: ClassVar[str] = "计税人数申报"


class UnenrolledReported(_Headcount, frozen=True, kw_only=True):
    """The tax office found an employer with nobody, or too few, insured (O39, O40). Subject as
    HeadcountDeclared's; the finding ends when a later fact of the same subject is a
    HeadcountDeclared."""

    kind: ClassVar[str] = "unenrolled-reported"
    title_zh: ClassVar[str] = "未参保单位反馈"


class PreLevied(_TaxFact, frozen=True, kw_only=True):
    """The pooled part was levied before enrolment (O46, O48). Subject ``pre-levy:<number>``."""

    kind: ClassVar[str] = "pre-levied"
    title_zh: ClassVar[str] = "先行征收"

    levied_on: date
    pooled_fen: int
    headcount_gap: int


class PreLevySettled(_TaxFact, frozen=True, kw_only=True):
    """After enrolment the individual part was levied (O47)."""

    kind: ClassVar[str] = "pre-levy-settled"
    title_zh: ClassVar[str] = "先行征收结清"

    settled_on: date
    individual_fen: int
