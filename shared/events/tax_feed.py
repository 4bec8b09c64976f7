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
    """``headcounts``, ``unenrolled-employers``, or ``employer-checks`` standing in for both."""
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
    address: str | None = None
    """Business address; never a household's, which may be somebody's home."""
    legal_rep_key: str | None = None
    """``rep:`` keyed hash of the legal representative's name, where known."""
    withdrawn: bool = False
    """Taken back: this never was told, whatever else stands here."""


class HeadcountDeclared(_Headcount, frozen=True, kw_only=True):
    """Headcounts of one employer for one period. Subject ``headcount:<employer key>:<period>``
    from a joint check, ``declared:…`` from ``headcounts``, ``unenrolled:…`` from the list of the
    unenrolled (there it says that the finding was taken back)."""

    kind: ClassVar[str] = "headcount-declared"
    leads: ClassVar[str] = "may_close"
    title_zh: ClassVar[str] = "计税人数申报"


class UnenrolledReported(_Headcount, frozen=True, kw_only=True):
    """The tax office found an employer with nobody, or too few, insured (O39, O40). Subject as
    HeadcountDeclared's; the finding ends when a later fact of the same subject is a
    HeadcountDeclared."""

    kind: ClassVar[str] = "unenrolled-reported"
    leads: ClassVar[str] = "may_open"
    title_zh: ClassVar[str] = "未参保单位反馈"


class _PreLevy(_TaxFact, frozen=True, kw_only=True):
    feed: str = "pre-levies"
    name: str = ""
    month: str = ""
    """The month levied for, ``2008-05``."""
    household: bool = False
    licence_no: str | None = None
    owner_key: str | None = None
    """``own:`` keyed hash of a household owner's identity number, where known."""
    taxable_headcount: int = 0
    """Persons the levy reckons with."""
    individual_due_fen: int = 0
    """The individual part that falls due once it has enrolled, by the rate of ``month`` (O47)."""
    enrolled_on: date | None = None
    """When it enrolled, as the tax office was told: the individual part is due since."""
    cancelled: bool = False
    """Levied by mistake: all amounts are 0."""


class PreLevied(_PreLevy, frozen=True, kw_only=True):
    """The pooled part was levied before enrolment (O46, O48). Subject ``pre-levy:<number>``.
    Money is counted where its receipt says so, never from here."""

    kind: ClassVar[str] = "pre-levied"
    leads: ClassVar[str] = "may_open"
    title_zh: ClassVar[str] = "先行征收"

    levied_on: date
    pooled_fen: int
    headcount_gap: int


class PreLevySettled(_PreLevy, frozen=True, kw_only=True):
    """After enrolment the individual part was levied (O47). Subject as PreLevied's; a later
    PreLevied of the same subject takes it back."""

    kind: ClassVar[str] = "pre-levy-settled"
    leads: ClassVar[str] = "may_close"
    title_zh: ClassVar[str] = "先行征收结清"

    settled_on: date
    individual_fen: int
    levied_on: date | None = None
    pooled_fen: int = 0
    headcount_gap: int = 0


class _TaxRegistration(_TaxFact, frozen=True, kw_only=True):
    feed: str
    """``tax-registrations``."""
    name: str
    reg_type: str | None = None
    industry: str | None = None
    household: bool = False
    licence_no: str | None = None
    owner_key: str | None = None
    """``own:`` keyed hash of a household owner's identity number."""
    registered_on: date
    effective_on: date
    notified_on: date | None = None
    """When it was told to enrol; None: it was not."""
    enrol_by: date | None = None
    """The last day to enrol, by the rule in force on ``notified_on`` (30 days)."""
    address: str | None = None
    """Business address; never a household's, which may be somebody's home."""
    legal_rep_key: str | None = None
    """``rep:`` keyed hash of the legal representative's name, where known."""
    withdrawn: bool = False
    """Taken back: this never was told, whatever else stands here."""


class TaxRegistered(_TaxRegistration, frozen=True, kw_only=True):
    """A taxpayer registered and was told to enrol, or was not (O38). Subject
    ``tax-registration:<employer key>``."""

    kind: ClassVar[str] = "tax-registered"
    leads: ClassVar[str] = "may_open"
    title_zh: ClassVar[str] = "税务登记"


class TaxDeregistered(_TaxRegistration, frozen=True, kw_only=True):
    """Its tax registration ended. Subject as TaxRegistered's."""

    kind: ClassVar[str] = "tax-deregistered"
    leads: ClassVar[str] = "may_close"
    title_zh: ClassVar[str] = "税务登记注销"


class ClearingInstalmentSet(_TaxFact, frozen=True, kw_only=True):
    """One instalment of an employer's plan to clear its arrears was agreed or changed (O41).
    Subject ``instalment:<plan number>:<instalment>``. Whether it was kept is worked out from
    receipts, at ``/clearing-plans``."""

    kind: ClassVar[str] = "clearing-instalment-set"
    title_zh: ClassVar[str] = "清欠分期约定"

    plan_no: str
    instalment_no: int
    agreed_on: date
    due_on: date
    pooled_fen: int
    """To be cleared by ``due_on``; 0 where cancelled."""
    cancelled: bool = False


class BaseAudited(_TaxFact, frozen=True, kw_only=True):
    """A contribution base was audited (O42). Subject ``base-audit:<number>``."""

    kind: ClassVar[str] = "base-audited"
    title_zh: ClassVar[str] = "缴费基数稽核"

    audit_no: str
    audited_on: date
    from_month: str
    to_month: str
    declared_base_fen: int
    audited_base_fen: int
    rate: str
    """Employer's rate in force at the end of ``to_month``, exact decimal such as ``0.20``."""
    pooled_due_fen: int
    """Pooled part of what was not declared; negative where too much was."""
    cancelled: bool = False
    """Taken back: all amounts are 0."""


class NoWageCharged(_TaxFact, frozen=True, kw_only=True):
    """The insured of one employer who got no wage in one month, all together: the individual
    part, and the employer's part reckoned on the individual base (O43). Subject
    ``no-wage:<employer key>:<month>:<unit>``. Persons are not named here."""

    kind: ClassVar[str] = "no-wage-charged"
    title_zh: ClassVar[str] = "未领取工资人员征收"

    month: str
    person_count: int
    base_fen: int
    individual_fen: int
    employer_fen: int
    effective_on: date
    """Last day of ``month``."""


class DeductionReviewed(_TaxFact, frozen=True, kw_only=True):
    """What of one month's contributions an employer may deduct before tax (O44, O45). Subject
    ``deduction:<review number>:<month>``."""

    kind: ClassVar[str] = "deduction-reviewed"
    title_zh: ClassVar[str] = "税前列支核准"

    review_no: str
    reviewed_on: date
    month: str
    taxable_headcount: int
    contributing_headcount: int
    approved_headcount: int
    """The smaller of the two."""
    accrued_fen: int
    paid_fen: int
    not_deductible_fen: int
    """Accrued and not paid."""
    withdrawn: bool = False
    """Taken back: all headcounts and amounts are 0."""
