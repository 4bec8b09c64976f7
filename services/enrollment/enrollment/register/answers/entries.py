"""What the API says of employers and persons."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from enrollment.leads.schemas import LeadShown


class Shown(BaseModel):
    """Base of every answer: read from rows, nothing that is not declared."""

    model_config = ConfigDict(from_attributes=True)


class EmployerShown(Shown):
    """An employer known to any department; ``agency_no`` and ``status`` if in the register."""

    employer_id: str
    name: str
    unit: str
    household: bool
    agency_no: str | None
    status: str | None
    active_count: int | None = Field(description="在职参保人数 · active insured persons")
    keys: list[str] = Field(description="各部门号码 · oc:, lic:, own:")
    merged_into: str | None = Field(
        description="已并入的单位 · the employer it was found to be; not listed itself then"
    )


class LinkShown(Shown):
    """A key, the rule that joined it and the record that brought it."""

    key: str
    rule: str
    linked_at: datetime
    delivery_id: str | None
    record_no: int | None


class ConflictShown(Shown):
    """A record said that two employers are one; people decide."""

    key: str
    owner_id: str
    employer_id: str
    delivery_id: str | None
    record_no: int | None
    found_at: datetime
    resolved_at: datetime | None


class EntryShown(Shown):
    """The entry in the register."""

    agency_no: str
    status: str
    unit: str
    name: str
    reg_type: str
    industry: str
    ownership: str
    trade: str
    household: bool
    in_township: bool
    org_code: str | None
    licence_no: str | None
    enrolled_on: date
    effective_on: date
    active_count: int
    revision: int
    delivery_id: str
    record_no: int
    recorded_at: datetime


class EmployerDetail(EmployerShown):
    """All there is about an employer."""

    links: list[LinkShown]
    register_entry: EntryShown | None
    conflicts: list[ConflictShown]
    leads: list[LeadShown]


class EmployerPage(Shown):
    """A page of employers; ``next`` is the address of the next one."""

    items: list[EmployerShown]
    next: str | None


class PersonShown(Shown):
    """An insured person, masked."""

    person_id: str
    identity_no: str = Field(description="证件号码(掩码) · masked")
    identity_kind: str = Field(description="证件类别 · paper the person is known by")
    nationality: str | None = Field(description="国籍 · of a passport")
    name: str = Field(description="姓名(掩码) · masked")
    birth_on: date
    sex: str
    unit: str
    status: str
    worker_class: str
    post: str | None
    enrolled_on: date
    effective_on: date
    agency_no: str | None
    employer_id: str | None
    ownership: str
    trade: str
    revision: int
    delivery_id: str
    record_no: int
    recorded_at: datetime


class AccessShown(Shown):
    """Who read a person, and what for."""

    subject: str
    department: str
    purpose: str
    read_at: datetime
