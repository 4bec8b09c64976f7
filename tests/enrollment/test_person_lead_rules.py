"""When a person is a lead: stories as a table, and told in every order of arrival."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest

from enrollment.leads.persons.rules import Standing, bears_on_leads, crossing, leads_of
from enrollment.leads.rules import Event

FOUND, OTHER, REG = "found:1", "found:2", "register:k"
WEIGHED = f"decision:k-P1:3:{FOUND}"


def event(day: int, what: str, subject: str = REG, revision: int = 1) -> Event:
    told_at = datetime(2008, 5, 1, tzinfo=UTC) + timedelta(days=day)
    on = date(2008, 5, 1) + timedelta(days=day)
    feed = "census-persons" if subject.startswith("found") else "insured-persons"
    return Event(subject, revision, what, told_at, on, feed, "210502", "", 0, "d", day)


STORIES: list[tuple[str, list[Event], list[str | None]]] = [
    ("found", [event(1, "reported", FOUND)], [None]),
    ("then enrolled", [event(1, "reported", FOUND), event(2, "entered")], ["enrolled"]),
    ("insured by then", [event(1, "entered"), event(2, "reported", FOUND)], []),
    ("never said", [event(1, "reported", FOUND), event(1, "gone", FOUND, 2)], []),
    ("twice found", [event(1, "reported", FOUND), event(2, "reported", OTHER)], [None]),
    ("interrupted", [event(1, "interrupted")], [None]),
    ("pays again", [event(1, "interrupted"), event(3, "entered", revision=2)], ["enrolled"]),
    ("retires", [event(1, "interrupted"), event(3, "retired", revision=2)], ["ceased"]),
    ("dies", [event(1, "interrupted"), event(3, "left", revision=2)], ["ceased"]),
    (
        "stops twice",
        [
            event(1, "interrupted"),
            event(3, "entered", revision=2),
            event(5, "interrupted", revision=3),
        ],
        ["enrolled", None],
    ),
    (
        "interrupted, and the census finds them",
        [event(1, "entered"), event(2, "interrupted", revision=2), event(4, "reported", FOUND)],
        [None],
    ),
    ("excluded", [event(1, "reported", FOUND), event(2, "excluded", WEIGHED)], ["excluded"]),
    (
        "excluded, and evidence nobody weighed",
        [
            event(1, "reported", FOUND),
            event(1, "reported", OTHER),
            event(2, "excluded", WEIGHED),
        ],
        [None],
    ),
    (
        "left the insurance, found later",
        [event(1, "entered"), event(2, "left", revision=2), event(4, "reported", FOUND)],
        [None],
    ),
]


@pytest.mark.parametrize(
    ("told", "outcomes"), [row[1:] for row in STORIES], ids=[row[0] for row in STORIES]
)
def test_stories_in_every_order(told: list[Event], outcomes: list[str | None]) -> None:
    for order in permutations(told):
        leads = leads_of(order)
        assert [lead.outcome for lead in leads] == outcomes
        assert leads == leads_of(told)


def test_two_sources_make_one_lead() -> None:
    (lead,) = leads_of([event(1, "interrupted"), event(4, "reported", FOUND)])
    assert [source.feed for source in lead.sources] == ["insured-persons", "census-persons"]
    assert (lead.gap, lead.opened_on) == (1, date(2008, 5, 2))


SINCE, NOW = date(1998, 7, 1), date(2008, 6, 5)


@pytest.mark.parametrize(
    ("before", "status", "expected"),
    [
        (None, "active", ("entered", SINCE)),
        ("ended", "active", ("entered", SINCE)),
        ("suspended", "active", ("entered", NOW)),
        (None, "suspended", ("interrupted", NOW)),
        (None, "retired", ("retired", SINCE)),
        ("suspended", "retired", ("retired", NOW)),
        ("active", "ended", ("left", NOW)),
    ],
)
def test_what_a_move_says(before: str | None, status: str, expected: tuple[str, date]) -> None:
    assert crossing(before, Standing(status, SINCE, NOW)) == expected


def test_only_moves_that_bear_on_leads_are_kept() -> None:
    assert not bears_on_leads(None, "active", told_of=False)
    assert bears_on_leads(None, "active", told_of=True)
    assert bears_on_leads("active", "suspended", told_of=False)
    assert not bears_on_leads("suspended", "suspended", told_of=True)
