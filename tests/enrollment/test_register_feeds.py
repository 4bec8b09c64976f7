"""The register's four feeds, from the door to state and facts, on a real database."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from shared.events.enrollment import (
    EmployerChanged,
    EmployerEnded,
    EmployerEnrolled,
    EmployerLinked,
    PersonChanged,
    PersonEnded,
    PersonEnrolled,
)
from shared.identifiers import make_identity_no
from tests.enrollment.conftest import World
from tests.enrollment.records import (
    agency_no,
    employer,
    employer_application,
    foreigner,
    identity,
    org_code,
    person,
    person_application,
)

PERSONS = (PersonEnrolled, PersonChanged, PersonEnded)
EMPLOYERS = (EmployerEnrolled, EmployerChanged, EmployerEnded)


def counts(delivery: dict[str, Any]) -> tuple[int, int, int, int]:
    """applied, duplicate, rejected, held."""
    one = delivery.get("receipt") or delivery
    return one["applied"], one["duplicate"], one["rejected"], one["held"]


async def active(world: World) -> dict[str, int]:
    rows = await world.rows("SELECT agency_no, active_count FROM register_employers")
    return {row["agency_no"]: row["active_count"] for row in rows}


async def test_the_opening_register(world: World) -> None:
    """Chunks of ten, two persons of one employer, one without, one of an unknown employer."""
    sent = await world.push("employers", [employer(n) for n in range(1, 13)])
    assert counts(await world.delivery(sent["delivery"])) == (12, 0, 0, 0)
    people = [person(n, 1 + n % 12) for n in range(24)]
    people += [person(24), person(25, status="retired", worker_class="employee"), person(26, 99)]
    sent = await world.push("insured-persons", people)
    assert counts(await world.delivery(sent["delivery"])) == (26, 0, 0, 1)

    facts = await world.facts(*PERSONS)
    assert len(facts) == 26
    assert {fact.revision for fact in facts} == {1}
    assert {fact.effective_on for fact in facts} == {date(2008, 5, 31)}
    ids = {fact.person_id for fact in facts}
    assert len(ids) == 26
    assert all(re.fullmatch(r"P[0-9]{9}", one) for one in ids)
    of_employer = [fact for fact in facts if fact.employer_id is not None]
    assert {(fact.ownership, fact.trade) for fact in of_employer} == {("private", "catering")}
    assert set((await active(world)).values()) == {2}
    linked = await world.facts(EmployerLinked)
    assert sorted(fact.employer_keys for fact in linked) == sorted(
        [f"oc:{org_code(n)}"] for n in range(1, 13)
    )
    assert len(await world.facts(*EMPLOYERS)) == 12


async def test_no_identity_number_and_no_name_lies_in_clear(world: World) -> None:
    await world.push("insured-persons", [person(1, name="欧阳建国")])
    await world.push("person-applications", [person_application(2, name="司马光明")])
    tables = ("persons", "person_applications", "superseded_versions", "outbox_blocks")
    for table in tables:
        text = str(await world.rows(f"SELECT * FROM {table}"))
        for secret in (identity(1), identity(2), "欧阳", "司马"):
            assert secret not in text, table
    facts = str(await world.facts(*PERSONS))
    assert identity(1) not in facts
    assert "欧阳" not in facts


async def test_a_held_person_is_applied_when_the_employer_arrives(world: World) -> None:
    sent = await world.push("insured-persons", [person(1, 5), person(2)])
    assert counts(await world.delivery(sent["delivery"])) == (1, 0, 0, 1)
    assert await world.problems(sent) == {1: ["employer-unknown"]}

    await world.push("employers", [employer(5)])
    await world.worker.drain()
    held = await world.rows("SELECT * FROM held_records WHERE resolved_at IS NULL")
    assert held == []
    assert await active(world) == {agency_no(5): 1}
    facts = await world.facts(PersonEnrolled)
    assert [(fact.delivery_id, fact.record_no) for fact in facts][-1] == (sent["delivery"], 1)


async def test_a_held_list_row_does_not_undo_what_was_accepted_later(world: World) -> None:
    await world.push("insured-persons", [person(1, 5)])
    await world.push("person-applications", [person_application(1)])
    await world.push("employers", [employer(5)])
    await world.worker.drain()
    (state,) = await world.rows("SELECT agency_no, worker_class, revision FROM persons")
    assert state == {"agency_no": None, "worker_class": "flexible", "revision": 1}
    assert await active(world) == {agency_no(5): 0}


async def test_the_list_sent_again_is_duplicates_and_corrections(world: World) -> None:
    await world.push("insured-persons", [person(1), person(2)])
    sent = await world.push("insured-persons", [person(1), person(2, unit="210503")])
    assert counts(await world.delivery(sent["delivery"])) == (1, 1, 0, 0)
    (fact,) = await world.facts(PersonChanged)
    assert (fact.unit, fact.revision, fact.correction) == ("210503", 2, True)
    assert fact.effective_on == date(2008, 5, 31)

    await world.push("insured-persons", [person(2, unit="210504")], period="2008-06")
    fact = (await world.facts(PersonChanged))[-1]
    assert (fact.unit, fact.revision, fact.correction) == ("210504", 3, False)
    assert fact.effective_on == date(2008, 6, 30)
    old = await world.rows("SELECT feed, revision FROM superseded_versions ORDER BY revision")
    assert old == [{"feed": "insured-persons", "revision": n} for n in (1, 2)]


async def test_both_forms_of_a_number_are_one_person(world: World) -> None:
    short = identity(1)[:6] + identity(1)[8:17]
    sent = await world.push("insured-persons", [person(1), person(1, identity_no=short)])
    assert counts(await world.delivery(sent["delivery"])) == (1, 1, 0, 0)


async def test_a_foreigner_is_known_by_passport(world: World) -> None:
    """Enrolled, told again with another notation, held apart from another state's, told masked."""
    first = foreigner(1, person_application(1, post="worker"))
    sent = await world.push("person-applications", [first])
    assert counts(await world.delivery(sent["delivery"])) == (1, 0, 0, 0)
    entry = person(1, post="worker", enrolled_on="2008-06-05")
    again = foreigner(1, entry, identity_no="ｍ0000 0001")
    other = foreigner(1, entry, nationality="JPN")
    sent = await world.push("insured-persons", [again, other], period="2008-06")
    assert await world.problems(sent) == {}
    rows = await world.rows("SELECT person_id, birth_on, sex, worker_class FROM persons")
    assert [row["birth_on"] for row in rows] == [date(1980, 3, 5)] * 2
    assert {(row["sex"], row["worker_class"]) for row in rows} == {("F", "foreign")}
    (record,) = (await world.get(f"/deliveries/{sent['delivery']}/records", limit=1)).json()[
        "items"
    ]
    assert [(one["field"], one["rule"]) for one in record["repairs"]] == [
        ("identity_no", "full-width+spaces+upper-case")
    ]
    assert "0000" not in str(record)

    path = f"/persons/{rows[0]['person_id']}"
    shown = (await world.get(path, purpose="核对")).json()
    assert (shown["identity_no"], shown["name"]) == ("M******01", "K***")
    assert (shown["identity_kind"], shown["nationality"]) == ("passport", "KOR")
    asked = {"as_of": "2008-06-30"}
    listed = (await world.get("/register/persons", worker_class="foreign", **asked)).json()["items"]
    assert {one["person_id"] for one in listed} == {row["person_id"] for row in rows}
    counts_shown = (await world.get("/register/counts", by="worker-class", **asked)).json()
    assert counts_shown["total"]["count"] == 2
    assert "foreign" in str(counts_shown)


NEEDS: tuple[tuple[dict[str, Any], list[tuple[str, str]]], ...] = (
    ({"nationality": None}, [("field-missing", "/nationality")]),
    ({"sex": None, "birth_on": None}, [("field-missing", "/sex"), ("field-missing", "/birth_on")]),
    ({"birth_on": "2009-01-01"}, [("date-in-future", "/birth_on")]),
    ({"identity_no": "ABCDE"}, [("identifier-invalid", "/identity_no")]),
    ({"identity_kind": "residence-permit"}, [("identifier-invalid", "/identity_no")]),
    ({"identity_kind": "identity-card"}, [("identifier-invalid", "/identity_no")]),
    (
        {"identity_kind": "identity-card", "identity_no": identity(2)},
        [("identity-differs", "/birth_on")],
    ),
    ({"identity_no": "210502197001019805"}, [("identifier-invalid", "/identity_no")]),
)


async def test_what_a_paper_must_tell_is_asked_for_by_name(world: World) -> None:
    sex = "M" if int(identity(2)[16]) % 2 else "F"
    records = [foreigner(n, person(n), **more) for n, (more, _) in enumerate(NEEDS)]
    records[6]["sex"] = sex
    sent = await world.push("insured-persons", records)
    rows = await world.rows("SELECT problems FROM record_problems ORDER BY no")
    assert [[(one[0], one[1]) for one in row["problems"]] for row in rows] == [
        told for _, told in NEEDS
    ]
    assert counts(await world.delivery(sent["delivery"])) == (0, 0, len(NEEDS), 0)


async def test_other_papers_are_persons_too(world: World) -> None:
    def told(n: int, kind: str, number: str) -> dict[str, Any]:
        return foreigner(n, person(n), identity_kind=kind, identity_no=number, nationality=None)

    papers = [
        told(1, "travel-permit", "H12345678"),
        told(1, "travel-permit", "H1234567802"),  # renewed: the same person
        told(2, "residence-permit", "KOR110000190101"),
    ]
    sent = await world.push("insured-persons", papers)
    assert counts(await world.delivery(sent["delivery"])) == (2, 1, 0, 0)


async def test_a_county_no_edition_has_is_noted_with_the_record(world: World) -> None:
    nowhere = make_identity_no("210599", date(1970, 1, 1), 981)
    never = make_identity_no("219902", date(1970, 1, 1), 981)
    sent = await world.push(
        "insured-persons", [person(1, identity_no=nowhere), person(2, identity_no=never)]
    )
    assert await world.problems(sent) == {2: ["division-never-existed"]}
    first, second = (await world.get(f"/deliveries/{sent['delivery']}/records")).json()["items"]
    assert first["disposition"] == "applied"
    assert [(one["field"], one["code"]) for one in first["notes"]] == [
        ("identity_no", "division-unknown")
    ]
    assert "notes" not in second
    one = (await world.get(f"/deliveries/{sent['delivery']}/records/1")).json()
    assert one["notes"] == first["notes"]


async def test_what_the_judge_refuses(world: World) -> None:
    number = identity(1)
    wrong = number[:17] + ("0" if number[17] != "0" else "1")
    sent = await world.push(
        "insured-persons",
        [
            person(1, identity_no=wrong),
            person(2, unit="999999"),
            person(3, enrolled_on="2008-07-01"),
            person(4),
        ],
    )
    assert await world.problems(sent) == {
        1: ["check-digit-wrong"],
        2: ["unit-unknown"],
        3: ["date-in-future"],
    }
    (row,) = await world.rows("SELECT problems FROM record_problems WHERE no = 1")
    assert row["problems"][0][2]["expected"] == number[17]
    sent = await world.push(
        "employers",
        [
            employer(1, org_code="PDY000019"),
            employer(2, reg_type="499"),
            employer(3, tax_no="210502" + org_code(4)),
        ],
    )
    assert await world.problems(sent) == {
        1: ["check-digit-wrong"],
        2: ["code-unknown"],
        3: ["org-code-differs"],
    }
    sent = await world.push(
        "person-applications",
        [person_application(1, worker_class=None), person_application(2, "leave", reason=None)],
    )
    assert await world.problems(sent) == {1: ["field-missing"], 2: ["field-missing"]}


async def test_since_when_someone_is_employed(world: World) -> None:
    await world.push("employers", [employer(1)])
    told = person_application(1, employer_no=1, employed_from="2008-05-20")
    sent = await world.push(
        "person-applications",
        [
            told,
            person_application(2, employed_from="2008-05-20"),
            person_application(3, employer_no=1, employed_from="2008-06-06"),
            person_application(4, employer_no=1, employed_from="1908-06-06"),
        ],
    )
    assert await world.problems(sent) == {
        2: ["field-missing"],
        3: ["employed-after-enrolment"],
        4: ["value-out-of-range"],
    }
    rows = await world.rows("SELECT employed_from FROM person_applications")
    assert rows == [{"employed_from": date(2008, 5, 20)}]
    assert counts(await world.push("person-applications", [told])) == (0, 1, 0, 0)
    other = told | {"employed_from": "2008-05-21"}
    assert counts(await world.push("person-applications", [other])) == (1, 0, 0, 0)
    assert len(await world.facts(*PERSONS)) == 1  # nothing of the insurance changed


async def test_several_applications_of_one_person_make_a_fact_each(world: World) -> None:
    await world.push("employers", [employer(1), employer(2, unit="210503")])
    await world.push(
        "person-applications",
        [
            person_application(1, employer_no=1),
            person_application(1, employer_no=2, application_no="B", unit="210503"),
            person_application(1, "leave", reason="suspended", unit="210503"),
            person_application(1, employer_no=1, application_no="C", effective_on="2008-06-07"),
            person_application(1, "leave", reason="died", application_no="D"),
        ],
    )
    facts = await world.facts(*PERSONS)
    assert [(type(fact), fact.revision, fact.unit, fact.status) for fact in facts] == [
        (PersonEnrolled, 1, "210502", "active"),
        (PersonChanged, 2, "210503", "active"),
        (PersonChanged, 3, "210503", "suspended"),
        (PersonChanged, 4, "210502", "active"),
        (PersonEnded, 5, "210502", "ended"),
    ]
    assert {fact.enrolled_on for fact in facts} == {date(2008, 6, 5)}
    assert len({fact.fact_id for fact in facts}) == 5
    assert await active(world) == {agency_no(1): 0, agency_no(2): 0}


async def test_applications_that_cannot_be_applied(world: World) -> None:
    await world.push("insured-persons", [person(1), person(2, unit="210503")])
    sent = await world.push(
        "person-applications",
        [
            person_application(9, "leave"),
            person_application(1, employer_no=7),
            person_application(1, "leave"),
            person_application(1, "leave", application_no="again"),
        ],
    )
    assert counts(await world.delivery(sent["delivery"])) == (1, 0, 2, 1)
    assert await world.problems(sent) == {
        1: ["person-unknown"],
        2: ["employer-unknown"],
        4: ["person-not-insured"],
    }
    sent = await world.push(
        "person-applications",
        [person_application(2, "leave"), person_application(3, unit="210503")],
        department="unit",
        units=["210502"],
    )
    assert await world.problems(sent) == {1: ["person-in-other-unit"], 2: ["unit-not-yours"]}


async def test_an_application_sent_again_and_corrected(world: World) -> None:
    await world.push("person-applications", [person_application(1), person_application(2)])
    sent = await world.push(
        "person-applications",
        [
            person_application(1),
            person_application(2, effective_on="2008-06-09", applied_on="2008-06-03"),
            person_application(3, application_no="PA-1-enrol"),
        ],
    )
    assert counts(await world.delivery(sent["delivery"])) == (1, 1, 1, 0)
    assert await world.problems(sent) == {3: ["correction-other-person"]}
    (fact,) = await world.facts(PersonChanged)
    assert (fact.correction, fact.effective_on) == (True, date(2008, 6, 9))
    assert fact.enrolled_on == date(2008, 6, 9)

    leave = person_application(1, "leave", reason="died")
    await world.push("person-applications", [leave])
    await world.push("person-applications", [{**leave, "reason": "retired"}])
    (state,) = await world.rows(
        "SELECT status FROM persons ORDER BY recorded_at, revision DESC LIMIT 1"
    )
    assert state == {"status": "retired"}


async def test_a_duplicate_between_an_application_and_its_correction_changes_nothing(
    world: World,
) -> None:
    await world.push("person-applications", [person_application(1)])
    redated = person_application(1, effective_on="2008-06-09", applied_on="2008-06-03")
    sent = await world.push("person-applications", [person_application(1), redated])
    assert counts(await world.delivery(sent["delivery"])) == (1, 1, 0, 0)
    (fact,) = await world.facts(PersonChanged)
    assert (fact.effective_on, fact.enrolled_on) == (date(2008, 6, 9), date(2008, 6, 9))


async def test_a_unit_corrects_applications_of_its_own_only(world: World) -> None:
    sent = [
        ("person-applications", person_application(1), person_application(1, unit="210503")),
        (
            "employer-applications",
            employer_application(1),
            employer_application(1, unit="210503", name="改了名的厂"),
        ),
    ]
    for feed, first, taken in sent:
        await world.push(feed, [first])
        mine = await world.push(feed, [taken], department="unit", units=["210503"])
        assert await world.problems(mine) == {1: ["unit-not-yours"]}
        own = {**first, "effective_on": "2008-06-04"}
        mine = await world.push(feed, [own], department="unit", units=["210502"])
        assert counts(await world.delivery(mine["delivery"])) == (1, 0, 0, 0)


async def test_days_nobody_means_are_refused(world: World) -> None:
    for feed, make in (
        ("person-applications", person_application),
        ("employer-applications", employer_application),
    ):
        days = ("0001-01-01", "1949-09-30", "2080-06-03", "9999-12-31")
        records = [make(n, effective_on=day) for n, day in enumerate(days, 1)]
        sent = await world.push(feed, [*records, make(9, effective_on="2009-06-01")])
        assert await world.problems(sent) == {n: ["value-out-of-range"] for n in (1, 2, 3, 4)}


async def test_employers_enter_change_and_leave_by_application(world: World) -> None:
    sent = await world.push(
        "employer-applications",
        [
            employer_application(1),
            employer_application(1, application_no="B", name="本溪新厂", licence_no=None),
            employer_application(2, "leave"),
        ],
    )
    assert counts(await world.delivery(sent["delivery"])) == (2, 0, 1, 0)
    assert await world.problems(sent) == {3: ["employer-not-registered"]}
    await world.push("employer-applications", [employer_application(2, application_no="E2")])
    await world.push("employer-applications", [employer_application(2, "leave")])
    facts = await world.facts(*EMPLOYERS)
    assert [(type(fact), fact.agency_no, fact.name) for fact in facts] == [
        (EmployerEnrolled, agency_no(1), "本溪第1厂"),
        (EmployerChanged, agency_no(1), "本溪新厂"),
        (EmployerEnrolled, agency_no(2), "本溪第2厂"),
        (EmployerEnded, agency_no(2), "本溪第2厂"),
    ]
    assert facts[0].enrolled_on == facts[0].effective_on == date(2008, 6, 5)


async def test_persons_follow_the_segments_of_their_employer(world: World) -> None:
    await world.push("employers", [employer(1), employer(2)])
    await world.push("insured-persons", [person(1, 1), person(2, 1, status="ended"), person(3, 2)])
    await world.push("employers", [employer(1, industry="52")], period="2008-06")
    (fact,) = await world.facts(PersonChanged)
    assert (fact.trade, fact.revision, fact.effective_on) == ("transport", 2, date(2008, 6, 30))
    states = await world.rows("SELECT trade FROM persons ORDER BY person_id")
    assert [state["trade"] for state in states] == ["transport", "catering", "catering"]


async def test_a_dry_run_changes_nothing(world: World) -> None:
    answer = await world.http.post(
        "/feeds/person-applications/deliveries",
        json=[person_application(1)],
        params={"period": "2008-06-D1", "wait": 0, "dry_run": True},
        headers={"Idempotency-Key": "dry", **world.headers("agency")},
    )
    assert answer.status_code == 202, answer.text
    await world.worker.drain()
    assert await world.rows("SELECT * FROM persons") == []
    assert await world.facts(*PERSONS) == []


async def test_two_register_numbers_with_one_code_are_kept_apart(world: World) -> None:
    await world.push("employers", [employer(1), employer(2, org_code=org_code(1))])
    rows = await world.rows("SELECT DISTINCT employer_id FROM register_employers")
    assert len(rows) == 2
    (conflict,) = await world.rows("SELECT key FROM link_conflicts")
    assert conflict == {"key": f"oc:{org_code(1)}"}


async def test_the_declared_examples_would_be_applied(world: World) -> None:
    for feed in world.runtime.service.feeds:
        sent = await world.push(feed.name, [dict(feed.example)])
        assert counts(await world.delivery(sent["delivery"])) == (1, 0, 0, 0), feed.name
