"""Facts of registration-feed: what 工商 and 质监 know of enterprises (O49–O52).

``key`` is the enterprise's employer key (``oc:`` organisation code, else ``lic:`` licence
number, else ``own:`` keyed hash of the owner's identity number, else ``rec:`` record).
``subject`` is ``licence:<number>`` or ``org-code:<code>``.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from shared.events.base import Fact


class _Enterprise(Fact, frozen=True, kw_only=True):
    producer: ClassVar[str] = "registration-feed"

    feed: str
    """``business-licences`` or ``organisation-codes``."""
    name: str
    unit: str
    """Reporting unit of the registering office."""
    org_code: str | None = None
    licence_no: str | None = None
    owner_key: str | None = None
    """``own:`` keyed hash of a household owner's identity number, where known."""
    reg_type: str | None = None
    """Registration type code, 110–420."""
    industry: str | None = None
    """GB/T 4754-2002 division, two digits."""
    household: bool = False
    """An individual business household (个体工商户), not an enterprise."""
    licensed_on: date
    """Date of the licence or certificate; the registration clock (30 days) starts here."""
    effective_on: date
    """When this state took effect."""
    commitment_letter: bool = False
    """The enrolment commitment letter was checked (O49)."""
    notified_on: date | None = None
    """When the enterprise was told to enrol (O50)."""
    address: str | None = None
    """Business address; never a household's, which may be somebody's home."""
    legal_rep_key: str | None = None
    """``rep:`` keyed hash of the legal representative's name, where known."""
    withdrawn: bool = False
    """Taken back: this never was told, whatever else stands here."""
    headcount: int | None = None
    """Persons employed, where the licence states them."""


class EnterpriseRegistered(_Enterprise, frozen=True, kw_only=True):
    """A new enterprise or household was registered (O51, O52)."""

    kind: ClassVar[str] = "enterprise-registered"
    leads: ClassVar[str] = "may_open"
    title_zh: ClassVar[str] = "企业新注册"


class EnterpriseChanged(_Enterprise, frozen=True, kw_only=True):
    """Its registered particulars changed or were corrected."""

    kind: ClassVar[str] = "enterprise-changed"
    title_zh: ClassVar[str] = "企业变更"


class EnterpriseDeregistered(_Enterprise, frozen=True, kw_only=True):
    """It was struck off, or its licence revoked; it can no longer be a lead."""

    kind: ClassVar[str] = "enterprise-deregistered"
    leads: ClassVar[str] = "may_close"
    title_zh: ClassVar[str] = "企业注销"

    revoked: bool = False
    """Its licence was revoked (吊销) by the registry, not given up."""
