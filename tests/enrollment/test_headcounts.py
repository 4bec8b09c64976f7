"""The triangle of headcounts: three sides per employer and month, gaps that are leads, and sums
that are the lengths of lists."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from enrollment.leads import rules
from enrollment.leads.changes import steps_of
from enrollment.leads.rules import Entry, Event, gap_of, gap_outcome, story_of
from shared.events.enrollment import LeadAdvanced, LeadClosed, LeadOpened
from tests.enrollment.conftest import World
from tests.enrollment.records import (
    agency_no,
    employer,
    found,
    headcount,
    identity,
    org_code,
    person,
    person_application,
)
from tests.enrollment.test_lead_rules import CAUSE, REG, TAX, event, excluded
from tests.enrollment.test_lead_sources import pre_levy

F1, F2 = "found:210502.1", "found:210502.2"
ENTERED = event(0, "entered", REG)


def reported(subject: str, day: int = 3, revision: int = 1, what: str = "reported") -> Event:
    return event(day, what, subject, revision, feed="census-persons")


@pytest.mark.parametrize(
    ("events", "missing", "least", "gap", "sources"),
    [
        pytest.param([reported(F1)], {F1}, 1, 1, [F1], id="one found, nobody told"),
        pytest.param([reported(F1), reported(F2)], {F1}, 1, 1, [F1], id="the other is insured"),
        pytest.param([reported(F1)], set(), 1, None, [], id="all found are insured"),
        pytest.param([event(1, "declared", TAX), reported(F1)], {F1}, 1, 4, [TAX, F1],
                     id="nine taxable, five active: the one found may be among them"),
        pytest.param([event(1, "declared", TAX, taxable=6), reported(F1), reported(F2)], {F1, F2},
                     1, 2, [TAX, F1, F2], id="more found than the tax office misses"),
        pytest.param([event(1, "declared", TAX, taxable=5), reported(F1)], {F1}, 1, 1, [F1],
                     id="the tax office misses nobody"),
        pytest.param([event(1, "declared", TAX, taxable=6)], set(), 2, None, [],
                     id="below the plan's threshold"),
        pytest.param([event(1, "declared", TAX, taxable=7)], set(), 2, 2, [TAX],
                     id="at the threshold"),
        pytest.param([reported(F1), reported(F2)], {F1, F2}, 3, None, [],
                     id="found, below the threshold"),
        pytest.param([reported(F1), reported(F1, 4, 2, "gone")], {F1}, 1, None, [],
                     id="the report was taken back"),
        pytest.param([reported("complaint:1")], {"complaint:1"}, 1, None, [],
                     id="a complaint counts nobody"),
    ],
)  # fmt: skip
def test_the_gap_is_the_larger_side(
    events: list[Event], missing: set[str], least: int, gap: int | None, sources: list[str]
) -> None:
    entry = Entry("210502", 5, frozenset(missing))
    for told in ([ENTERED, *events], [*reversed(events), ENTERED]):
        desired = gap_of(story_of(told), entry, (), lambda _: least)
        assert (desired and desired.gap) == gap
        assert [source.subject for source in desired.sources] == sources if desired else not sources


@pytest.mark.parametrize(
    ("last", "outcome"),
    [(reported(F1), rules.ENROLLED), (reported(F1, 5, 2, "gone"), rules.WITHDRAWN)],
)
def test_why_a_gap_found_by_the_census_ends(last: Event, outcome: str) -> None:
    events = [ENTERED, reported(F1), last]
    assert gap_outcome(story_of(events), Entry("210502", 6), events, [F1]) == outcome


GAP: dict[str, Any] = {"period": "2008-05"}
BOTH = [ENTERED, event(1, "declared", TAX), reported(F1)]
DISMISSED = [excluded(5, TAX, taxable=9, **GAP), excluded(5, F1, **GAP)]


@pytest.mark.parametrize(
    ("events", "active", "missing", "gap", "attached", "outcome"),
    [
        pytest.param([*BOTH, *DISMISSED], 5, {F1}, None, {TAX, F1}, "excluded", id="all weighed"),
        pytest.param([*BOTH, *DISMISSED[1:]], 5, {F1}, 4, {TAX, F1}, None, id="only the person"),
        pytest.param([*BOTH, *DISMISSED[:1]], 5, {F1}, 1, {TAX, F1}, None, id="only the headcount"),
        pytest.param([*BOTH, *DISMISSED, reported(F2, 6)], 5, {F1, F2}, 1, {F2}, None,
                     id="another person found is new evidence"),
        pytest.param([*BOTH, *DISMISSED, reported(F2, 6)], 5, {F1}, None, {F2}, "enrolled",
                     id="who came since was insured: not what was decided of others"),
        pytest.param([*BOTH, *DISMISSED, reported(F2, 6), reported(F2, 7, 2, "gone")], 5, {F1},
                     None, {F2}, "evidence-withdrawn", id="who came since was taken back"),
        pytest.param([ENTERED, reported(F1), excluded(5, F1)], 5, {F1}, 1, {F1}, None,
                     id="decided of a lead before it enrolled, not of the gap"),
        pytest.param([ENTERED, reported(F1), excluded(5, F1, **GAP),
                      excluded(5, F1, revision=2, what="gone", **GAP)], 5, {F1}, 1, {F1}, None,
                     id="revoked"),
        pytest.param([ENTERED, reported(F1), excluded(5, F1, **GAP)], 5, set(), None, {F1},
                     "enrolled", id="decided, and insured all the same"),
    ],
)  # fmt: skip
def test_a_gap_excluded_is_what_was_weighed_and_no_more(
    events: list[Event],
    active: int,
    missing: set[str],
    gap: int | None,
    attached: set[str],
    outcome: str | None,
) -> None:
    entry = Entry("210502", active, frozenset(missing))
    for told in (events, [*reversed(events)]):
        story = story_of(told)
        desired = gap_of(story, entry)
        assert (desired and desired.gap) == gap
        if outcome is not None:
            assert gap_outcome(story, entry, told, attached) == outcome


def test_a_person_dismissed_from_a_gap_is_a_lead_where_the_employer_leaves_the_register() -> None:
    told = [ENTERED, reported(F1), excluded(5, F1, **GAP), event(6, "left", REG, 2)]
    assert [lead.outcome for lead in story_of(told).leads] == [None]


def test_the_gap_is_open_since_the_earliest_evidence_whichever_came_first() -> None:
    tax, census = event(1, "declared", TAX), reported(F1, 3)
    entry = Entry("210502", 5, frozenset({F1}))
    ends = []
    for first, second in ((tax, census), (census, tax)):
        (opened,) = steps_of("E1", [ENTERED, first], entry, (), CAUSE)
        (moved,) = steps_of("E1", [ENTERED, first, second], entry, [opened.lead], CAUSE)
        ends.append((moved.lead.opened_on, moved.lead.gap, set(moved.lead.subjects)))
    assert ends == [(date(2008, 5, 2), 4, {TAX, F1})] * 2


def met(n: int, who: int, **more: Any) -> dict[str, Any]:
    """Entry ``n``: person ``who`` found at firm 1."""
    at = {"employer_name": "本溪第1厂", "org_code": org_code(1), "identity_no": identity(who)}
    return found(n, **{**at, **more})


async def months(world: World, n: int = 1) -> dict[str, dict[str, Any]]:
    (row,) = (await world.get("/employers", key=org_code(n))).json()["items"]
    answer = await world.get(f"/employers/{row['employer_id']}/headcounts")
    assert answer.status_code == 200, answer.text
    return {one["month"]: one for one in answer.json()["months"]}


def sides(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["taxable"], row["contributing"], row["found_persons"], row["found_missing"],
            row["gap"], row["cause"])  # fmt: skip


async def listed(world: World, **query: Any) -> list[dict[str, Any]]:
    """Every page, by two."""
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await world.get("/headcounts", limit=2, **query, **cursor)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        rows += body["items"]
        if body["next"] is None:
            return rows
        cursor = {"cursor": body["next"].split("cursor=")[1].split("&")[0]}


async def check_sums(world: World) -> int:
    """Every count of the summary is the length of its list; how many were looked at."""
    body = (await world.get("/headcounts/summary")).json()
    for one in body["items"]:
        place = {"month": one["month"], "unit": one["unit"]}
        rows = await listed(world, **place)
        assert one["employers"] == len(rows)
        assert one["taxable"] == sum(row["taxable"] or 0 for row in rows)
        assert one["contributing"] == sum(row["contributing"] for row in rows)
        assert one["found_persons"] == sum(row["found_persons"] for row in rows)
        gaps = await listed(world, **place, gap_at_least=body["threshold"])
        assert (one["with_gap"], one["gap"]) == (len(gaps), sum(row["gap"] for row in gaps))
        for cause in ("taxable-over-contributing", "found-by-census"):
            rows = await listed(world, **place, cause=cause)
            assert one[cause.replace("-", "_")] == len(rows)
    return len(body["items"])


async def test_where_the_tax_office_is_silent_the_register_of_that_month_counts(
    world: World,
) -> None:
    await world.push("employers", [employer(1)])
    await world.push("insured-persons", [person(n, 1) for n in range(3)])
    await world.push("census-persons", [met(1, 31, found_on="2008-05-20"), met(2, 32)])

    async def contributing() -> dict[str, tuple[int, str, int]]:
        return {
            month: (row["contributing"], row["contributing_from"], row["register_active"])
            for month, row in (await months(world)).items()
        }

    assert await contributing() == {"2008-05": (3, "register", 3), "2008-06": (3, "register", 3)}
    # One leaves and two come in June, one of them as of May, told late.
    since = {"employer_no": 1, "effective_on": "2008-06-02"}
    await world.push(
        "person-applications",
        [
            person_application(0, "leave", effective_on="2008-06-05"),
            person_application(41, **since),
            person_application(42, **since | {"effective_on": "2008-05-20"}),
        ],
    )
    assert await contributing() == {"2008-05": (4, "register", 4), "2008-06": (4, "register", 4)}
    await world.push(
        "person-applications", [person_application(1, "leave", effective_on="2008-06-06")]
    )
    assert await contributing() == {"2008-05": (4, "register", 3), "2008-06": (3, "register", 3)}
    await world.hear([headcount(1, 5, 2)])
    assert (await contributing())["2008-05"] == (2, "tax", 3)


async def test_three_sides_of_an_employer(world: World) -> None:
    await world.push("employers", [employer(1), employer(2, unit="210503")])
    await world.push("insured-persons", [person(n, 1) for n in range(3)])
    # 5 taxable in May, of whom the tax office knows 2 contributing; in June all.
    await world.hear(
        [
            headcount(1, 5, 2),
            headcount(1, 4, 4, period="2008-06"),
            headcount(2, 5, 0, unit="210503"),
            *(headcount(n, n, 0) for n in range(3, 6)),
        ]
    )
    assert sides((await months(world))["2008-05"]) == (
        5, 2, 0, 0, 3, "taxable-over-contributing",
    )  # fmt: skip
    # Two persons found twice, one who is insured there, one without a number, one of old age.
    await world.push(
        "census-persons",
        [
            met(1, 31),
            met(2, 32),
            met(3, 31),
            met(4, 1),
            met(5, 0, identity_no=None, sex="M", birth_on="1970-01-01"),
            met(6, 0, identity_no=identity(40, date(1930, 1, 1))),
            found(7, employer_name="本溪第9厂", org_code=org_code(9)),
        ],
    )
    rows = await months(world)
    june, may = rows["2008-06"], rows["2008-05"]
    assert sides(june) == (4, 4, 3, 2, 2, "found-by-census")
    assert sides(may) == (5, 2, 0, 0, 3, "taxable-over-contributing")
    assert (june["found_entries"], june["register_active"], june["deductible"]) == (5, 3, 4)
    assert may["deductible"] == 2  # the contributing headcount, being lower (O45)
    told = headcount(1, 5, 2)
    said = (may["taxable_feed"], may["taxable_delivery_id"], may["taxable_record_no"])
    assert said == ("employer-checks", told.delivery_id, 1)
    assert june["found_told_at"] is not None and may["found_told_at"] is None
    # An employer nobody has told a headcount of, and not in the register.
    (unknown,) = (await months(world, 9)).values()
    assert sides(unknown) == (None, 0, 1, 1, 1, "found-by-census")
    assert (unknown["in_register"], unknown["contributing_from"]) == (False, "register")
    assert unknown["deductible"] is None
    assert await check_sums(world) == 3

    # Corrections and what is taken back count nowhere.
    await world.hear([headcount(1, 3, 3, day=4, revision=2)])
    await world.push("census-persons", [met(1, 31, void=True), met(3, 31, void=True)])
    rows = await months(world)
    assert sides(rows["2008-05"]) == (3, 3, 0, 0, 0, "none")
    assert sides(rows["2008-06"]) == (4, 4, 2, 1, 1, "found-by-census")
    # The stronger word goes first, whichever came later.
    key = f"oc:{org_code(1)}"
    declared: dict[str, Any] = {"feed": "headcounts", "subject": f"declared:{key}:2008-05"}
    await world.hear([headcount(1, 8, 6, day=3, **declared)])
    assert sides((await months(world))["2008-05"])[:2] == (8, 6)
    # A pre-levy taken back tells of no headcount: neither a row, nor an end of the gap.
    mistaken = pre_levy(1, 6, revision=2, cancelled=True)
    await world.hear([msgspec.structs.replace(mistaken, month="2008-07", taxable_headcount=0)])
    assert "2008-07" not in await months(world)
    leads = await world.get("/leads", employer=june["employer_id"])
    assert [(one["status"], one["gap"]) for one in leads.json()["items"]] == [("advanced", 1)]
    assert await check_sums(world) == 3

    # Who may see what.
    answer = await world.get("/headcounts", "tax", month="2008-05", cause="found-by-census")
    assert answer.json()["items"] == []
    own = await world.get("/headcounts", "unit", ["210503"], month="2008-05")
    assert [row["unit"] for row in own.json()["items"]] == ["210503"]
    employer_id = unknown["employer_id"]
    for path, query in (
        ("/headcounts", {"month": "2008-05", "unit": "210502"}),
        (f"/employers/{employer_id}/headcounts", {}),
    ):
        refused = await world.get(path, "unit", ["210503"], **query)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden-unit")
    refused = await world.get("/headcounts", "quality-supervision", month="2008-05")
    assert refused.status_code == 403
    assert (await world.get("/headcounts", month="2008-13")).status_code == 422
    assert (await world.get("/employers/E999999999/headcounts")).status_code == 404


async def test_persons_found_missing_are_a_lead_until_they_are_insured(world: World) -> None:
    await world.push("employers", [employer(1)])
    await world.push("insured-persons", [person(n, 1) for n in range(3)])
    await world.push("census-persons", [met(1, 31), met(2, 32), met(3, 31)])
    (opened,) = await world.facts(LeadOpened)
    assert (opened.lead_kind, opened.headcount_gap) == ("not-fully-enrolled", 2)
    assert (opened.sources, opened.opened_on) == (["census-persons"], date(2008, 6, 3))
    # One leaves as one of those found comes: no count moves, the gap does.
    await world.push(
        "person-applications",
        [person_application(0, "leave"), person_application(31, "enrol", 1)],
    )
    (count,) = await world.rows(
        "SELECT active_count FROM register_employers WHERE agency_no = :no", no=agency_no(1)
    )
    assert count == {"active_count": 3}
    (advanced,) = await world.facts(LeadAdvanced)
    assert advanced.headcount_gap == 1
    await world.push("person-applications", [person_application(32, "enrol", 1)])
    (closed,) = await world.facts(LeadClosed)
    assert closed.outcome == "enrolled"
    assert sides((await months(world))["2008-06"]) == (None, 4, 2, 0, 0, "none")


async def test_a_gap_excluded_is_no_headcount(
    world: World,
) -> None:
    await world.push("employers", [employer(1)])
    await world.push("insured-persons", [person(n, 1) for n in range(3)])
    await world.push("census-persons", [met(1, 31)])
    (lead,) = [fact.lead_id for fact in await world.facts(LeadOpened)]
    before = (await months(world))["2008-06"]
    for who, method, path, body in (
        ("li", "POST", "exclusion", {"reason": "insured-elsewhere", "text": "外地"}),
        ("wang", "PUT", "exclusion/review", {"agreed": True, "text": "同意"}),
    ):
        etag = (await world.get(f"/leads/{lead}/work")).headers["ETag"]
        headers = {"If-Match": etag, **world.headers("agency", None, who)}
        answer = await world.http.request(
            method, f"/leads/{lead}/{path}", json=body, headers=headers
        )
        assert answer.status_code in (200, 201), answer.text
    assert answer.json()["outcome"] == "excluded"
    # A decision is nobody's word on how many work there.
    assert await months(world) == {"2008-06": before}
