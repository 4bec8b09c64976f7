"""The census and complaints, from the door to state, facts, leads and answers."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import pytest

from shared.events.enrollment import (
    CensusPersonFound,
    CensusVisited,
    ComplaintReceived,
    EmployerLinked,
    LeadClosed,
    LeadOpened,
)
from tests.enrollment.conftest import World
from tests.enrollment.records import (
    UNIT,
    complaint,
    employer,
    employer_application,
    foreigner,
    found,
    identity,
    org_code,
    place,
    registered,
    visit,
)

SECRET = ("张三丰", "李举报", "13900001111", "老板扣我的钱")


async def push(world: World, feed: str, *records: dict[str, Any], **who: Any) -> dict[str, Any]:
    return await world.push(feed, records, **who)


def counts(delivery: dict[str, Any]) -> tuple[int, int, int]:
    """applied, duplicate, rejected."""
    receipt = delivery["receipt"]
    return receipt["applied"], receipt["duplicate"], receipt["rejected"]


async def items(world: World, path: str, *who: Any, **query: Any) -> list[dict[str, Any]]:
    answer = await world.get(path, *who, **query)
    assert answer.status_code == 200, answer.text
    listed: list[dict[str, Any]] = answer.json()["items"]
    return listed


async def test_a_frame_is_visited(world: World) -> None:
    sent = await push(world, "census-units", place(1), place(2), visit(3))
    assert counts(sent) == (3, 0, 0)
    (fact,) = await world.facts(CensusVisited)
    assert (fact.subject, fact.revision, fact.correction) == (f"census:{UNIT}.PC-3", 1, False)
    assert (fact.visited_on, fact.found_uninsured_count) == (date(2008, 6, 3), 2)
    assert (fact.street, fact.outcome, fact.visited) == ("平山街道", "done", True)

    # Visited; told again; the frame told again without its visit; nobody was there.
    absent = visit(2) | {"outcome": "absent", "persons_found": 0, "uninsured_found": 0}
    sent = await push(world, "census-units", visit(1), visit(3), place(3), absent)
    assert counts(sent) == (2, 2, 0)
    facts = (await world.facts(CensusVisited))[1:]
    assert [(one.frame_no, one.revision, one.visited) for one in facts] == [
        ("PC-1", 2, True),
        ("PC-2", 2, False),
    ]
    # Another visit later, a visit corrected, one taken back, one out of the frame.
    later = visit(2) | {"visited_on": "2008-06-05"}
    taken_back = visit(1) | {"outcome": "mistaken"}
    await push(world, "census-units", later, taken_back, place(3, void=True))
    facts = (await world.facts(CensusVisited))[3:]
    assert [(one.frame_no, one.visited, one.correction) for one in facts] == [
        ("PC-2", True, False),
        ("PC-1", False, True),
        ("PC-3", False, True),
    ]
    assert [one["frame_no"] for one in await items(world, "/census/units")] == ["PC-1", "PC-2"]
    (gone,) = await items(world, "/census/units", void=True)
    assert (gone["frame_no"], gone["visited"], gone["visited_on"]) == ("PC-3", False, "2008-06-03")


async def test_a_feed_says_which_codes_the_plan_has(world: World) -> None:
    plan = world.runtime.plan
    for feed in ("census-units", "census-persons", "complaints"):
        columns = (await world.get(f"/feeds/{feed}")).json()["columns"]
        coded = {one["name"]: one["codes"] for one in columns if one["codes"] is not None}
        (declared,) = (one for one in world.runtime.service.feeds if one.name == feed)
        assert len(coded) == 1
        for name, listed in declared.coded.items():
            assert [one["code"] for one in coded[name]] == [one.code for one in plan.codes(listed)]
            assert declared.example.get(name, "done") in {one["code"] for one in coded[name]}
        assert all(" · " in one["description"] for one in columns)


REFUSED_UNITS: list[tuple[dict[str, Any], list[str]]] = [
    (place(1, unit="210999"), ["unit-unknown"]),
    (visit(1) | {"visitor": None}, ["field-missing"]),
    (visit(1) | {"outcome": None}, ["field-missing"]),
    (visit(1) | {"visited_on": None}, ["field-missing"]),
    (place(1, uninsured_found=1), ["field-missing"]),
    (visit(1) | {"outcome": "gone-fishing"}, ["code-unknown"]),
    (visit(1) | {"uninsured_found": 10}, ["more-than-found"]),
    (visit(1) | {"visited_on": "2008-04-30"}, ["outside-census"]),
    (visit(1) | {"visited_on": "2008-08-01"}, ["outside-census"]),
    (visit(1) | {"visited_on": "2008-06-11"}, ["period-mismatch", "date-in-future"]),
    (place(1, kind="residence", name="张三丰"), ["name-of-residence"]),
    (place(1, org_code="PDY000011"), ["check-digit-wrong"]),
    (place(1, frame_no=identity(1)), ["pattern-mismatch"]),
    (place(1, street=f"平山{identity(1)}"), ["pattern-mismatch"]),
]
REFUSED_PERSONS: list[tuple[dict[str, Any], list[str]]] = [
    (found(1, unit="210999"), ["unit-unknown"]),
    (found(1, reason="why-not"), ["code-unknown"]),
    (found(1, reason="210502700101980"), ["pattern-mismatch"]),
    (found(1, identity_no=identity(1)[:17] + "?"), ["pattern-mismatch"]),
    (found(1, identity_no=None), ["field-missing", "field-missing"]),
    (found(1, identity_no=None, sex="M"), ["field-missing"]),
    (found(1, identity_no=None, sex="M", birth_on="2008-06-11"), ["date-in-future"]),
    (found(1, sex="F" if int(identity(1)[16]) % 2 else "M"), ["identity-differs"]),
    (found(1, birth_on="1971-01-01"), ["identity-differs"]),
    (foreigner(1, found(1), sex=None), ["field-missing"]),
    (foreigner(1, found(1), nationality=None), ["field-missing"]),
    (foreigner(1, found(1), identity_no=None), ["field-missing"]),
    (found(1, found_on="2008-04-30"), ["outside-census"]),
    (found(1, found_on="2008-06-11"), ["period-mismatch", "date-in-future"]),
    (found(1, org_code=org_code(1)), ["field-missing"]),
    (found(1, org_code="PDY000011", employer_name="某厂"), ["check-digit-wrong"]),
    (found(1, entry_no=identity(1)), ["pattern-mismatch"]),
    (found(1, employer_name=f"某厂{identity(1)}"), ["pattern-mismatch"]),
]
REFUSED_COMPLAINTS: list[tuple[dict[str, Any], list[str]]] = [
    (complaint(1, unit="210999"), ["unit-unknown"]),
    (complaint(1, ground="rude"), ["code-unknown"]),
    (complaint(1, anonymous=True), ["anonymous-named"]),
    (complaint(1, informant_name=None), ["field-missing"]),
    (complaint(1, received_on="2008-06-11"), ["period-mismatch"]),
    (complaint(1, received_on="1908-06-01"), ["value-out-of-range"]),
    (complaint(1, org_code="PDY000011"), ["check-digit-wrong"]),
    (complaint(1, complaint_no=identity(1)), ["pattern-mismatch"]),
]


@pytest.mark.parametrize(
    ("feed", "cases"),
    [
        ("census-units", REFUSED_UNITS),
        ("census-persons", REFUSED_PERSONS),
        ("complaints", REFUSED_COMPLAINTS),
    ],
)
async def test_what_is_refused(
    world: World, feed: str, cases: list[tuple[dict[str, Any], list[str]]]
) -> None:
    wrong = found(1, identity_no=identity(1)[:17] + ("0" if identity(1)[17] != "0" else "1"))
    if feed == "census-persons":
        cases = [*cases, (wrong, ["check-digit-wrong"])]
    sent = await push(world, feed, *(record for record, _ in cases))
    assert counts(sent) == (0, 0, len(cases))
    assert await world.problems(sent) == {no: codes for no, (_, codes) in enumerate(cases, start=1)}
    assert await world.facts(CensusVisited, CensusPersonFound, ComplaintReceived) == []


async def test_a_unit_speaks_for_itself_only(world: World) -> None:
    for feed, record in (
        ("census-units", place(1)),
        ("census-persons", found(1)),
        ("complaints", complaint(1)),
    ):
        sent = await push(world, feed, record, department="unit", units=["210503"])
        assert await world.problems(sent) == {1: ["unit-not-yours"]}
        # Another unit's number is another's entry.
        other = await push(
            world, feed, record | {"unit": "210503"}, department="unit", units=["210503"]
        )
        assert counts(other) == (1, 0, 0)
        assert counts(await push(world, feed, record, department="unit", units=[UNIT])) == (1, 0, 0)


async def test_persons_found_are_told_corrected_and_taken_back(world: World) -> None:
    number = identity(1)
    sent = await push(world, "census-persons", found(1), found(2, reason="unwilling"))
    assert counts(sent) == (2, 0, 0)
    # The 15-digit form of the same number says the same.
    short = number[:6] + number[8:17]
    sent = await push(world, "census-persons", found(1, identity_no=short), found(2))
    assert counts(sent) == (1, 1, 0)
    first, second, corrected = await world.facts(CensusPersonFound)
    assert (first.eligible, first.age_finding, first.worker_class) == (
        True,
        "of-working-age",
        "employee",
    )
    assert (corrected.subject, corrected.revision) == (second.subject, 2)
    assert corrected.correction
    assert (second.reason, corrected.reason) == ("unwilling", "employer-did-not")
    assert first.person_key != second.person_key
    keys = await world.rows("SELECT person_key FROM census_persons ORDER BY natural_key")
    assert keys[0]["person_key"] == first.person_key
    # Another line about the same person joins by the key; someone without a number by none.
    nameless = found(4, identity_no=None, sex="F", birth_on="1955-06-01")
    sent = await push(world, "census-persons", found(3, identity_no=short), nameless)
    again, without = (await world.facts(CensusPersonFound))[3:]
    assert again.person_key == first.person_key
    assert (without.person_key, without.eligible, without.age_finding) == (
        None,
        None,
        "post-unknown",
    )
    await push(world, "census-persons", found(3, identity_no=short, void=True))
    assert (await world.facts(CensusPersonFound))[-1].void
    listed = await items(world, "/census/persons")
    assert [one["entry"] for one in listed] == [f"{UNIT}.PR-{n}" for n in (1, 2, 4)]
    assert [one["has_identity_no"] for one in listed] == [True, True, False]


async def test_a_person_is_read_masked_and_the_reading_is_logged(world: World) -> None:
    await push(world, "census-persons", found(1))
    entry = f"{UNIT}.PR-1"
    answer = await world.get(f"/census/persons/{entry}", purpose="核对")
    shown = answer.json()
    assert (shown["name"], shown["identity_no"]) == (
        "张**",
        identity(1)[:6] + "*" * 10 + identity(1)[-2:],
    )
    assert "sealed" not in shown and "person_key" not in shown
    (read,) = await world.rows("SELECT person_id, purpose, department FROM person_accesses")
    assert read == {"person_id": f"found:{entry}", "purpose": "核对", "department": "agency"}
    assert (await world.get(f"/census/persons/{entry}")).status_code == 422
    assert (await world.get(f"/census/persons/{UNIT}.X", purpose="a")).status_code == 404
    who = ("unit", ["210503"])
    assert (await world.get(f"/census/persons/{entry}", *who, purpose="a")).status_code == 403
    lists = await world.get("/census/persons")
    assert identity(1) not in lists.text and "张" not in lists.text
    assert (await world.get("/census/persons", "tax")).status_code == 403


async def test_an_informant_is_protected(world: World) -> None:
    anonymous = complaint(2, anonymous=True, content=f"举报人 {identity(7)}")
    del anonymous["informant_name"], anonymous["informant_contact"]
    sent = await push(world, "complaints", complaint(1), anonymous, department="group-body")
    assert counts(sent) == (2, 0, 0)
    facts = await world.facts(ComplaintReceived)
    assert [(one.subject, one.ground, one.employer_key) for one in facts] == [
        (f"complaint:group-body.XF-{n}", "not-registered", f"oc:{org_code(n)}") for n in (1, 2)
    ]
    again = await push(world, "complaints", complaint(1), department="group-body")
    assert counts(again) == (0, 1, 0)
    other = complaint(1, content="又来一次")
    assert counts(await push(world, "complaints", other, department="group-body")) == (1, 0, 0)
    assert (await world.facts(ComplaintReceived))[-1].correction

    listed = await world.get("/complaints", "auditor")
    assert [one["complaint"] for one in listed.json()["items"]] == [
        "group-body.XF-1",
        "group-body.XF-2",
    ]
    records = await world.get(f"/deliveries/{sent['delivery']}/records/1", "auditor")
    assert records.json()["content"]["informant_name"] == "***"
    for shown in (listed.text, records.text):
        assert not [secret for secret in SECRET if secret in shown or secret[:1] + "*" in shown]

    whole = f"/deliveries/{sent['delivery']}/content"
    for department, status in (("agency", 403), ("auditor", 403), ("group-body", 200)):
        assert (await world.get(whole, department)).status_code == status

    misspelt = await push(world, "complaints", complaint(3, informant_nmae="李举报"))
    refused = await world.get(f"/deliveries/{misspelt['delivery']}/records/1", "auditor")
    assert refused.json()["content"]["informant_nmae"] == "***"

    path = "/complaints/group-body.XF-1/content"
    for department in ("agency", "auditor", "unit", "group-body"):
        units = [UNIT] if department == "unit" else None
        assert (await world.get(path, department, units, purpose="a")).status_code == 403
    inspected = (await world.get(path, "labour-inspection", purpose="立案")).json()
    assert (inspected["content"], inspected["informant_name"]) == ("又来一次", "李举报")
    assert (await world.get(path, "labour-inspection")).status_code == 422
    assert (await world.get("/complaints/x/content", "labour-inspection", purpose="a")).json()[
        "code"
    ] == "not-found"
    (read,) = await world.rows("SELECT complaint, department, purpose FROM complaint_accesses")
    assert read == {
        "complaint": "group-body.XF-1",
        "department": "labour-inspection",
        "purpose": "立案",
    }


async def test_nobody_lies_in_clear(world: World) -> None:
    await push(world, "census-persons", found(1))
    await push(world, "census-persons", found(1, reason="unwilling"))
    await push(world, "complaints", complaint(1))
    await push(world, "complaints", complaint(1, ground="other"))
    tables = ("census_persons", "complaints", "superseded_versions", "employers", "lead_events")
    texts = {name: str(await world.rows(f"SELECT * FROM {name}")) for name in tables}
    texts["facts"] = str(await world.facts(CensusPersonFound, ComplaintReceived, EmployerLinked))
    for where, text in texts.items():
        assert len(text) > 2, where
        assert [s for s in (*SECRET, identity(1), identity(1)[6:14]) if s in text] == [], where


@pytest.mark.parametrize("feed", ["census-units", "census-persons", "complaints"])
async def test_a_number_written_anywhere_comes_out_nowhere(world: World, feed: str) -> None:
    """Whatever field it is written into: not in a fact, not in what lies in clear, not in an
    answer to the sender."""
    (declared,) = (one for one in world.runtime.service.feeds if one.name == feed)
    example, records = dict(declared.example), []
    numbers: list[str] = []
    for name in (*example, "informant_nmae"):
        for form in ("{}", "张 {},女", "{}00", "x-{}"):
            numbers.append(identity(len(numbers)))
            records.append({**example, name: form.format(numbers[-1])})
    sent = await push(world, feed, *records, example)
    applied, _, rejected = counts(sent)
    assert applied > 0 and rejected > len(example)
    texts = [str(await world.facts(CensusVisited, CensusPersonFound, ComplaintReceived))]
    texts.append(str(await world.facts(EmployerLinked, LeadOpened)))
    tables = ("census_units", "census_persons", "complaints", "employers", "employer_keys")
    for table in (*tables, "record_problems", "superseded_versions", "lead_events"):
        texts.append(str(await world.rows(f"SELECT * FROM {table}")))
    texts.append((await world.get(f"/deliveries/{sent['delivery']}/records")).text)
    assert [number for number in numbers for text in texts if number in text] == []


async def test_reports_are_evidence_and_can_be_taken_back(world: World) -> None:
    """One lead with two sources; a registered employer lacks the person found there; the last one
    taken back."""
    await world.push("employers", [employer(2)])
    met = {"employer_name": "本溪第1厂", "org_code": org_code(1)}
    enrolled = {"employer_name": "本溪第2厂", "org_code": org_code(2)}
    old = {"employer_name": "本溪第3厂", "org_code": org_code(3)}
    await push(
        world,
        "census-persons",
        found(1, **met),
        found(2, **enrolled),
        found(3, **old, identity_no=identity(3, date(1930, 1, 1))),
        # Neither an employer nor a number: evidence of nobody.
        found(4, identity_no=None, sex="M", birth_on="1970-01-01"),
    )
    await push(world, "complaints", complaint(1), complaint(2))
    (gap,) = await items(world, "/leads", kind="not-fully-enrolled")
    assert (gap["gap"], gap["sources"]) == (1, ["census-persons"])
    await push(world, "census-persons", found(2, **enrolled, void=True))
    (lead,) = await items(world, "/leads", status="standing")
    assert (lead["status"], lead["opened_on"]) == ("advanced", "2008-06-03")
    assert sorted(lead["sources"]) == ["census-persons", "complaints"]
    opened = await world.facts(LeadOpened)
    assert [fact.sources for fact in opened] == [["census-persons"]] * 2

    await push(world, "complaints", complaint(1, void=True))
    await push(world, "census-persons", found(1))
    taken_back, closed = await world.facts(LeadClosed)
    assert (taken_back.lead_id, taken_back.outcome) == (gap["lead_id"], "evidence-withdrawn")
    assert (closed.lead_id, closed.outcome) == (lead["lead_id"], "evidence-withdrawn")
    assert closed.correction  # it never was one
    # Without its employer the entry speaks for the person alone.
    assert [lead["kind"] for lead in await items(world, "/leads", status="standing")] == [
        "unenrolled-person"
    ]
    # The report is about another employer after all; nobody else's is touched.
    await push(world, "complaints", complaint(1))
    await push(world, "complaints", complaint(1, employer_name="本溪第4厂", org_code=org_code(4)))
    (lead,) = await items(world, "/leads", status="standing", kind="unenrolled-employer")
    assert lead["employer_name"] == "本溪第4厂"


ORDERS = list(itertools.permutations(("licence", "complaint", "register")))


@pytest.mark.parametrize("order", ORDERS[::2])
async def test_any_order_ends_alike(world: World, order: tuple[str, ...]) -> None:
    for what in order:
        if what == "licence":
            await world.hear([registered(1)])
        elif what == "complaint":
            await push(world, "complaints", complaint(1))
        else:
            await world.push("employer-applications", [employer_application(1)])
    (lead,) = await items(world, "/leads")
    assert (lead["status"], lead["outcome"], lead["opened_on"]) == (
        "closed",
        "enrolled",
        "2008-05-10",
    )
    assert sorted(lead["sources"]) == ["business-licences", "complaints"]
