"""The record a complaint is pushed as, and what the API says of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from pydantic import BaseModel, ConfigDict, Field

from enrollment.census.schemas import CODE, NO_IDENTITY
from shared.deliveries.fields import LicenceNo, OrgCode, Unit


class Complaint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A letter or report about an employer (O85). What was written and who wrote it are kept
    encrypted and stand in no list and no fact."""

    complaint_no: Annotated[
        str,
        Meta(
            pattern=rf"^{NO_IDENTITY}[0-9A-Za-z-]{{1,32}}$",
            description="受理编号 · number under which it was accepted",
        ),
    ]
    received_on: Annotated[date, Meta(description="受理日期 · day it was accepted")]
    channel: Annotated[
        Literal["letter", "visit", "phone", "mailbox"],
        Meta(description="来件方式 · letter 来信, visit 来访, phone 电话, mailbox 举报箱"),
    ]
    unit: Unit
    ground: Annotated[
        str,
        Meta(
            pattern=CODE,
            description="举报事项 · ground, coded by the plan's list complaint-grounds: "
            "not-registered, staff-left-out, wages-hidden, deducted-not-paid, arrears, other",
        ),
    ]
    employer_name: Annotated[
        str,
        Meta(
            pattern=rf"^{NO_IDENTITY}.{{2,200}}$",
            description="被举报单位 · name of the employer complained of",
        ),
    ]
    content: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=2000,
            description="举报内容 · what was written or said; kept encrypted",
        ),
    ]
    anonymous: Annotated[
        bool, Meta(description="匿名举报 · the informant gave no name, or wants none kept")
    ]
    informant_name: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=50,
                description="举报人 · informant; kept encrypted, none when anonymous",
            ),
        ]
        | None
    ) = None
    informant_contact: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=200,
                description="举报人联系方式 · how to reach the informant; kept encrypted",
            ),
        ]
        | None
    ) = None
    org_code: OrgCode | None = None
    licence_no: LicenceNo | None = None
    persons_affected: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=200_000,
                description="涉及人数 · persons concerned; left out where not stated",
            ),
        ]
        | None
    ) = None
    void: Annotated[bool, Meta(description="作废 · entered by mistake, or twice")] = False


class Shown(BaseModel):
    """Base of every answer: read from rows, nothing that is not declared."""

    model_config = ConfigDict(from_attributes=True)


class ComplaintShown(Shown):
    """A complaint, without what was written and without the informant."""

    complaint: str = Field(description="编号 · <sender>.<complaint_no>")
    unit: str
    received_on: date
    channel: str
    ground: str = Field(description="举报事项 · by the plan's list complaint-grounds")
    employer_name: str
    org_code: str | None
    licence_no: str | None
    persons_affected: int | None
    void: bool
    revision: int
    delivery_id: str
    record_no: int
    recorded_at: datetime


class ComplaintPage(Shown):
    """A page of complaints; ``next`` is the address of the next one."""

    items: list[ComplaintShown]
    next: str | None


class ComplaintContent(Shown):
    """What was written and by whom: for those who investigate it. Reading it is logged."""

    complaint: str
    content: str
    informant_name: str | None = Field(description="举报人(保密) · null when anonymous")
    informant_contact: str | None
