"""The record of a person without wage, and what is shown of it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from pydantic import Field

from shared.deliveries.fields import (
    IdentityKind,
    Month,
    Nationality,
    OrgCode,
    PersonName,
    PersonNo,
    TaxNo,
)
from tax_feed.fields import Cancelled, CollectingUnit, IndividualBase, Taxpayer
from tax_feed.schemas import ListPage, Money, State


class NoWagePerson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One insured person who got no wage from one employer in one month (O43)."""

    month: Annotated[Month, Meta(description="未领工资月份 · month without wage, 2008-05")]
    identity_no: PersonNo
    person_name: PersonName
    name: Taxpayer
    unit: CollectingUnit
    individual_base: IndividualBase
    tax_no: TaxNo | None = None
    org_code: OrgCode | None = None
    cancelled: Cancelled = False
    identity_kind: IdentityKind = "identity-card"
    nationality: Nationality | None = None


class NoWageView(State):
    """One person and month with what is levied; the person is a keyed hash."""

    person_key: str = Field(description="人员散列 · keyed hash of the identity number")
    month: str
    base: Money = Field(description="个人缴费基数 · individual base of the month")
    individual_rate: str
    individual: Money = Field(description="个人应缴 · individual part")
    individual_formula: str
    employer_rate: str
    employer: Money = Field(description="另按个人基数计征的单位部分 · employer's part (O43)")
    employer_formula: str = Field(description="计算过程 · how it was reckoned, yuan")
    cancelled: bool


class NoWagePage(ListPage[NoWageView]):
    """One page of persons without wage."""
