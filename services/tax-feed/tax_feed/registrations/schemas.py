"""The record of a tax registration, and what is shown of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta
from pydantic import Field

from shared.deliveries.fields import (
    Address,
    Industry,
    LegalRep,
    LicenceNo,
    OrgCode,
    RegType,
    TaxNo,
)
from tax_feed.fields import CollectingUnit, NotifiedOn, Taxpayer
from tax_feed.schemas import ListPage, State


class TaxRegistration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One taxpayer as it is registered now, and when it was told to enrol (O38). A later record
    of the same taxpayer takes its place; ``deregistered_on`` ends it."""

    name: Taxpayer
    reg_type: RegType
    industry: Industry
    unit: CollectingUnit
    registered_on: Annotated[date, Meta(description="税务登记日期 · date of tax registration")]
    notified_on: NotifiedOn | None = None
    deregistered_on: (
        Annotated[date, Meta(description="注销日期 · day the registration ended")] | None
    ) = None
    tax_no: TaxNo | None = None
    org_code: OrgCode | None = None
    licence_no: LicenceNo | None = None
    address: Address | None = None
    legal_rep: LegalRep | None = None


class TaxRegistrationView(State):
    """A taxpayer as it is registered now."""

    reg_type: str
    industry: str
    household: bool
    licence_no: str | None
    registered_on: date
    notified_on: date | None = Field(description="告知参保登记日期 · told to enrol on (O38)")
    enrol_by: date | None = Field(
        description="应办理参保登记的最后日期 · last day to enrol; none where not told"
    )
    deregistered_on: date | None
    address: str | None
    legal_rep: str | None = Field(description="法定代表人(掩码) · legal representative, masked")


class TaxRegistrationPage(ListPage[TaxRegistrationView]):
    """One page of tax registrations."""
