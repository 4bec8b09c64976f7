"""Who was in the register on any day, as known at any moment: stories through the real service."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psycopg
import pytest

from shared.clock import FixedClock
from tests.enrollment.conftest import World
from tests.enrollment.records import (
    employer,
    employer_application,
    identity,
    person,
    person_application,
)

DAYS = ("2008-04-30", "2008-05-31", "2008-06-02", "2008-06-04", "2008-06-06", "2008-06-30")


async def listed(world: World, path: str, **query: Any) -> list[dict[str, Any]]:
    """The whole list, in pages of two."""
    items: list[dict[str, Any]] = []
    answer = await world.get(path, limit=2, **query)
    while True:
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        if answer.json()["next"] is None:
            return items
        target = f"http://test{answer.json()['next']}"
        answer = await world.http.get(target, headers=world.headers("agency"))


async def counted(world: World, **query: Any) -> dict[str, Any]:
    answer = await world.get("/register/counts", **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def spells(world: World, person_id: str, **query: Any) -> list[tuple[Any, ...]]:
    answer = await world.get(f"/register/persons/{person_id}/spells", **query)
    assert answer.status_code == 200, answer.text
    return [(one["kind"], one["from_on"], one["to_on"], one["unit"]) for one in answer.json()]


async def standing(world: World) -> dict[str, list[int]]:
    """Total and active on each of the days, as known now."""
    found = {}
    for day in DAYS:
        measures = (await counted(world, as_of=day))["total"]["measures"]
        found[day] = [measures["insured-total"], measures["insured-active"]]
    return found


async def test_what_was_answered_then_is_answered_again(world: World, clock: FixedClock) -> None:
    """Each push changes what holds; asked later as of then, every day answers as it did then."""
    await world.push("employers", [employer(1), employer(2, unit="210503")])
    told: list[tuple[str, dict[str, list[int]]]] = []
    pushes: list[tuple[str, list[dict[str, Any]], str | None]] = [
        ("insured-persons", [person(1, 1), person(2, 1), person(3), person(4)], "2008-04"),
        (
            "person-applications",
            [
                person_application(1, "leave", reason="suspended", effective_on="2008-06-05"),
                person_application(2, "leave", reason="retired", effective_on="2008-06-05"),
                person_application(3, "leave", reason="moved-out", effective_on="2008-06-01"),
                person_application(5, employer_no=2, effective_on="2008-06-05"),
            ],
            None,
        ),
        # Told late: person 2 was interrupted before retiring; person 5 died before entering.
        (
            "person-applications",
            [
                person_application(
                    2, "leave", reason="suspended", application_no="L", effective_on="2008-06-01"
                ),
                person_application(5, "leave", reason="died", effective_on="2008-06-03"),
            ],
            None,
        ),
        # Corrected: person 3 left on the 4th, not on the 1st.
        (
            "person-applications",
            [person_application(3, "leave", reason="moved-out", effective_on="2008-06-04")],
            None,
        ),
        ("employers", [employer(1, industry="52")], "2008-05"),
    ]
    for feed, records, period in pushes:
        await world.push(feed, records, period=period)
        told.append((world.runtime.clock.now().isoformat(), await standing(world)))
        clock.advance(timedelta(hours=1))

    assert told[0][1] == {day: [4, 4] for day in DAYS}
    assert told[1][1]["2008-06-02"] == [3, 3]
    assert told[1][1]["2008-06-30"] == [4, 3]
    assert told[2][1]["2008-06-30"] == [3, 2]
    assert told[3][1]["2008-06-02"] == [4, 4]
    assert told[3][1]["2008-06-04"] == [3, 3]
    for moment, then in told:
        for day in DAYS:
            again = (await counted(world, as_of=day, known_at=moment))["total"]["measures"]
            assert [again["insured-total"], again["insured-active"]] == then[day], (moment, day)
    assert await spells(world, "P000000002") == [
        ("active", "2008-04-30", "2008-06-01", "210502"),
        ("interrupted", "2008-06-01", "2008-06-05", "210502"),
        ("retired", "2008-06-05", None, "210502"),
    ]
    assert await spells(world, "P000000003") == [
        ("active", "2008-04-30", "2008-06-04", "210502"),
        ("transferred-out", "2008-06-04", None, "210502"),
    ]
    assert await spells(world, "P000000003", known_at=told[0][0]) == [
        ("active", "2008-04-30", None, "210502")
    ]


async def test_correcting_an_earlier_application_leaves_the_later_one_standing(
    world: World,
) -> None:
    """Only the earlier spell moves: of a person and of an employer alike."""
    await world.push("employers", [employer(1), employer(2, unit="210503")])
    first = person_application(1, employer_no=1, application_no="A", effective_on="2008-06-02")
    await world.push("person-applications", [first])
    second = {"application_no": "B", "unit": "210503", "effective_on": "2008-06-09"}
    await world.push("person-applications", [person_application(1, employer_no=2, **second)])
    await world.push("person-applications", [{**first, "effective_on": "2008-06-04"}])
    assert await spells(world, "P000000001") == [
        ("active", "2008-06-04", "2008-06-09", "210502"),
        ("active", "2008-06-09", None, "210503"),
    ]
    opened = employer_application(3, application_no="C", effective_on="2008-06-02")
    await world.push("employer-applications", [opened])
    await world.push(
        "employer-applications",
        [employer_application(3, "leave", application_no="D", effective_on="2008-06-09")],
    )
    await world.push("employer-applications", [{**opened, "effective_on": "2008-06-03"}])
    states = await world.rows("SELECT status FROM register_employers ORDER BY agency_no DESC")
    assert states[0] == {"status": "ended"}


async def test_a_change_of_the_employers_trade_does_not_make_an_application_late(
    world: World,
) -> None:
    """The list of June, drawn up on the 30th, moves the persons to another trade. It does not say
    that they are there on that day: who left on the 5th left."""
    await world.push("employers", [employer(1)], period="2008-04")
    await world.push("insured-persons", [person(1, 1)], period="2008-04")
    applied = person_application(2, employer_no=1, effective_on="2008-05-02")
    await world.push("person-applications", [applied])
    await world.push("employers", [employer(1, industry="52")], period="2008-06")
    left = {"reason": "ended", "effective_on": "2008-06-05"}
    await world.push(
        "person-applications",
        [person_application(1, "leave", **left), person_application(2, "leave", **left)],
    )
    rows = await world.rows("SELECT status, effective_on::text AS since FROM persons")
    assert rows == [{"status": "ended", "since": "2008-06-05"}] * 2
    for subject, since in (("P000000001", "2008-04-30"), ("P000000002", "2008-05-02")):
        assert await spells(world, subject) == [
            ("active", since, "2008-06-05", "210502"),
            ("left", "2008-06-05", None, "210502"),
        ]


async def test_as_known_now_the_last_day_is_what_the_register_says(world: World) -> None:
    await world.push("employers", [employer(1), employer(2, unit="210503")])
    await world.push("insured-persons", [person(n, 1 + n % 2) for n in range(6)], period="2008-04")
    await world.push(
        "person-applications",
        [
            person_application(0, employer_no=2, unit="210503"),
            person_application(1, "leave", reason="suspended"),
            person_application(2, "leave", reason="ended"),
            person_application(2, application_no="again", effective_on="2008-06-09"),
            person_application(9),
            person_application(9, "leave", reason="retired", effective_on="2008-06-07"),
        ],
    )
    far = "2009-12-31"
    rows = {row["person_id"]: row for row in await listed(world, "/register/persons", as_of=far)}
    kept = await world.rows("SELECT person_id, status, unit, employer_id FROM persons")
    assert {row["person_id"] for row in kept} == set(rows)
    for row in kept:
        assert {name: rows[row["person_id"]][name] for name in row} == row
    active = await world.rows("SELECT employer_id, active_count FROM register_employers")
    for row in active:
        one = await counted(world, as_of=far, employer_id=row["employer_id"])
        assert one["total"]["statuses"].get("active", 0) == row["active_count"]


@pytest.mark.parametrize("of", ["persons", "employers"])
async def test_every_count_is_the_length_of_its_list(world: World, of: str) -> None:
    await world.push(
        "employers",
        [
            employer(1),
            employer(2, unit="210503", in_township=True, industry="52"),
            employer(3, reg_type="410"),
        ],
    )
    people = [person(n, 1 + n % 2, unit=("210502", "210503")[n % 2]) for n in range(7)]
    people += [
        person(7, status="retired"),
        person(8, status="ended"),
        person(9, 1, worker_class="out-of-town"),
    ]
    await world.push("insured-persons", people)
    await world.push("person-applications", [person_application(1, "leave", reason="suspended")])
    await world.push("employer-applications", [employer_application(3, "leave")])
    segments = {
        "persons": ("unit", "worker-class", "ownership", "trade", "segment"),
        "employers": ("unit", "township", "ownership", "trade", "segment"),
    }
    for day in ("2008-05-31", "2008-06-30"):
        whole = len(await listed(world, f"/register/{of}", as_of=day))
        assert whole == {"persons": 10, "employers": 3}[of]
        for by in segments[of]:
            found = await counted(world, of=of, by=by, as_of=day)
            assert sum(row["count"] for row in found["rows"]) == found["total"]["count"] == whole
            for row in (*found["rows"], found["total"]):
                target = urlsplit(row["members"].removeprefix("/enrollment/v1"))
                members = await listed(world, target.path, **dict(parse_qsl(target.query)))
                assert len(members) == row["count"]
                for status, count in row["statuses"].items():
                    assert sum(one["status"] == status for one in members) == count
    if of == "persons":
        total = (await counted(world, as_of="2008-06-30"))["total"]["measures"]
        for measure in ("insured-total", "insured-active"):
            rows = await listed(world, "/register/persons", measure=measure, as_of="2008-06-30")
            assert len(rows) == total[measure]
        assert total == {"insured-total": 9, "insured-active": 8}


async def test_transfers_are_taken_in_and_go_on(world: World) -> None:
    """Over age, long gone or insured elsewhere: a transfer in is applied (O81, O82)."""
    await world.push("insured-persons", [person(1), person(2)], period="2008-04")
    other: dict[str, Any] = {"other_place": "210102", "effective_on": "2008-06-05"}
    sent = await world.push(
        "person-applications",
        [
            person_application(1, "transfer-out", reason=None, application_no="A", **other),
            person_application(
                1,
                "transfer-in",
                reason=None,
                application_no="B",
                worker_class="flexible",
                other_place="210102",
                effective_on="2008-06-08",
            ),
            person_application(
                3, "transfer-in", reason=None, worker_class="out-of-town", other_place="370102"
            ),
            person_application(4, "transfer-in", reason=None, worker_class="flexible"),
            person_application(2, "transfer-out", reason=None, other_place="210521"),
            person_application(5, other_place="210102"),
            person_application(6, "transfer-in", worker_class="flexible", other_place="990102"),
            person_application(7, "transfer-out", reason=None, other_place="210102"),
        ],
    )
    assert await world.problems(sent) == {
        4: ["field-missing"],
        5: ["transfer-within-city"],
        6: ["place-without-transfer"],
        7: ["code-unknown"],
        8: ["person-unknown"],
    }
    assert await spells(world, "P000000001") == [
        ("active", "2008-04-30", "2008-06-05", "210502"),
        ("transferred-out", "2008-06-05", "2008-06-08", "210502"),
        ("transferred-in", "2008-06-08", None, "210502"),
    ]
    rows = await world.rows("SELECT enrolled_on::text AS since FROM persons ORDER BY person_id")
    assert [row["since"] for row in rows] == ["1998-07-01", "1998-07-01", "2008-06-05"]
    transfers = await listed(world, "/register/transfers")
    assert [(one["application_no"], one["case"]) for one in transfers] == [
        ("A", "continued"),
        ("B", "continued"),
        ("PA-3-transfer-in", "single-procedure"),
    ]
    assert len(await listed(world, "/register/transfers", within_province=False)) == 1


async def test_what_becomes_of_doubtful_persons(world: World) -> None:
    """Over age is a finding and no ground to refuse; someone with two employers moves; the dead
    are not enrolled; both forms of a number are one person."""
    await world.push("employers", [employer(1), employer(2)])
    await world.push("insured-persons", [person(1, 1), person(2, 1)], period="2008-04")
    old, number = identity(3, date(1931, 1, 1)), identity(1)
    sent = await world.push(
        "person-applications",
        [
            person_application(3, identity_no=old),
            person_application(1, employer_no=2, identity_no=number[:6] + number[8:17]),
            person_application(2, "leave", reason="died"),
            person_application(2, employer_no=2),
            person_application(2, "transfer-in", worker_class="flexible", other_place="210102")
            | {"reason": None},
        ],
    )
    assert await world.problems(sent) == {4: ["person-died"], 5: ["person-died"]}
    by_employer = await counted(world, as_of="2008-06-30", by="worker-class")
    assert by_employer["total"]["statuses"] == {"active": 2, "ended": 1}
    at_first = await counted(world, as_of="2008-06-30", employer_id="E000000001")
    at_second = await counted(world, as_of="2008-06-30", employer_id="E000000002")
    assert [one["total"]["measures"]["insured-active"] for one in (at_first, at_second)] == [0, 1]
    # Reported dead by mistake: the correction brings the person back, and then may move.
    alive = person_application(2, "leave", reason="suspended")
    await world.push("person-applications", [alive, person_application(2, employer_no=2)])
    assert (await counted(world, as_of="2008-06-30"))["total"]["statuses"] == {"active": 3}


async def test_a_unit_counts_and_lists_its_own(world: World) -> None:
    await world.push("insured-persons", [person(1), person(2, unit="210503")])
    own = ("unit", ["210503"])
    assert (await world.get("/register/counts", *own)).json()["total"]["count"] == 1
    (row,) = (await world.get("/register/persons", *own)).json()["items"]
    assert row["unit"] == "210503"
    for path in ("/register/counts", "/register/persons"):
        answer = await world.get(path, *own, unit="210502")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden-unit")
    answer = await world.get("/register/persons/P000000001/spells", *own)
    assert answer.json()["code"] == "forbidden-unit"
    answer = await world.get("/register/persons/P000000099/spells")
    assert answer.json()["code"] == "not-found"
    assert (await world.get("/register/persons", "tax")).status_code == 403
    for query in ({"by": "township"}, {"known_at": "2008-06-10T12:00:00"}):
        answer = await world.get("/register/counts", **query)
        assert (answer.status_code, answer.json()["code"]) == (422, "parameter-invalid"), query


async def test_an_installation_from_before_has_a_spell_for_everybody(
    enrollment_url: str, world: World
) -> None:
    """What stands is each subject's spell: nothing has to be made for it."""
    await world.push("employers", [employer(1)])
    await world.push("insured-persons", [person(1, 1)], period="2008-04")
    with psycopg.connect(enrollment_url, autocommit=True) as before:
        for table in ("persons", "register_employers"):  # as the migration leaves them
            before.execute(f"UPDATE {table} SET entry = NULL")
    assert await spells(world, "P000000001") == [("active", "2008-04-30", None, "210502")]
    found = await counted(world, of="employers", as_of="2008-05-31")
    assert found["total"]["statuses"] == {"enrolled": 1}
