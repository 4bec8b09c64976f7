"""Persons as leads, the inspection, and what leads are worth, on a real database; every count
equals the length of the list it stands for."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from enrollment.leads.worth.retesting import retest
from shared.events import Fact
from shared.events.enrollment import LeadAdvanced, LeadClosed, LeadOpened
from tests.enrollment.conftest import World
from tests.enrollment.office import Office
from tests.enrollment.records import (
    complaint,
    employer,
    employer_application,
    found,
    headcount,
    licence,
    org_code,
    person,
    person_application,
    registered,
)
from tests.enrollment.test_withdrawing import withdraw

LEADS = (LeadOpened, LeadAdvanced, LeadClosed)
KEPT: dict[str, Any] = {"org_code": None, "licence_no": None}


def finding(n: int, **more: Any) -> dict[str, Any]:
    return {
        "finding_no": f"JC-{n}",
        "inspected_on": "2008-06-05",
        "unit": "210502",
        "employer_name": f"本溪第{n}厂",
        "staff_found": 23,
        "not_enrolled": 6,
        "org_code": org_code(n),
        **more,
    }


async def every(world: World, path: str, **query: Any) -> list[dict[str, Any]]:
    """A whole list, page by page."""
    found: list[dict[str, Any]] = []
    query = {"limit": 2, **{name: value for name, value in query.items() if value is not None}}
    department = query.pop("department", "agency")
    while True:
        answer = await world.get(path, department, **query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"].split("cursor=")[1].split("&")[0]


async def test_payment_interrupted_is_a_lead_until_it_goes_on(world: World) -> None:
    await world.push("insured-persons", [person(1), person(2, status="suspended")])
    (opened,) = await world.facts(LeadOpened)
    (row,) = await world.rows("SELECT person_id, person_key FROM persons WHERE status='suspended'")
    assert (opened.lead_kind, opened.person_id, opened.person_key) == (
        "unenrolled-person",
        row["person_id"],
        row["person_key"],
    )
    assert (opened.employer_id, opened.headcount_gap, opened.sources) == (
        None,
        1,
        ["insured-persons"],
    )
    await world.push("person-applications", [person_application(2)])
    (closed,) = await world.facts(LeadClosed)
    assert (closed.outcome, closed.effective_on) == ("enrolled", date(2008, 6, 5))
    (lead,) = await every(world, "/leads", person=row["person_id"])
    assert (lead["effect"], lead["reasons"]) == ("not-effective", ["already-enrolled"])


async def test_leads_no_present_test_has_seen_are_tested(world: World) -> None:
    await world.push("insured-persons", [person(1), person(2, status="suspended")])
    await world.hear([registered(1, day=1), registered(2, day=1)])
    query = "SELECT lead_id, effect, reasons, rule_version FROM lead_worth ORDER BY lead_id"
    tested = await world.rows(query)
    async with world.runtime.database.transaction() as conn:  # as migration 0013 leaves them
        await conn.execute(
            sa.text("UPDATE lead_worth SET effect='unclear', reasons='not-tested', rule_version=0")
        )
    assert (len(tested), await retest(world.runtime), await world.rows(query)) == (3, 3, tested)
    assert await retest(world.runtime) == 0


async def test_the_census_and_the_register_in_either_order_end_alike(world: World) -> None:
    alone = {"worker_class": "flexible", "reason": "not-informed"}
    for first, reverse in ((0, False), (10, True)):
        one, two, three, four = (first + n for n in (1, 2, 3, 4))
        told = [
            ("census-persons", [found(n, **alone) for n in (one, two, three, four)]),
            ("insured-persons", [person(one), person(two), person(three, status="retired")]),
        ]
        for feed, records in reversed(told) if reverse else told:
            await world.push(feed, records)
    # Whom the census found on 3 June had been in the register since 1998: they never were leads.
    leads = await every(world, "/leads")
    details = [(await world.get(f"/leads/{lead['lead_id']}")).json() for lead in leads]
    subjects = sorted(record["subject"] for lead in details for record in lead["records"])
    assert subjects == ["found:210502.PR-14", "found:210502.PR-4"]
    # Found before, enrolled after: the register closes it.
    await world.push("person-applications", [person_application(4), person_application(14)])
    outcomes = [lead["outcome"] for lead in await every(world, "/leads", status="closed")]
    assert outcomes == ["enrolled", "enrolled"]


async def test_an_entry_corrected_to_somebody_else_takes_its_lead_along(world: World) -> None:
    first = found(1, worker_class="flexible")
    await world.push("census-persons", [first])
    await world.push("census-persons", [{**first, "identity_no": person(2)["identity_no"]}])
    standing = await world.rows("SELECT person_key FROM leads WHERE NOT void")
    (kept,) = await world.rows("SELECT person_key FROM census_persons")
    assert standing == [kept]
    wrong = await world.push("census-persons", [found(3, worker_class="flexible")])
    assert (await withdraw(world, wrong))["status_code"] == 202
    assert await world.rows("SELECT person_key FROM leads WHERE NOT void") == standing


async def test_a_finding_of_the_inspection_is_evidence(world: World) -> None:
    await world.hear([registered(1, day=1)])
    sent = await world.push(
        "inspection-findings",
        [finding(1), finding(2, not_enrolled=0), finding(3, not_enrolled=30)],
        department="labour-inspection",
    )
    assert await world.problems(sent) == {3: ["more-than-staff"]}
    (lead,) = await every(world, "/leads")
    assert lead["sources"] == ["business-licences", "inspection-findings"]
    assert (lead["effect"], lead["persons"], lead["basis"]) == ("effective", 6, "report")
    assert len(await every(world, "/inspections")) == 2
    await world.push("inspection-findings", [finding(1, void=True)])
    (lead,) = await every(world, "/leads")
    assert (lead["effect"], lead["reasons"]) == ("unclear", ["staff-unknown"])


async def _city(world: World) -> None:
    """A few of everything, over two units."""
    trades: dict[str, Any] = {"reg_type": "173", "industry": "67"}
    facts: list[Fact] = [registered(n, day=1, **trades) for n in range(1, 7)]
    facts += [registered(7, day=1, household=True, unit="210503"), registered(11, day=1)]
    facts += [headcount(n, taxable=9, insured=0, day=2) for n in (1, 2, 8)]
    facts += [headcount(3, taxable=0, insured=0, day=2)]
    await world.hear(facts)
    # Its code is the first firm's, its licence the fourth's: people have to decide.
    both: dict[str, Any] = {"key": f"oc:{org_code(1)}", "org_code": org_code(1)}
    await world.hear([registered(12, day=3, licence_no=licence(4), **both)])
    await world.push("employers", [employer(5), employer(9)])
    await world.hear([headcount(9, taxable=4, insured=1, day=3), headcount(10, 5, 5, day=3)])
    await world.push("complaints", [complaint(4, persons_affected=12), complaint(6, **KEPT)])
    await world.push("employer-applications", [employer_application(2)])
    await world.push(
        "insured-persons",
        [person(1, 9), person(2, status="suspended"), person(3, 9, status="suspended")],
    )
    alone = {"worker_class": "flexible", "unit": "210503"}
    await world.push(
        "census-persons",
        [
            found(20, **alone),
            found(21, can_pay=False, **alone),
            found(22, org_code=org_code(6), employer_name="本溪第6厂"),
        ],
    )


async def test_every_count_is_the_length_of_its_list(world: World) -> None:
    await _city(world)
    everything = await every(world, "/leads")
    assert {lead["kind"] for lead in everything} == {
        "unenrolled-employer",
        "not-fully-enrolled",
        "unenrolled-person",
    }
    for query in ({}, {"status": "standing"}, {"unit": "210503"}, {"kind": "unenrolled-person"}):
        counts = (await world.get("/leads/effectiveness", **query)).json()
        listed = await every(world, "/leads", **query)
        by_effect = [counts["effective"], counts["not_effective"], counts["unclear"]]
        assert sum(by_effect) == len(listed) > 0
        for effect, count in zip(("effective", "not-effective", "unclear"), by_effect, strict=True):
            assert len(await every(world, "/leads", effective=effect, **query)) == count
        codes = {reason["code"] for reason in counts["reasons"]}
        assert query or codes >= {"identity-unsettled", "staff-unknown", "cannot-pay", "no-staff"}
        for reason in counts["reasons"]:
            assert reason["zh"] != reason["code"]
            found = await every(world, "/leads", reason=reason["code"], **query)
            assert len(found) == reason["leads"]
    for by in ("unit", "kind", "effect", "household", "ownership", "trade"):
        await _potential_sums(world, by)
    await _coverage_counts(world)


async def _potential_sums(world: World, by: str) -> None:
    told = (await world.get("/leads/potential", by=by)).json()
    listed = await every(world, "/leads", status="standing")
    for name in ("leads", "leads_unknown", "persons", "pooled_fen"):
        assert sum(row[name] for row in told["rows"]) == told["total"][name]
    assert told["total"]["leads"] == len(listed)
    assert told["total"]["persons"] == sum(lead["persons"] or 0 for lead in listed) > 0
    assert told["total"]["pooled_fen"] == sum(lead["pooled_fen"] or 0 for lead in listed) > 0
    unknown = [lead for lead in listed if lead["persons"] is None]
    assert told["total"]["leads_unknown"] == len(unknown) > 0
    if by == "trade":
        # Licences say so, the register goes before; persons have none.
        assert {row["key"] for row in told["rows"]} >= {"catering", "none", "unknown"}
    asked = "effective" if by == "effect" else by
    for row in told["rows"]:
        some = await every(world, "/leads", status="standing", **{asked: row["key"]})
        assert row["leads"] == len(some) > 0
        assert row["persons"] == sum(lead["persons"] or 0 for lead in some)


async def _coverage_counts(world: World) -> None:
    standing = await every(world, "/leads", status="standing")
    missing = [lead for lead in standing if lead["effect"] != "not-effective"]
    kinds = Counter(lead["kind"] for lead in missing)
    for by in ("unit", "household", "ownership", "trade"):
        told = (await world.get("/coverage", by=by)).json()
        employers, persons = told["employers"]["total"], told["persons"]["total"]
        assert employers["enrolled"] == 3
        assert employers["missing"] == kinds["unenrolled-employer"] > 0
        assert persons["enrolled"] == 1
        assert persons["missing"] == sum(lead["persons"] or 0 for lead in missing) > 0
        assert persons["leads_unknown"] == sum(lead["persons"] is None for lead in missing)
        for part in (told["employers"], told["persons"]):
            for name in ("enrolled", "missing", "eligible"):
                assert sum(row[name] for row in part["rows"]) == part["total"][name]
        feeds = {source["feed"]: source["leads"] for source in told["sources"]}
        assert feeds == {feed: sum(feed in lead["sources"] for lead in missing) for feed in feeds}
        assert {"business-licences", "census-persons"} <= feeds.keys()
    own = (await world.get("/coverage", "unit", ["210503"])).json()
    assert [row["key"] for row in own["persons"]["rows"]] == ["210503"]


async def feedback(world: World, feed: str, department: str, **query: str) -> dict[str, Any]:
    answer = await world.get("/leads/feedback", department, feed=feed, **query)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_each_department_sees_what_became_of_its_rows(world: World) -> None:
    await _city(world)
    senders = {
        "business-licences": "industry-commerce",
        "employer-checks": "tax",
        "complaints": "agency",
        "census-persons": "agency",
        "insured-persons": "agency",
    }
    path = "/leads/feedback/rows"
    for feed, department in senders.items():
        asked = {"feed": feed, "department": department}
        told = await feedback(world, feed, department)
        rows = await every(world, path, **asked)
        assert told["rows"] == len(rows) == sum(told["outcomes"].values()) > 0
        for outcome, count in told["outcomes"].items():
            assert len(await every(world, path, outcome=outcome, **asked)) == count
        for part in ("opened", "joined"):
            assert len(await every(world, path, part=part, **asked)) == told[part]
        leads = {row["lead_id"] for row in rows if row["lead_id"] and row["outcome"] != "held"}
        assert told["leads"] == len(leads)
        months = [
            (await feedback(world, feed, department, period=period))["rows"]
            for period in ("2008-05", "2008-06-D1", "2008-06-D2", "2008-06-D3")
        ]
        assert sum(months) == told["rows"]
    licences = await feedback(world, "business-licences", "industry-commerce")
    assert (licences["leads_enrolled"], licences["outcomes"]["already-enrolled"]) == (1, 1)
    assert licences["outcomes"]["held"] == 1
    # Told on 1 June of a firm open since May; enrolled with effect from 5 June.
    assert licences["days_to_enrol_median"] == 4.0
    assert licences["conversion"] == str(round(1 / licences["leads"], 4))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"feed": "business-licences"}, "forbidden-feed"),
        ({"feed": "employer-checks", "period": "2008-13"}, "period-invalid"),
    ],
)
async def test_refusals(world: World, query: dict[str, str], code: str) -> None:
    answer = await world.get("/leads/feedback", "tax", **query)
    assert answer.json()["code"] == code


async def test_officers_work_on_a_person_s_lead_and_two_exclude_it(world: World) -> None:
    await world.push("census-persons", [found(1, worker_class="flexible")])
    (lead,) = await every(world, "/leads")
    li, wang = Office(world, "li"), Office(world, "wang")
    told = await li.act(
        "PUT",
        lead["lead_id"],
        "stage",
        stage="notified",
        on="2008-06-05",
        means="visit",
        text="已告知",
    )
    assert (told["stage"], told["employer_id"]) == ("notified", None)
    await li.act("POST", lead["lead_id"], "exclusion", reason="other", text="已外出")
    await wang.act("PUT", lead["lead_id"], "exclusion/review", agreed=True, text="同意")
    (excluded,) = await every(world, "/leads")
    assert (excluded["outcome"], excluded["reasons"]) == ("excluded", ["excluded"])
    await wang.act("POST", lead["lead_id"], "exclusion/revocation", text="已回")
    (again,) = await every(world, "/leads", effective="effective")
    assert (again["lead_id"], again["status"]) == (lead["lead_id"], "advanced")
    # What was decided is no record that a department sent.
    told_back = await feedback(world, "census-persons", "agency")
    assert told_back["outcomes"]["in-progress"] == told_back["rows"] == 1
