"""What an entry becomes by an application."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from enrollment.register import rules
from enrollment.register.rules import NO_EMPLOYER, Employer, Person, Place

JUNE = date(2008, 6, 5)
PLACE = Place("E1", "private", "catering")
BEFORE = Person("h", "210502", "active", "flexible", "worker", date(1998, 7, 1), None, *NO_EMPLOYER)
ENTRY = Employer(
    "厂", "173", "67", "210502", date(2006, 1, 1), "enrolled", "1", None, None, False, False,
    "private", "catering",
)  # fmt: skip


def enrolled(before: Person | None, **more: Any) -> Person:
    given: dict[str, Any] = {
        "name_hash": "h",
        "unit": "210503",
        "worker_class": "employee",
        "post": None,
        "agency_no": "A",
        "place": PLACE,
        "effective_on": JUNE,
    }
    return rules.enrol(before, **{**given, **more})


@pytest.mark.parametrize(
    ("before", "since", "post", "fact"),
    [
        pytest.param(None, JUNE, None, "enrolled", id="new"),
        pytest.param(BEFORE, date(1998, 7, 1), "worker", "changed", id="moves and keeps its day"),
        pytest.param(BEFORE._replace(status="ended"), JUNE, "worker", "enrolled", id="begins anew"),
        pytest.param(
            BEFORE._replace(status="suspended"), date(1998, 7, 1), "worker", "changed", id="resumes"
        ),
    ],
)
def test_enrol(before: Person | None, since: date, post: str | None, fact: str) -> None:
    after = enrolled(before)
    assert (after.status, after.unit, after.employer_id) == ("active", "210503", "E1")
    assert (after.enrolled_on, after.post) == (since, post)
    assert rules.person_fact(before, after) == fact


@pytest.mark.parametrize(
    ("reason", "status", "fact"),
    [
        ("retired", "retired", "changed"),
        ("suspended", "suspended", "changed"),
        ("died", "ended", "ended"),
        ("moved-out", "ended", "ended"),
        ("ended", "ended", "ended"),
    ],
)
def test_leave(reason: str, status: str, fact: str) -> None:
    after = BEFORE._replace(status=rules.STATUS_AFTER[reason])
    assert after.status == status
    assert rules.person_fact(BEFORE, after) == fact


@pytest.mark.parametrize(
    ("before", "after", "crosses", "fact"),
    [
        (None, "enrolled", True, "enrolled"),
        (None, "ended", False, "ended"),
        ("enrolled", "suspended", False, "changed"),
        ("suspended", "ended", True, "ended"),
        ("ended", "enrolled", True, "enrolled"),
        ("ended", "ended", False, "ended"),
    ],
)
def test_an_employer_crosses_the_register_s_border(
    before: str | None, after: str, crosses: bool, fact: str
) -> None:
    was = None if before is None else ENTRY._replace(status=before)
    now = ENTRY._replace(status=after)
    assert rules.crosses(was, now) is crosses
    assert rules.employer_fact(was, now) == fact


def test_only_the_active_count_at_an_employer() -> None:
    person = enrolled(None)
    assert person.counts_at == "E1"
    assert person._replace(status="retired").counts_at is None


def test_an_application_leaves_out_what_stays() -> None:
    after = rules.merged(
        ENTRY, ENTRY._replace(name="新厂", org_code=None, licence_no="2", enrolled_on=JUNE)
    )
    assert (after.name, after.org_code, after.licence_no) == ("新厂", "1", "2")
    assert after.enrolled_on == date(2006, 1, 1)
