"""The records the agency and the units push: strict shapes, every field documented."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.deliveries.fields import (
    BirthOn,
    IdentityKind,
    IdentityNo,
    Industry,
    LicenceNo,
    Name,
    Nationality,
    OrgCode,
    PersonName,
    PersonNo,
    RegType,
    Sex,
    Unit,
    Uscc,
)
from shared.deliveries.numbers import numbered

AgencyNo = Annotated[
    str,
    Meta(
        min_length=4,
        max_length=32,
        pattern=r"^[0-9A-Za-z-]+$",
        description="社会保险登记证号 · social-insurance registration number of the employer",
    ),
]
TaxNo = Annotated[
    str,
    Meta(
        pattern=r"^[0-9A-Z]{15,20}$",
        description="税务登记号 · tax number, 15, 18 or 20 characters (国税函〔2006〕820号)",
        extra=numbered("tax-no"),
    ),
]
ApplicationNo = Annotated[
    str, Meta(min_length=1, max_length=64, description="申请编号 · number of the application")
]
Action = Annotated[
    Literal["enrol", "leave"], Meta(description="申请类别 · enrol 参保登记(变更), leave 注销、减员")
]
PersonAction = Annotated[
    Literal["enrol", "leave", "transfer-in", "transfer-out"],
    Meta(
        description="申请类别 · enrol 参保登记(变更), leave 注销、减员, transfer-in 由外市转入, "
        "transfer-out 转往外市 (O81)"
    ),
]
WorkerClass = Annotated[
    Literal["employee", "household", "flexible", "migrant", "out-of-town", "foreign"],
    Meta(
        description="人员类别 · employee 职工, household 个体工商户从业者, flexible 灵活就业, "
        "migrant 农民工, out-of-town 外埠人员, foreign 外籍 (O13, O16, O74)"
    ),
]
OtherPlace = Annotated[
    str,
    Meta(
        pattern=r"^[1-9][0-9]{5}$",
        description="转出、转入地 · division code of the other city, six digits; of transfers only",
    ),
]
Post = Annotated[
    Literal["cadre", "worker"], Meta(description="岗位 · cadre 干部岗, worker 工人岗 (O67)")
]
Reason = Annotated[
    Literal["retired", "died", "moved-out", "ended", "suspended"],
    Meta(
        description="减员原因 · retired 退休(仍计参保), died 死亡, moved-out 转出, ended 终止, "
        "suspended 中断"
    ),
]
_APPLIED_ON = Meta(description="申请日期 · date of the application")
_EFFECTIVE_ON = Meta(description="生效日期 · when it takes effect")
_TOWNSHIP = Meta(description="地处乡镇 · located in a township (O75)")


class Employer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One employer of the register as it stands at the end of the period (O3, O30)."""

    agency_no: AgencyNo
    name: Name
    reg_type: RegType
    industry: Industry
    unit: Unit
    enrolled_on: Annotated[date, Meta(description="参保登记日期 · date of enrolment")]
    status: Annotated[
        Literal["enrolled", "suspended", "ended"],
        Meta(description="状态 · enrolled 正常, suspended 中断, ended 注销"),
    ]
    org_code: OrgCode | None = None
    tax_no: TaxNo | None = None
    uscc: Uscc | None = None
    licence_no: LicenceNo | None = None
    owner_id: IdentityNo | None = None
    in_township: Annotated[bool, _TOWNSHIP] = False


class InsuredPerson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One insured person as the register stands at the end of the period (O3, O12)."""

    identity_no: PersonNo
    name: PersonName
    unit: Unit
    status: Annotated[
        Literal["active", "suspended", "retired", "ended"],
        Meta(description="状态 · active 在职缴费, suspended 中断, retired 退休, ended 终止"),
    ]
    worker_class: WorkerClass
    enrolled_on: Annotated[date, Meta(description="参保日期 · insured since")]
    post: Post | None = None
    agency_no: AgencyNo | None = None
    identity_kind: IdentityKind = "identity-card"
    nationality: Nationality | None = None
    birth_on: BirthOn | None = None
    sex: Sex | None = None


class EmployerApplication(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An employer enters, changes or leaves the register (O30)."""

    application_no: ApplicationNo
    action: Action
    applied_on: Annotated[date, _APPLIED_ON]
    effective_on: Annotated[date, _EFFECTIVE_ON]
    agency_no: AgencyNo
    unit: Unit
    name: Name | None = None
    """Needed to enrol, as the two after it."""
    reg_type: RegType | None = None
    industry: Industry | None = None
    org_code: OrgCode | None = None
    tax_no: TaxNo | None = None
    uscc: Uscc | None = None
    licence_no: LicenceNo | None = None
    owner_id: IdentityNo | None = None
    in_township: Annotated[bool, _TOWNSHIP] = False


class PersonApplication(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person is enrolled, moves to another employer or unit, is transferred from or to another
    city, or leaves (O12, O30, O74, O76, O81)."""

    application_no: ApplicationNo
    action: PersonAction
    applied_on: Annotated[date, _APPLIED_ON]
    effective_on: Annotated[date, _EFFECTIVE_ON]
    identity_no: PersonNo
    name: PersonName
    unit: Unit
    agency_no: AgencyNo | None = None
    worker_class: WorkerClass | None = None
    """Needed to enrol."""
    post: Post | None = None
    reason: Reason | None = None
    """Needed to leave."""
    other_place: OtherPlace | None = None
    """Needed to be transferred."""
    employed_from: (
        Annotated[
            date,
            Meta(description="用工起始日期 · first day of the employment it is about (O4)"),
        ]
        | None
    ) = None
    identity_kind: IdentityKind = "identity-card"
    nationality: Nationality | None = None
    birth_on: BirthOn | None = None
    sex: Sex | None = None
