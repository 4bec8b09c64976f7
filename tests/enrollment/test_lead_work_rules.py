"""How the work on a lead stands, folded from its log."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment.leads.work import rules
from enrollment.leads.work.rules import Entry, State, age_buckets, as_corrected, state_of

START = date(2008, 6, 1)


def entry(no: int, kind: str, day: int | None = None, **more: Any) -> Entry:
    on = START + timedelta(days=no if day is None else day)
    return Entry(no, kind, on, datetime(2008, 6, 1, no, tzinfo=UTC), "li", "unit", **more)


def day(n: int) -> date:
    return START + timedelta(days=n)


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        pytest.param([], {}, id="untouched"),
        pytest.param(
            [
                entry(1, "contact", means="phone", next_on=day(9)),
                entry(2, "contact", means="visit"),
            ],
            {"contacted_on": day(1), "last_contact_on": day(2), "contact_count": 2},
            id="the last contact says what comes next",
        ),
        pytest.param(
            [entry(1, "contact", means="notice")],
            {
                "contacted_on": day(1),
                "last_contact_on": day(1),
                "contact_count": 1,
                "notified_on": day(1),
            },
            id="a written notice notifies",
        ),
        pytest.param(
            [
                entry(1, "contact", means="visit"),
                entry(2, "contact", means="phone"),
                entry(3, "contact", 5, means="phone", corrects=1),
            ],
            {"contacted_on": day(2), "last_contact_on": day(5), "contact_count": 2},
            id="a correction leaves nothing of what was wrong",
        ),
        pytest.param(
            [
                entry(1, "stage", code="notified", means="letter"),
                entry(2, "stage", code="promised", promised_by=day(20), means="phone"),
            ],
            {
                "stage": "promised",
                "stage_on": day(2),
                "notified_on": day(1),
                "promised_by": day(20),
                "contacted_on": day(1),
                "last_contact_on": day(2),
                "contact_count": 2,
            },
            id="stages",
        ),
        pytest.param(
            [
                entry(1, "stage", code="in-enforcement"),
                entry(2, "measure", next_on=day(8), next_step="revisit"),
                entry(3, "measure"),
            ],
            {
                "stage": "in-enforcement",
                "stage_on": day(1),
                "next_on": day(8),
                "next_step": "revisit",
            },
            id="a measure is no contact, and one without a date changes none",
        ),
        pytest.param(
            [
                entry(1, "assignment", home_unit="210502", officer="wang", officer_name="王"),
                entry(2, "assignment", home_unit="210502", unit="L-SJ", officer="li"),
            ],
            {"home_unit": "210502", "unit": "L-SJ", "officer": "li"},
            id="assigned again",
        ),
        pytest.param([entry(1, "exclusion-proposed")], {"proposal_no": 1}, id="proposed"),
        pytest.param(
            [entry(1, "exclusion-proposed"), entry(2, "exclusion-refused")], {}, id="refused"
        ),
        pytest.param(
            [entry(1, "exclusion-proposed"), entry(2, "excluded")],
            {"decision_no": 2},
            id="excluded",
        ),
        pytest.param(
            [
                entry(1, "exclusion-proposed"),
                entry(2, "excluded"),
                entry(3, "exclusion-revoked"),
                entry(4, "exclusion-proposed"),
            ],
            {"proposal_no": 4},
            id="revoked and proposed again",
        ),
    ],
)
def test_how_the_work_stands(log: list[Entry], expected: dict[str, Any]) -> None:
    assert state_of(log) == State(**expected)


def test_a_correction_of_a_correction_stands_where_the_first_stood() -> None:
    log = [
        entry(1, "contact", means="visit"),
        entry(2, "contact", means="phone"),
        entry(3, "contact", means="letter", corrects=1),
        entry(4, "contact", means="notice", corrects=3),
    ]
    assert [one.means for one in as_corrected(log)] == ["notice", "phone"]


def test_nothing_leads_into_a_closed_stage_and_every_other_can_be_left() -> None:
    for stage, allowed in rules.TRANSITIONS.items():
        assert stage not in rules.CLOSED
        assert allowed
        assert not set(allowed) & {stage, *rules.CLOSED}
    assert {*rules.TRANSITIONS, *rules.CLOSED} == set(rules.STAGES)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=5, unique=True), st.integers(0, 900))
def test_every_age_is_in_one_bucket(steps: list[int], age: int) -> None:
    found = [
        bucket
        for bucket in age_buckets(sorted(steps))
        if bucket.first <= age and (bucket.last is None or age <= bucket.last)
    ]
    assert len(found) == 1
    first, last = found[0].found_between(START)
    assert (first is None or first <= START - timedelta(days=age)) and START - timedelta(
        days=age
    ) <= last
