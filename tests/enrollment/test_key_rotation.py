"""A new encryption key, everything rewritten with it while it serves, the old one dropped."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import httpx
import psycopg
import pytest

from enrollment.app import SERVICE
from shared.application import create_app
from shared.crypto import Secrecy, SecrecyError
from shared.database import plain_url
from shared.reencrypt import count_versions, reencrypt, sealed_columns
from tests.enrollment.conftest import World
from tests.enrollment.records import (
    UNIT,
    complaint,
    employer,
    found,
    identity,
    person,
    person_application,
)
from tests.tables.made import csv_of, rows_of

OLD, NEW = b"k" * 32, b"n" * 32
HASH = {1: b"k" * 32}
BOTH = Secrecy({1: OLD, 2: NEW}, HASH)
PEOPLE = 25
APPLICATIONS = "/register/applications"


@pytest.fixture
async def filled(world: World) -> World:
    await world.push("employers", [employer(1)])
    await world.push("insured-persons", [person(no, 1) for no in range(1, PEOPLE + 1)])
    await world.push("insured-persons", [{**person(1, 1), "name": "钱改名"}])
    await world.push("census-persons", [found(1), found(2)])
    await world.push("complaints", [complaint(1)])
    await push_table(world)
    made = await world.http.post(
        APPLICATIONS,
        json={"feed": "person-applications", "record": person_application(99)},
        headers=world.headers("agency"),
    )
    assert made.status_code == 201, made.text
    return world


async def push_table(world: World) -> None:
    """An employer in a table: its bytes and what was repaired are kept beside its record."""
    feed = next(one for one in SERVICE.feeds if one.name == "employers")
    answer = await world.http.post(
        "/feeds/employers/deliveries",
        content=csv_of(rows_of(feed, [employer(2)], world.runtime.plan), "gb18030"),
        params={"period": "2008-05", "wait": 0},
        headers={
            "Content-Type": "text/csv",
            "Idempotency-Key": "table",
            **world.headers("agency"),
        },
    )
    assert answer.status_code == 202, answer.text
    await world.worker.drain()


def with_keys(world: World, secrecy: Secrecy) -> World:
    """The same database served by a process that has other keys."""
    runtime = replace(world.runtime, secrecy=secrecy)
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(SERVICE, runtime, roles=())),
        base_url=world.http.base_url,
    )
    return World(runtime, http, world.issuer)


async def versions(world: World) -> dict[str, dict[int, int]]:
    database = world.runtime.database
    return {
        column.name: await count_versions(database, column) for column in sealed_columns(SERVICE)
    }


async def readable(world: World) -> None:
    """Every raw body and every person can be read through the API."""
    deliveries = (await world.get("/deliveries", "agency")).json()["items"]
    assert len(deliveries) >= 2
    for delivery in deliveries:
        body = await world.get(f"/deliveries/{delivery['delivery']}/content", "agency")
        assert body.status_code == 200, body.text
        assert hashlib.sha256(body.content).hexdigest() == delivery["body"]["sha256"]
    numbers = set()
    for row in await world.rows("SELECT person_id FROM persons"):
        shown = await world.get(f"/persons/{row['person_id']}", purpose="核对")
        assert shown.status_code == 200, shown.text
        numbers.add(shown.json()["identity_no"])
    for n in (1, 2):
        met = await world.get(f"/census/persons/{UNIT}.PR-{n}", purpose="核对")
        assert met.json()["identity_no"] == identity(n)[:6] + "*" * 10 + identity(n)[-2:]
    (one,) = (await world.get(APPLICATIONS)).json()["items"]
    made = await world.get(f"{APPLICATIONS}/{one['application_id']}")
    assert made.json()["record"]["unit"] == UNIT
    path = "/complaints/agency.XF-1/content"
    written = await world.get(path, "labour-inspection", purpose="核对")
    assert written.json()["informant_name"] == complaint(1)["informant_name"]
    assert numbers == {identity(n)[:6] + "*" * 10 + identity(n)[-2:] for n in range(1, PEOPLE + 1)}


async def test_after_rewriting_the_old_key_is_not_needed(filled: World) -> None:
    before = await versions(filled)
    assert [set(held) for held in before.values()] == [{1}] * 9
    done = await reencrypt(filled.runtime.database, SERVICE, BOTH)
    assert [(one.column, one.rewritten) for one in done] == [
        ("delivery_segments.body", before["delivery_segments.body"][1]),
        ("delivery_originals.body", 1),
        ("delivery_notes.body", 1),
        ("persons.sealed", PEOPLE),
        ("person_names.sealed_before", 1),
        ("person_names.sealed_told", 1),
        ("census_persons.sealed", 2),
        ("complaints.sealed", 1),
        ("officer_applications.sealed", 1),
    ]
    assert all(set(one.versions) == {2} and one.older_than(2) == 0 for one in done)
    await readable(with_keys(filled, Secrecy({2: NEW}, HASH)))
    again = await reencrypt(filled.runtime.database, SERVICE, BOTH)
    assert [one.rewritten for one in again] == [0] * 9


async def test_an_interrupted_run_is_begun_again(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.reencrypt.ROWS_AT_ONCE", 4)

    def interrupt(done: int, total: int) -> None:
        if done > 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await reencrypt(filled.runtime.database, SERVICE, BOTH, interrupt)
    held = await versions(filled)
    assert held["persons.sealed"][1] > 0 < held["persons.sealed"][2]
    await readable(with_keys(filled, BOTH))
    done = await reencrypt(filled.runtime.database, SERVICE, BOTH)
    assert [set(one.versions) for one in done] == [{2}] * 9
    await readable(with_keys(filled, Secrecy({2: NEW}, HASH)))


async def test_what_an_old_process_writes_meanwhile_is_kept_and_told(
    filled: World, monkeypatch: pytest.MonkeyPatch, enrollment_url: str
) -> None:
    """Between reading a value and rewriting it, a process without the new key changes it."""
    (persons,) = (one for one in SERVICE.sealed if one.table == "persons")
    (first,) = await filled.rows("SELECT min(person_key) AS key FROM persons")
    theirs = Secrecy({1: OLD}, HASH).encrypt(b"theirs", persons.place(first["key"]))

    def place(key: str) -> bytes:
        if key == first["key"]:
            with psycopg.connect(plain_url(enrollment_url), autocommit=True) as other:
                other.execute("UPDATE persons SET sealed = %s WHERE person_key = %s", (theirs, key))
        return persons.place(key)

    monkeypatch.setattr(
        "shared.reencrypt.sealed_columns", lambda _: (replace(persons, place=place),)
    )
    (done,) = await reencrypt(filled.runtime.database, SERVICE, BOTH)
    assert done.rewritten == PEOPLE - 1
    assert done.versions == {1: 1, 2: PEOPLE - 1}
    assert done.older_than(2) == 1
    (kept,) = await filled.rows("SELECT sealed FROM persons WHERE person_key = :key", **first)
    assert bytes(kept["sealed"]) == theirs


async def test_a_value_no_key_opens_is_an_error(filled: World) -> None:
    with pytest.raises(SecrecyError, match="version 1, which is not configured"):
        await reencrypt(filled.runtime.database, SERVICE, Secrecy({2: NEW}, HASH))
