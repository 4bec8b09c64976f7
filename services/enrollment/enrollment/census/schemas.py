"""The records the census pushes: strict shapes, every field documented.

No number here may hold an identity number by mistake: streets and numbers go into facts.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from enrollment.register.schemas import WorkerClass
from shared.deliveries.fields import (
    BirthOn,
    IdentityKind,
    LicenceNo,
    Nationality,
    OrgCode,
    PersonName,
    PersonNo,
    Sex,
    Unit,
)

NO_IDENTITY = r"(?!.*\d{15})"
"""In a pattern: nowhere fifteen digits on end."""

CODE = r"^[a-z][a-z-]{0,39}$"
"""A code of one of the plan's lists: nothing else can stand there, to be quoted in a refusal."""

FrameNo = Annotated[
    str,
    Meta(
        pattern=rf"^{NO_IDENTITY}[0-9A-Za-z-]{{1,32}}$",
        description="普查编号 · number in the unit's frame; no identity number",
    ),
]
Street = Annotated[
    str,
    Meta(
        pattern=rf"^{NO_IDENTITY}.{{2,40}}$",
        description="街道(乡镇) · street or township",
    ),
]
EmployerName = Annotated[
    str,
    Meta(
        pattern=rf"^{NO_IDENTITY}.{{2,200}}$",
        description="用人单位名称 · name of the employer met at",
    ),
]
_Found = Annotated[int, Meta(ge=0, le=200_000)]


class CensusUnit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A unit or household of the frame, and the visit to it where there was one (O65, O69)."""

    frame_no: FrameNo
    unit: Unit
    street: Street
    kind: Annotated[
        Literal["enterprise", "household-business", "residence"],
        Meta(
            description="普查对象类别 · enterprise 企业单位, household-business 个体工商户, "
            "residence 居民户 (O66)"
        ),
    ]
    community: (
        Annotated[
            str,
            Meta(
                pattern=rf"^{NO_IDENTITY}.{{2,40}}$",
                description="社区(村) · community or village",
            ),
        ]
        | None
    ) = None
    name: (
        Annotated[
            str,
            Meta(
                pattern=rf"^{NO_IDENTITY}.{{2,200}}$",
                description="单位名称 · name of the unit; none for a residence",
            ),
        ]
        | None
    ) = None
    org_code: OrgCode | None = None
    licence_no: LicenceNo | None = None
    visited_on: Annotated[date, Meta(description="走访日期 · day of the visit")] | None = None
    visitor: (
        Annotated[
            str,
            Meta(
                pattern=rf"^{NO_IDENTITY}[0-9A-Za-z-]{{1,20}}$",
                description="普查员编号 · code of the enumerator, no name; needed with a visit",
            ),
        ]
        | None
    ) = None
    outcome: (
        Annotated[
            str,
            Meta(
                pattern=CODE,
                description="走访结果 · coded by the plan's list visit-outcomes: done 完成登记, "
                "refused 拒绝登记, vacant 空户或已搬迁, absent 无人在, mistaken 误报撤销; "
                "needed with a visit",
            ),
        ]
        | None
    ) = None
    persons_found: Annotated[
        _Found, Meta(description="查到人数 · persons of working age found")
    ] = 0
    uninsured_found: Annotated[
        _Found, Meta(description="其中未参保人数 · of these, not insured")
    ] = 0
    void: Annotated[
        bool, Meta(description="作废 · not in the frame: entered by mistake, or twice")
    ] = False


class CensusPerson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person the census found not insured (O67, O70); sex and birth date are needed where
    there is no identity number."""

    entry_no: Annotated[
        str,
        Meta(
            pattern=rf"^{NO_IDENTITY}[0-9A-Za-z-]{{1,32}}$",
            description="登记序号 · number of the line in the unit's census forms",
        ),
    ]
    unit: Unit
    street: Street
    found_on: Annotated[date, Meta(description="登记日期 · day of the finding")]
    name: PersonName
    worker_class: WorkerClass
    reason: Annotated[
        str,
        Meta(
            pattern=CODE,
            description="未参保原因 · why not insured, coded by the plan's list uninsured-reasons",
        ),
    ]
    can_pay: Annotated[bool, Meta(description="有缴费能力 · able to pay (O70)")]
    identity_no: PersonNo | None = None
    sex: Sex | None = None
    birth_on: BirthOn | None = None
    post: (
        Annotated[
            Literal["cadre", "worker"],
            Meta(description="岗位 · cadre 干部岗, worker 工人岗; decides a woman's limit (O67)"),
        ]
        | None
    ) = None
    frame_no: FrameNo | None = None
    employer_name: EmployerName | None = None
    org_code: OrgCode | None = None
    licence_no: LicenceNo | None = None
    void: Annotated[bool, Meta(description="作废 · entered by mistake")] = False
    identity_kind: IdentityKind = "identity-card"
    nationality: Nationality | None = None
