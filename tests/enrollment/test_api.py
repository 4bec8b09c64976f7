"""The HTTP door: employers, persons, leads, each only to whom it concerns."""

from __future__ import annotations

from typing import Any

import pytest

from shared import migrate
from tests.conftest import PostgresForTests
from tests.enrollment.conftest import World
from tests.enrollment.records import (
    agency_no,
    employer,
    headcount,
    identity,
    licence,
    org_code,
    person,
    registered,
)


@pytest.fixture
async def filled(world: World) -> World:
    await world.push("employers", [employer(1), employer(2, unit="210503")])
    await world.push("insured-persons", [person(1, 1), person(2, unit="210503")])
    await world.hear([registered(3), headcount(1, 5, 1), headcount(2, 5, 0, unit="210503")])
    return world


async def _items(world: World, path: str, *who: Any, **query: Any) -> list[dict[str, Any]]:
    answer = await world.get(path, *who, **query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_employers_are_found_by_number_name_and_unit(filled: World) -> None:
    async def found(**query: Any) -> list[str]:
        return [row["name"] for row in await _items(filled, "/employers", **query)]

    assert await found() == ["本溪第1厂", "本溪第2厂", "本溪第3厂"]
    assert await found(key=org_code(1)) == ["本溪第1厂"]
    assert await found(key=f"lic:{licence(3)}") == ["本溪第3厂"]
    assert await found(key=agency_no(2)) == ["本溪第2厂"]
    assert await found(unit="210503") == ["本溪第2厂"]
    assert await found(q="第3") == ["本溪第3厂"]


async def test_an_employer_with_all_there_is(filled: World) -> None:
    (row,) = await _items(filled, "/employers", key=org_code(1))
    answer = await filled.get(f"/employers/{row['employer_id']}")
    employer_shown = answer.json()
    assert employer_shown["register_entry"]["active_count"] == 1
    assert {link["rule"] for link in employer_shown["links"]} == {"register"}
    (lead,) = employer_shown["leads"]
    assert (lead["kind"], lead["gap"]) == ("not-fully-enrolled", 4)
    missing = await filled.get("/employers/E999999999")
    assert (missing.status_code, missing.json()["code"]) == (404, "not-found")


async def test_a_unit_sees_its_own(filled: World) -> None:
    own = ("unit", ["210503"])
    assert [row["unit"] for row in await _items(filled, "/employers", *own)] == ["210503"]
    assert [row["unit"] for row in await _items(filled, "/leads", *own)] == ["210503"]
    other = await filled.get("/leads", *own, unit="210502")
    assert (other.status_code, other.json()["code"]) == (403, "forbidden-unit")
    for path in ("/employers", "/leads"):
        (row, *_) = await _items(filled, path, unit="210502")
        answer = await filled.get(f"{path}/{row.get('lead_id') or row['employer_id']}", *own)
        assert answer.status_code == 403
    person_id = (await filled.rows("SELECT person_id FROM persons WHERE unit = '210502'"))[0]
    answer = await filled.get(f"/persons/{person_id['person_id']}", *own, purpose="核对")
    assert answer.status_code == 403


async def test_a_department_that_feeds_us_sees_what_became_of_its_records(filled: World) -> None:
    assert len(await _items(filled, "/leads", "tax")) == 2
    (lead,) = await _items(filled, "/leads", "industry-commerce")
    assert lead["sources"] == ["business-licences"]
    (other,) = await _items(filled, "/leads", "tax", unit="210503")
    answer = await filled.get(f"/leads/{other['lead_id']}", "industry-commerce")
    assert answer.status_code == 404


async def test_leads_are_filtered_and_paged(filled: World) -> None:
    assert len(await _items(filled, "/leads", kind="not-fully-enrolled")) == 2
    assert len(await _items(filled, "/leads", status="standing", source="employer-checks")) == 2
    assert await _items(filled, "/leads", status="closed") == []
    first = await filled.get("/leads", limit=2)
    assert len(first.json()["items"]) == 2
    assert 'rel="next"' in first.headers["link"]
    answer = await filled.http.get(
        f"http://test{first.json()['next']}", headers=filled.headers("agency")
    )
    assert (len(answer.json()["items"]), answer.json()["next"]) == (1, None)


async def test_a_lead_names_delivery_and_record(filled: World) -> None:
    (lead,) = await _items(filled, "/leads", source="business-licences")
    shown = (await filled.get(f"/leads/{lead['lead_id']}")).json()
    (record,) = shown["records"]
    fact = registered(3)
    assert (record["subject"], record["delivery_id"], record["record_no"]) == (
        fact.subject,
        fact.delivery_id,
        fact.record_no,
    )


async def test_a_person_is_shown_masked_for_a_purpose_and_logged(filled: World) -> None:
    (row,) = await filled.rows("SELECT person_id FROM persons WHERE unit = '210502'")
    path = f"/persons/{row['person_id']}"
    refused = await filled.get(path)
    assert (refused.status_code, refused.json()["code"]) == (422, "parameter-invalid")
    assert (await filled.get(path, "tax", purpose="核对")).status_code == 403

    shown = (await filled.get(path, purpose="待遇核对")).json()
    assert shown["identity_no"] == identity(1)[:6] + "*" * 10 + identity(1)[-2:]
    assert shown["name"] == "赵*"
    assert "sealed" not in shown

    accesses = (await filled.get(f"{path}/accesses", "auditor")).json()
    assert [(one["department"], one["purpose"]) for one in accesses] == [("agency", "待遇核对")]


async def test_migrations_and_models_say_the_same(world: World, postgres: PostgresForTests) -> None:
    url = postgres.fresh_database()
    await migrate.upgrade(url, world.runtime.service.migrations)
    assert migrate.differences(url, world.runtime.service.metadata) == []
