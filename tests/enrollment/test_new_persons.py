"""The quick way for persons nobody knows comes to what the ordinary way comes to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from enrollment.app import SERVICE
from enrollment.register.intake.judging import unsealed
from enrollment.register.intake.new_persons import begin, read_ahead
from enrollment.register.rules import Place
from enrollment.register.store.persons import take_numbers
from shared.clock import FixedClock
from shared.deliveries.feed import ApplyContext, DeliveryInfo
from shared.deliveries.judge import PART_RECORDS
from shared.events import Fact
from shared.events.enrollment import LeadOpened, PersonEnrolled
from shared.service import Service
from tests.conftest import PostgresForTests
from tests.enrollment.conftest import World, opened
from tests.enrollment.records import (
    agency_no,
    at,
    employer,
    foreigner,
    found,
    headcount,
    org_code,
    person,
    person_application,
)

PLAIN = replace(SERVICE, feeds=tuple(replace(feed, fresh=None) for feed in SERVICE.feeds))
COUNT = 2 * PART_RECORDS + 100
CHUNK = 2 * COUNT
FEED = "insured-persons"


Opening = Callable[[Service], AbstractAsyncContextManager[World]]


@pytest.fixture
def opening(
    postgres: PostgresForTests, enrollment_template: str, tmp_path: Path, clock: FixedClock
) -> Opening:
    """Opens a service on a database of its own."""

    def of(service: Service) -> AbstractAsyncContextManager[World]:
        return opened(postgres.fresh_database(enrollment_template), tmp_path, clock, service, CHUNK)

    return of


@pytest.fixture
async def quick(opening: Opening) -> AsyncIterator[World]:
    async with opening(SERVICE) as world:
        yield world


async def prepare(world: World) -> None:
    """Twelve employers; of the first two the tax office and the census miss people."""
    world.runtime.clock.set(at(10, 4))  # type: ignore[attr-defined]
    await world.push("employers", [employer(n) for n in range(1, 13)])
    await world.hear([headcount(1, 9, 2), headcount(2, 400, 0)])
    works = {"employer_name": "本溪第3厂", "org_code": org_code(3)}
    census = [found(5_001), found(5_002), found(5_003, **works)]
    await world.push("census-persons", census)
    await world.push("person-applications", [person_application(5_500), person_application(5_501)])


def long_list() -> list[dict[str, Any]]:
    """Every third with an employer, some retired, suspended, ended or refused, not in the order of
    their keys."""
    statuses = {40: "retired", 50: "suspended", 60: "ended"}
    records = [
        person(n, 1 + n % 12 if n % 3 else None, status=statuses.get(n % 100, "active"))
        for n in range(COUNT)
    ]
    for n in range(0, COUNT, 150):
        records[n]["unit"] = "999999"
    return records[::-1]


LISTS: dict[str, list[dict[str, Any]]] = {
    "new persons": long_list(),
    "the same again": long_list(),
    "known ones among new ones": [
        person(2_000),
        person(7, 2),
        person(8, name="钱改名"),
        person(9, status="suspended"),
        person(11, enrolled_on="1999-01-01"),
    ],
    "nothing but new ones after that": [person(2_010, 1), person(2_011), person(2_012, 1)],
    "one with an employer not in the register": [person(2_020, 99), person(2_021, 98)],
    "nobody held": [person(2_030), foreigner(1, person(2_031))],
    "one the census had found": [person(5_001), person(2_040)],
    "new ones while that is remembered": [person(2_050, 3), person(2_051)],
    "again, quickly": [person(2_060, 3), person(2_061, status="suspended")],
    "one at the employer the census named": [person(5_003, 3), person(2_070, 3)],
    "one applied for": [person(5_500), person(2_080)],
    "one twice, the second told otherwise": [
        person(2_090),
        person(2_091),
        person(2_090, status="retired"),
    ],
    "nobody acceptable": [person(2_100, unit="999999")],
}
LATER: dict[str, list[dict[str, Any]]] = {
    "a month later": [person(2_011, 4), person(3_000, 5), person(2_061)],
}


async def tell(world: World, wait: int) -> dict[str, list[Any]]:
    """Everything, in order; the receipts."""
    await prepare(world)
    receipts = {}
    for name, records in LISTS.items():
        receipts[name] = (await world.push(FEED, records, wait=wait))["delivery"]
    await world.push("employers", [employer(99)])
    for name, records in LATER.items():
        pushed = await world.push(FEED, records, period="2008-06", wait=wait)
        receipts[name] = pushed["delivery"]
    told = ("sent", "applied", "duplicate", "rejected", "held", "problems", "first_problems")
    found = {}
    for name, delivery in receipts.items():
        receipt = (await world.delivery(delivery))["receipt"]
        found[name] = [receipt.get(what) for what in told]
    return found


STATE = (
    "SELECT * FROM persons ORDER BY person_key",
    "SELECT * FROM person_events ORDER BY person_key, subject, revision",
    "SELECT * FROM leads ORDER BY lead_id",
    "SELECT * FROM register_employers ORDER BY agency_no",
    "SELECT * FROM employers ORDER BY employer_id",
    "SELECT person_id, from_on, to_on, known_from, known_to, status FROM person_spells ORDER BY id",
    "SELECT person_key, name_before, name_told FROM person_names ORDER BY 1, 2, 3",
    "SELECT feed, natural_key, revision, delivery_id, record_no, superseded_by_delivery,"
    " superseded_by_no, encode(content_hash, 'hex') FROM superseded_versions ORDER BY id",
    "SELECT d.seq, encode(c.dispositions, 'hex') FROM delivery_chunks AS c"
    " JOIN deliveries AS d ON d.id = c.delivery_id ORDER BY d.seq, c.chunk_no",
    "SELECT delivery_id, no, problems FROM record_problems ORDER BY delivery_id, no",
    "SELECT delivery_id, no, waiting_for, resolved_at FROM held_records",
)


async def left_by(world: World) -> list[list[str]]:
    """State and facts; deliveries by their order, persons by their keys, what is sealed open."""
    names = {
        str(row["id"]): f"delivery {row['seq']}"
        for row in await world.rows("SELECT id, seq FROM deliveries")
    }
    for row in await world.rows("SELECT person_id, person_key FROM persons"):
        names[row["person_id"]] = row["person_key"]

    def plain(value: Any) -> str:
        text = str(value)
        for known, name in names.items():
            if known in text:
                text = text.replace(known, name)
        return text

    def opened_up(row: dict[str, Any]) -> dict[str, Any]:
        if "sealed" in row:
            key = row["person_key"]
            row = {**row, "sealed": unsealed(row["sealed"], key, world.runtime.secrecy)}
        return row

    tables = [
        sorted(plain(opened_up(row)) for row in await world.rows(statement)) for statement in STATE
    ]
    return [*tables, sorted(plain(fact) for fact in await world.facts(Fact))]


async def test_both_ways_leave_the_same(quick: World, opening: Opening) -> None:
    """In their turn, and while the sender waits."""
    async with opening(SERVICE) as at_once, opening(PLAIN) as plain:
        at_once.runtime.at_work.worker = at_once.worker
        receipts = await tell(plain, 0)
        assert await tell(quick, 0) == receipts
        assert await tell(at_once, 30) == receipts
        expected = await left_by(plain)
        for world in (quick, at_once):
            for one, other in zip(await left_by(world), expected, strict=True):
                assert one == other


async def test_what_is_new_goes_the_quick_way(quick: World) -> None:
    """In parts, each with a block of facts; the leads that follow have their own, and so has the
    delivery. One that others have told of sends its chunk the ordinary way, which writes one."""
    await prepare(quick)
    expected = {
        "new persons": 4,
        "nothing but new ones after that": 3,
        "one the census had found": 2,
    }
    found = {}
    for name in expected:
        before = len(await quick.rows("SELECT FROM outbox_blocks"))
        await quick.push(FEED, LISTS[name])
        found[name] = len(await quick.rows("SELECT FROM outbox_blocks")) - before
    assert found == expected
    people = await quick.facts(PersonEnrolled)
    assert len({fact.person_id for fact in people}) == len(people)
    assert await quick.facts(LeadOpened)


async def test_an_employer_who_changed_meanwhile_is_read_again(quick: World) -> None:
    """What was read before the judging is compared under the register's lock."""
    await prepare(quick)
    info = DeliveryInfo("", FEED, "agency", None, "2008-05", at(10))
    feed = next(feed for feed in SERVICE.feeds if feed.name == FEED)
    text = f'{{"agency_no": "{agency_no(1)}"}}\n{{"agency_no":"{agency_no(99)}"}}'.encode()
    async with quick.runtime.database.transaction() as conn:
        ctx = ApplyContext(conn, quick.runtime, info, feed, at(10))
        ahead = await read_ahead(conn, range(7, 9), text)
        assert ahead.first_no == 7
        assert len(ahead.numbers) == 2
        assert ahead.places.keys() == {agency_no(1)}
        assert await begin(ctx, ahead)
        changed = ahead.places[agency_no(1)]._replace(trade="transport")
        assert not await begin(ctx, ahead._replace(places={agency_no(1): changed}))
        gone = {**ahead.places, agency_no(99): Place("E000000099", "none", "none")}
        assert not await begin(ctx, ahead._replace(places=gone))


async def test_numbers_need_not_follow_one_another(quick: World) -> None:
    """Somebody else may take some meanwhile."""
    async with quick.runtime.database.transaction() as conn:
        first = await take_numbers(conn, 3)
        assert list(first) == list(range(first[0], first[0] + 3))
        await conn.execute(sa.text("ALTER SEQUENCE person_numbers INCREMENT BY 5"))
        others = await take_numbers(conn, 3)
        assert [one - others[0] for one in others] == [0, 5, 10]
        assert len(await take_numbers(conn, 1)) == 1
