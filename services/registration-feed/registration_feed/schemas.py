"""The records 工商 and 质监 push (strict shapes, every field documented for the sender), and what
is shown of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta
from pydantic import BaseModel, ConfigDict, Field

from shared.deliveries.fields import (
    Address,
    Industry,
    LegalRep,
    LicenceNo,
    Name,
    OrgCode,
    Persons,
    RegType,
    Unit,
)
from shared.deliveries.numbers import numbered

Event = Literal["registered", "changed", "revoked", "deregistered"]
"""Issued, changed, revoked (吊销) by the registry, or struck off (注销) on request."""

EventTold = Annotated[
    Event,
    Meta(
        description="登记事项 · what happened: registered 新办, changed 变更, revoked 吊销, "
        "deregistered 注销"
    ),
]

OwnerId = Annotated[
    str,
    Meta(
        pattern=r"^([0-9]{15}|[0-9]{17}[0-9X])$",
        description="经营者身份证号 · owner's identity number (households); never published",
        extra=numbered("identity-no"),
    ),
]


class BusinessLicence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One business licence issued, changed or cancelled (O49–O51)."""

    licence_no: LicenceNo
    name: Name
    reg_type: RegType
    industry: Industry
    unit: Unit
    licensed_on: Annotated[date, Meta(description="发照日期 · date of the licence")]
    event: EventTold
    event_on: Annotated[date, Meta(description="事项日期 · when it took effect")]
    org_code: OrgCode | None = None
    owner_id: OwnerId | None = None
    address: Annotated[str, Meta(max_length=200, description="住所 · address")] | None = None
    legal_rep: LegalRep | None = None
    commitment_letter: Annotated[
        bool, Meta(description="已审验参保承诺书 · commitment letter checked (O49)")
    ] = False
    notified_on: (
        Annotated[date, Meta(description="告知参保登记日期 · told to enrol on (O50)")] | None
    ) = None
    headcount: Annotated[Persons, Meta(description="从业人数 · persons employed")] | None = None


class OrganisationCode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One organisation-code certificate issued, changed or cancelled (O49, O50, O52)."""

    org_code: OrgCode
    name: Name
    unit: Unit
    issued_on: Annotated[date, Meta(description="颁证日期 · date of the certificate")]
    event: EventTold
    event_on: Annotated[date, Meta(description="事项日期 · when it took effect")]
    reg_type: RegType | None = None
    industry: Industry | None = None
    licence_no: LicenceNo | None = None
    address: Address | None = None
    legal_rep: LegalRep | None = None
    commitment_letter: Annotated[
        bool, Meta(description="已审验参保承诺书 · commitment letter checked (O49)")
    ] = False
    notified_on: (
        Annotated[date, Meta(description="告知参保登记日期 · told to enrol on (O50)")] | None
    ) = None


class Enterprise(BaseModel):
    """A licence or certificate as it stands now. No identity number; ``owner_key`` is a keyed
    hash."""

    model_config = ConfigDict(from_attributes=True)

    number: str = Field(description="执照注册号或组织机构代码 · licence number or code")
    name: str
    unit: str
    employer_key: str = Field(description="oc:/lic:… · key of its facts")
    org_code: str | None
    licence_no: str | None
    owner_key: str | None = Field(description="own:… · keyed hash of a household's owner")
    reg_type: str | None
    industry: str | None
    household: bool
    licensed_on: date = Field(description="发照或颁证日期 · date of licence or certificate")
    event: Event
    event_on: date
    commitment_letter: bool = Field(description="已审验参保承诺书 (O49)")
    notified_on: date | None = Field(description="告知参保登记日期 (O50)")
    enrol_by: date = Field(
        description="应办理参保登记的最后日期 · last day to enrol, counted from the licence (O50)"
    )
    headcount: int | None
    address: str | None
    legal_rep: str | None = Field(description="法定代表人(掩码) · legal representative, masked")
    revision: int
    delivery_id: UUID = Field(description="当前内容所出自的报送 · the delivery it comes from")
    record_no: int
    recorded_at: datetime


class EnterprisePage(BaseModel):
    """One page of enterprises."""

    items: list[Enterprise]
    next: str | None = Field(description="下一页地址 · address of the next page")


class Version(BaseModel):
    """An earlier content of a number: where it came from and until when it stood."""

    revision: int
    delivery_id: UUID
    record_no: int
    superseded_at: datetime


class EnterpriseDetails(Enterprise):
    """One enterprise with what stood before."""

    feed: str
    earlier: list[Version]
