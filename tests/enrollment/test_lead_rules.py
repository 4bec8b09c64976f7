"""When a lead is there, why, and how it ends: stories as tables, and told in every order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment.leads import rules
from enrollment.leads.changes import Cause, Stored, steps_of, steps_to
from enrollment.leads.rules import Entry, Event, gap_of, story_of
from enrollment.leads.rules.telling import Teller

START = datetime(2008, 5, 1, tzinfo=UTC)
LIC, CODE, TAX, REG = "licence:1", "org-code:1", "headcount:oc:1:2008-05", "register:E1"
CAUSE = Cause("d", 1, date(2008, 6, 5))


def event(day: int, what: str, subject: str, revision: int = 1, **more: Any) -> Event:
    headcounts = subject.startswith("headcount")
    given: dict[str, Any] = {
        "subject": subject,
        "revision": revision,
        "what": what,
        "recorded_at": START + timedelta(days=day),
        "effective_on": date(2008, 5, 1) + timedelta(days=day),
        "feed": "employer-checks" if headcounts else "business-licences",
        "unit": "210502",
        "period": subject.rsplit(":", 1)[1] if headcounts else "",
        "taxable": 9 if headcounts else 0,
        "delivery_id": "d",
        "record_no": day,
    }
    return Event(**{**given, **more})


def excluded(day: int, weighed: str, no: int = 2, **more: Any) -> Event:
    """What a decision says of a piece of evidence."""
    given = {"what": "excluded", "taxable": 0, "feed": "lead-work", **more}
    return event(day, subject=f"decision:E1-U1:{no}:{weighed}", **given)


def outcomes(events: list[Event]) -> list[str | None]:
    return [lead.outcome for lead in story_of(events).leads]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([event(1, "registered", LIC)], [None], id="a licence and no entry"),
        pytest.param([event(1, "found-unenrolled", TAX)], [None], id="the tax office's finding"),
        pytest.param([event(1, "declared", TAX)], [], id="a headcount alone is no evidence"),
        pytest.param([event(1, "reported", "complaint:1")], [None], id="a complaint"),
        pytest.param(
            [event(1, "reported", "found:1"), event(2, "entered", REG)],
            ["enrolled"],
            id="found by the census, then enrolled",
        ),
        pytest.param(
            [event(1, "reported", "found:1"), event(1, "gone", "found:1", 2)],
            [],
            id="a report taken back never was one",
        ),
        pytest.param(
            [event(1, "entered", REG), event(2, "reported", "complaint:1")],
            [],
            id="a complaint about an employer in the register",
        ),
        pytest.param(
            [event(1, "registered", LIC), event(2, "found-unenrolled", TAX)],
            [None],
            id="one lead, two sources",
        ),
        pytest.param(
            [event(1, "registered", LIC), event(2, "entered", REG)],
            ["enrolled"],
            id="the register closes it",
        ),
        pytest.param(
            [event(1, "entered", REG), event(2, "registered", LIC)],
            [],
            id="in the register before the evidence",
        ),
        pytest.param(
            [event(1, "registered", LIC), event(2, "struck-off", LIC, 2)],
            ["ceased"],
            id="struck off",
        ),
        pytest.param(
            [
                event(1, "registered", LIC),
                event(2, "struck-off", LIC, 2),
                event(3, "found-unenrolled", TAX),
            ],
            ["ceased"],
            id="struck off: no finding makes it a lead again",
        ),
        pytest.param(
            [
                event(1, "registered", LIC),
                event(2, "struck-off", LIC, 2),
                event(3, "registered", LIC, 3),
            ],
            ["ceased", None],
            id="registered anew",
        ),
        pytest.param(
            [
                event(1, "registered", LIC),
                event(2, "struck-off", LIC, 2),
                event(3, "registered", CODE),
            ],
            ["ceased"],
            id="struck off: a code certificate does not bring it back",
        ),
        pytest.param(
            [
                event(1, "registered", LIC),
                event(4, "struck-off", LIC, 2),
                event(2, "registered", LIC, 3),
            ],
            [None],
            id="the striking off was a mistake",
        ),
        pytest.param(
            [
                event(1, "registered", LIC),
                event(2, "registered", "licence:2"),
                event(3, "struck-off", LIC, 2),
            ],
            [None],
            id="goes on under another licence",
        ),
        pytest.param(
            [event(1, "found-unenrolled", TAX), event(2, "declared", TAX, 2)],
            ["evidence-withdrawn"],
            id="the finding was corrected",
        ),
        pytest.param(
            [
                event(1, "found-unenrolled", TAX),
                event(2, "registered", LIC),
                event(3, "declared", TAX, 2),
            ],
            [None],
            id="one of two sources withdrawn",
        ),
        pytest.param(
            [event(1, "registered", LIC), event(2, "entered", REG), event(3, "left", REG, 2)],
            ["enrolled", None],
            id="left the register while its licence stands",
        ),
        pytest.param(
            [event(1, "registered", LIC), event(2, "gone", LIC, 2)],
            ["evidence-withdrawn"],
            id="the licence turned out to be another employer's",
        ),
        pytest.param(
            [event(1, "registered", LIC), excluded(5, LIC)], ["excluded"], id="excluded by officers"
        ),
        pytest.param(
            [event(1, "registered", LIC), event(2, "registered", CODE), excluded(5, LIC)],
            [None],
            id="evidence not weighed, known or not, keeps it open",
        ),
        pytest.param(
            [event(1, "registered", LIC), excluded(5, LIC), event(7, "registered", CODE)],
            ["excluded", None],
            id="evidence that takes effect later opens another",
        ),
        pytest.param(
            [
                event(1, "registered", LIC),
                excluded(5, LIC),
                event(8, "registered", LIC, 2, effective_on=date(2008, 5, 9)),
            ],
            ["excluded"],
            id="a change of what was weighed is not new evidence",
        ),
        pytest.param(
            [event(1, "found-unenrolled", TAX), excluded(5, TAX, taxable=9)],
            ["excluded"],
            id="a headcount weighed",
        ),
        pytest.param(
            [
                event(1, "found-unenrolled", TAX),
                excluded(5, TAX, taxable=9),
                event(7, "found-unenrolled", TAX, 2, taxable=12),
            ],
            ["excluded", None],
            id="more persons than were weighed are new evidence",
        ),
        pytest.param(
            [
                event(1, "registered", LIC),
                excluded(5, LIC),
                excluded(5, LIC, revision=2, what="gone"),
            ],
            [None],
            id="an exclusion revoked never was",
        ),
        pytest.param(
            [event(1, "registered", LIC), excluded(5, LIC), event(6, "entered", REG)],
            ["excluded"],
            id="enrolled after all",
        ),
        pytest.param(
            [event(1, "registered", LIC), excluded(5, LIC), event(4, "entered", REG)],
            ["enrolled"],
            id="the register was faster",
        ),
    ],
)
def test_stories(events: list[Event], expected: list[str | None]) -> None:
    assert outcomes(events) == expected


def test_what_a_lead_says() -> None:
    story = story_of(
        [
            event(1, "found-unenrolled", TAX, unit="210503"),
            event(2, "registered", LIC),
            event(5, "entered", REG, effective_on=date(2008, 5, 3)),
        ]
    )
    (lead,) = story.leads
    assert [source.subject for source in lead.sources] == [TAX, LIC]
    assert (lead.unit, lead.gap) == ("210502", 9)
    assert (lead.opened_on, lead.closed_on) == (date(2008, 5, 2), date(2008, 5, 3))
    assert story.entered_on == date(2008, 5, 3)


_POOL = [
    event(1, "found-unenrolled", TAX),
    event(4, "declared", TAX, 2),
    event(2, "registered", LIC),
    event(6, "registered", LIC, 2, unit="210503"),
    event(9, "struck-off", LIC, 3),
    event(3, "registered", CODE),
    event(5, "entered", REG),
    event(7, "left", REG, 2),
    event(10, "entered", REG, 3),
    event(8, "found-unenrolled", "headcount:oc:1:2008-06"),
    excluded(4, LIC),
    excluded(8, TAX, taxable=9),
    excluded(8, "headcount:oc:1:2008-06", 3, taxable=9),
    excluded(8, "headcount:oc:1:2008-06", 3, revision=2, what="gone", taxable=9),
    excluded(9, "headcount:oc:1:2008-06", 4, taxable=9, period="2008-06"),
]


@given(
    st.lists(st.sampled_from(_POOL), unique=True).flatmap(
        lambda chosen: st.tuples(st.just(chosen), st.permutations(chosen))
    )
)
def test_the_order_of_arrival_does_not_matter(orders: tuple[list[Event], list[Event]]) -> None:
    one, other = orders
    assert story_of(one) == story_of(other)


def _apply(stored: list[Stored], known: list[Event], entry: Entry | None) -> list[Stored]:
    """Bring stored leads to where they ought to be, as the store does."""
    by_id = {lead.lead_id: lead for lead in stored}
    for step in steps_of("E1", known, entry, stored, CAUSE):
        last = by_id.get(step.lead.lead_id)
        assert step.lead.revision == (last.revision if last else 0) + 1
        by_id[step.lead.lead_id] = step.lead
    open_kinds = [lead.kind for lead in by_id.values() if lead.status != "closed"]
    assert len(open_kinds) == len(set(open_kinds)), "one open lead per kind"
    return sorted(by_id.values(), key=lambda lead: (lead.kind, lead.ordinal))


@given(st.permutations(_POOL), st.integers(0, 12))
def test_leads_told_one_by_one_end_as_if_told_at_once(
    order: list[Event], active_count: int
) -> None:
    """Each fact in any order, the register moving in between: the same leads stand in the end."""
    entry = Entry("210502", active_count)
    stored: list[Stored] = []
    for count in range(1, len(order) + 1):
        stored = _apply(stored, order[:count], entry)
    at_once = _apply([], order, entry)

    def plain(leads: list[Stored]) -> list[Any]:
        told = [lead for lead in leads if lead.kind == rules.UNENROLLED and not lead.void]
        open_gaps = [
            lead._replace(ordinal=1, lead_id="")
            for lead in leads
            if lead.kind == rules.NOT_FULLY and lead.status != "closed"
        ]
        return [
            (lead.lead_id, lead.kind, lead.status == "closed", lead.unit, lead.gap, lead.outcome)
            + ((lead.opened_on, lead.subjects) if lead.kind == rules.UNENROLLED else ())
            for lead in told + open_gaps
        ]

    assert plain(stored) == plain(at_once)


@pytest.mark.parametrize(("active_count", "gap"), [(0, 9), (8, 1), (9, None), (20, None)], ids=str)
def test_the_gap_is_the_latest_headcount_less_the_active(
    active_count: int, gap: int | None
) -> None:
    story = story_of([event(1, "entered", REG), event(2, "declared", TAX)])
    found = gap_of(story, Entry("210503", active_count))
    assert (found.gap if found else None) == gap


def test_a_later_period_decides_and_a_declared_headcount_before_a_check() -> None:
    story = story_of(
        [
            event(1, "entered", REG),
            event(2, "declared", "headcount:oc:1:2008-06", taxable=4),
            event(3, "declared", TAX, taxable=50),
            event(4, "declared", "headcount:oc:1b:2008-06", taxable=5, feed="headcounts"),
        ]
    )
    assert story.latest is not None
    assert story.latest.taxable == 5


@pytest.mark.parametrize(
    ("then", "entry", "outcome"),
    [
        pytest.param([], Entry("210502", 9), "enrolled", id="the register caught up"),
        pytest.param(
            [event(3, "declared", TAX, 2, taxable=2)],
            Entry("210502", 2),
            "evidence-withdrawn",
            id="the headcount was corrected",
        ),
        pytest.param(
            [event(3, "declared", "headcount:oc:1:2008-06", taxable=2)],
            Entry("210502", 2),
            "enrolled",
            id="fewer work there by now",
        ),
        pytest.param([event(3, "struck-off", LIC)], Entry("210502", 2), "ceased", id="struck off"),
        pytest.param(
            [excluded(3, TAX, taxable=9, period="2008-05")],
            Entry("210502", 2),
            "excluded",
            id="excluded by officers",
        ),
        pytest.param([event(3, "left", REG, 2)], Entry("210502", 2), "ceased", id="left"),
    ],
)
def test_how_a_gap_closes(then: list[Event], entry: Entry, outcome: str) -> None:
    first = [event(1, "entered", REG), event(2, "declared", TAX)]
    (opened,) = steps_of("E1", first, Entry("210502", 2), [], CAUSE)
    assert (opened.what, opened.lead.gap, opened.lead.kind) == ("opened", 7, rules.NOT_FULLY)
    steps = steps_of("E1", first + then, entry, [opened.lead], CAUSE)
    closed = [step for step in steps if step.lead.kind == rules.NOT_FULLY]
    assert [(step.what, step.lead.outcome) for step in closed] == [("closed", outcome)]


@pytest.mark.parametrize(
    ("then", "gap"),
    [
        ([], None),
        ([event(4, "declared", TAX, 2, taxable=10)], 8),
        ([event(4, "declared", "headcount:oc:1:2008-06", taxable=5)], 3),
        ([excluded(3, TAX, revision=2, what="gone", taxable=9, period="2008-05")], 7),
    ],
    ids=["excluded", "a larger headcount", "a later one", "revoked"],
)
def test_a_gap_excluded_opens_again_by_what_was_not_weighed(
    then: list[Event], gap: int | None
) -> None:
    told = [
        event(1, "entered", REG),
        event(2, "declared", TAX),
        excluded(3, TAX, taxable=9, period="2008-05"),
    ]
    found = gap_of(story_of(told + then), Entry("210502", 2))
    assert (found.gap if found else None) == gap


def test_a_lead_excluded_keeps_every_source_it_was_decided_upon() -> None:
    told = [event(1, "registered", LIC), event(2, "found-unenrolled", TAX)]
    told += [excluded(5, LIC), excluded(5, TAX, taxable=9)]
    (lead,) = story_of(told).leads
    assert [source.subject for source in lead.sources] == [LIC, TAX]
    assert (lead.outcome, lead.gap, lead.closed_on) == ("excluded", 9, date(2008, 5, 6))


def test_evidence_that_comes_late_for_an_enrolled_employer_tells_the_lead_it_was() -> None:
    """In effect before the enrolment, heard after it: opened and closed, as in the other order."""
    events = [event(2, "entered", REG), event(1, "registered", LIC)]
    steps = steps_of("E1", events, Entry("210502", 0), [], CAUSE)
    assert [(step.what, step.lead.revision, step.effective_on) for step in steps] == [
        ("opened", 1, date(2008, 5, 2)),
        ("closed", 2, date(2008, 5, 3)),
    ]


def test_what_turns_out_never_to_have_been_a_lead_is_taken_back_at_its_own_date() -> None:
    (opened,) = steps_of("E1", [event(2, "registered", LIC)], None, [], CAUSE)
    told = [event(2, "registered", LIC), event(1, "entered", REG)]
    (step,) = steps_of("E1", told, Entry("210502", 0), [opened.lead], CAUSE)
    assert (step.what, step.correction, step.lead.void) == ("closed", True, True)
    assert step.effective_on == opened.lead.opened_on


_EVIDENCE = [
    *(event(day, "registered", LIC, unit=f"21050{day}") for day in (2, 5)),
    *(event(day, "registered", CODE, effective_on=date(2008, 5, 9)) for day in (3, 9)),
    event(4, "found-unenrolled", TAX, unit="210504"),
    event(4, "declared", TAX, taxable=0),
    event(6, "found-unenrolled", "headcount:oc:1:2008-06", taxable=3),
    *(
        event(7, what, f"headcount:{no}:2008-06", taxable=no, effective_on=date(2008, 5, on))
        for what, no, on in (("declared", 5, 30), ("found-unenrolled", 6, 20))
    ),
    event(3, "gone", LIC),
]


@pytest.mark.parametrize("unit", ["210502", "210503"])
def test_a_registration_alone_makes_the_lead_that_its_story_makes(unit: str) -> None:
    alone = event(3, "registered", LIC, revision=2, unit=unit)
    (told,) = steps_of("E1", [alone], None, (), CAUSE)
    assert [told] == steps_to("E1", story_of([alone]).leads, (), CAUSE)


@given(st.lists(st.sampled_from(_EVIDENCE), unique_by=lambda one: one.subject))
def test_what_nothing_answers_is_told_as_by_going_through_it(events: list[Event]) -> None:
    teller = Teller()
    for one in sorted(events, key=lambda one: (one.effective_on, one.recorded_at, one.subject)):
        teller.hear(one)
    assert story_of(events) == teller.end()
