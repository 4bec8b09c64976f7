"""What an entry in the register becomes by a list or an application: pure decisions.

Left open on purpose, for later capabilities: age limits at enrolment (O67), the closed list of
refusal reasons (F26) and the maker-checker (F28) belong between ``judge`` and ``enrol``.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

ACTIVE = "active"
ENDED = "ended"
ENROLLED = "enrolled"

STATUS_AFTER = {
    "retired": "retired",
    "suspended": "suspended",
    "died": ENDED,
    "moved-out": ENDED,
    "ended": ENDED,
}
"""Reason for leaving → status after it. A pensioner stays insured."""

TRANSFERS = ("transfer-in", "transfer-out")
ENTERING = ("enrol", "transfer-in")
"""Actions after which someone is insured here; a transfer in is never refused (O81, O82)."""


def within_province(place: str, city: str) -> bool:
    """Whether the other city is of the same province, by the two division codes."""
    return place[:2] == city[:2]


def same_city(place: str, city: str) -> bool:
    """Whether the place is in the city itself: moving there is no transfer."""
    return place[:4] == city[:4]


def may_correct(scope: frozenset[str] | None, unit: str) -> bool:
    """Whether a sender may correct an application about ``unit``: one confined to units, those of
    its own only. Numbers are not secret, and two units may count alike."""
    return scope is None or unit in scope


class Place(NamedTuple):
    """An employer as persons need it: who it is, and the segments it puts them in."""

    employer_id: str | None
    ownership: str
    trade: str


NO_EMPLOYER = Place(None, "none", "none")
"""Of a flexible worker or a pensioner without an employer."""


class Person(NamedTuple):
    """The state of an insured person. Compared as a whole: equal means nothing changed."""

    name_hash: str
    unit: str
    status: str
    worker_class: str
    post: str | None
    enrolled_on: date
    agency_no: str | None
    employer_id: str | None
    ownership: str
    trade: str

    @property
    def counts_at(self) -> str | None:
        """The employer among whose active persons it counts, if any."""
        return self.employer_id if self.status == ACTIVE else None


def enrol(
    before: Person | None,
    *,
    name_hash: str,
    unit: str,
    worker_class: str,
    post: str | None,
    agency_no: str | None,
    place: Place,
    effective_on: date,
    continues: bool = False,
) -> Person:
    """A person enrolled at the place. Someone already insured moves and keeps the day since when
    they are insured; someone who had left begins anew, unless what began before ``continues`` by
    a transfer. No reason to refuse a transfer (O77)."""
    insured = before is not None and (continues or before.status != ENDED)
    return Person(
        name_hash,
        unit,
        ACTIVE,
        worker_class,
        post or (before.post if before is not None else None),
        before.enrolled_on if insured and before is not None else effective_on,
        agency_no,
        *place,
    )


def person_fact(before: Person | None, after: Person) -> str:
    """Which fact tells it: ``enrolled``, ``changed`` or ``ended``."""
    if after.status == ENDED:
        return "ended"
    return "enrolled" if before is None or before.status == ENDED else "changed"


class Employer(NamedTuple):
    """The state of an employer's entry. Compared as a whole."""

    name: str
    reg_type: str
    industry: str
    unit: str
    enrolled_on: date
    status: str
    org_code: str | None
    licence_no: str | None
    owner_key: str | None
    household: bool
    in_township: bool
    ownership: str
    trade: str


def employer_fact(before: Employer | None, after: Employer) -> str:
    """Which fact tells it: ``enrolled``, ``changed`` or ``ended``."""
    if after.status == ENDED:
        return "ended"
    return "enrolled" if before is None or before.status == ENDED else "changed"


def crosses(before: Employer | None, after: Employer) -> bool:
    """Whether the employer enters or leaves the register by it."""
    held = before is not None and before.status != ENDED
    return held != (after.status != ENDED)


def merged(before: Employer | None, after: Employer) -> Employer:
    """What an application leaves out stays as it was: it seldom repeats every number."""
    if before is None:
        return after
    return after._replace(
        org_code=after.org_code or before.org_code,
        licence_no=after.licence_no or before.licence_no,
        owner_key=after.owner_key or before.owner_key,
        enrolled_on=before.enrolled_on if before.status != ENDED else after.enrolled_on,
    )
