"""The golden record through the real app: who said what, who contradicts, what undoes it."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from enrollment.register.store.employers import list_employers
from shared.database import raw
from shared.events.registration_feed import EnterpriseChanged, EnterpriseDeregistered
from shared.events.tax_feed import TaxRegistered
from tests.enrollment.conftest import World
from tests.enrollment.records import (
    UNIT,
    at,
    complaint,
    delivery,
    employer,
    headcount,
    licence,
    org_code,
    person,
    place,
    registered,
)

OTHER = "210503"


def taxed(n: int, day: int = 3, **more: Any) -> TaxRegistered:
    given: dict[str, Any] = {
        "key": f"oc:{org_code(n)}",
        "subject": f"tax-registration:oc:{org_code(n)}",
        "revision": 1,
        "delivery_id": delivery(200 + day),
        "record_no": n,
        "recorded_at": at(day),
        "feed": "tax-registrations",
        "name": f"本溪第{n}厂",
        "unit": UNIT,
        "org_code": org_code(n),
        "registered_on": date(2008, 5, 12),
        "effective_on": date(2008, 5, 12),
    }
    return TaxRegistered(**{**given, **more})


async def id_of(world: World, n: int) -> str:
    answer = await world.get("/employers", key=f"oc:{org_code(n)}")
    found: str = answer.json()["items"][0]["employer_id"]
    return found


async def record_of(world: World, n: int) -> dict[str, Any]:
    answer = await world.get(f"/employers/{await id_of(world, n)}/record")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def believed(record: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Field → value and who says so."""
    return {
        field["field"]: (field["believed"]["value"], field["believed"]["department"])
        for field in record["fields"]
    }


def kinds(record: dict[str, Any], status: str = "open") -> list[str]:
    return sorted(one["kind"] for one in record["conflicts"] if one["status"] == status)


async def conflicts(world: World, *who: Any, **query: Any) -> list[dict[str, Any]]:
    answer = await world.get("/employers/conflicts", *who, limit=1000, **query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_firm_as_four_departments_tell_of_it(world: World) -> None:
    address, moved = "平山区解放路1号", "明山区平山路2号"
    await world.hear([registered(1, reg_type="110", industry="67", address=address)])
    record = await record_of(world, 1)
    assert believed(record)["name"] == ("本溪第1厂", "industry-commerce")
    assert (record["conflicts"], len(record["sources"])) == ([], 1)

    await world.hear([taxed(1, reg_type="171", industry="67", address=moved, unit=OTHER)])
    await world.hear([headcount(1, 9, 9)])
    record = await record_of(world, 1)
    assert believed(record)["address"] == (address, "industry-commerce")
    assert believed(record)["headcount"] == ("9", "tax")
    assert kinds(record) == ["address-differs", "private-firm-differs", "unit-differs"]
    unit = next(field for field in record["fields"] if field["field"] == "unit")
    assert unit["differs"] and {word["value"] for word in unit["others"]} == {UNIT, OTHER}

    # The register goes before all: the firm goes by its name and unit everywhere, and what it was
    # called before is not forgotten.
    await world.push("employers", [employer(1, name="本溪甲厂", unit=OTHER, reg_type="110")])
    record = await record_of(world, 1)
    assert (record["name"], record["unit"]) == ("本溪甲厂", OTHER)
    name = next(field for field in record["fields"] if field["field"] == "name")
    assert name["believed"]["department"] == "agency"
    assert [(was["value"], was["subject"]) for was in name["history"]] == [
        ("本溪第1厂", f"licence:{licence(1)}")
    ]
    assert "name-differs" in kinds(record)
    listed = (await world.get("/employers", q="溪甲")).json()["items"]
    assert [row["name"] for row in listed] == ["本溪甲厂"]
    assert (await world.get("/employers", q="第1厂")).json()["items"] == []
    assert {one["unit"] for one in await conflicts(world)} == {OTHER}

    # The tax office corrects itself; the last say of the licence agrees with everybody.
    right: dict[str, Any] = {"name": "本溪甲厂", "unit": OTHER, "address": moved}
    right |= {"reg_type": "110", "industry": "67"}
    await world.hear([taxed(1, revision=2, **right)])
    await world.hear([registered(1, 5, what=EnterpriseChanged, revision=2, **right)])
    await world.hear([headcount(1, 9, 9, revision=2, name="本溪甲厂", unit=OTHER)])
    record = await record_of(world, 1)
    assert kinds(record) == []
    assert set(kinds(record, "gone")) >= {"address-differs", "unit-differs", "name-differs"}


async def test_revision_decides_and_what_is_taken_back_says_nothing(world: World) -> None:
    await world.hear(
        [registered(1, 5, what=EnterpriseChanged, revision=2, name="后来的名", address="新址")]
    )
    await world.hear([registered(1, address="旧址")])
    record = await record_of(world, 1)
    assert record["name"] == "后来的名"
    assert believed(record)["address"][0] == "新址"

    await world.hear([taxed(1, name="税务的名", address="别处")])
    assert kinds(await record_of(world, 1)) == ["address-differs", "name-differs"]
    gone = registered(1, 6, what=EnterpriseDeregistered, revision=3, withdrawn=True)
    await world.hear([gone])
    record = await record_of(world, 1)
    assert record["name"] == "税务的名"
    assert kinds(record) == []
    assert {one["status"] for one in record["sources"]} == {"withdrawn", "standing"}
    # Told before it was taken back, and heard after.
    await world.hear([registered(1, 5, what=EnterpriseChanged, revision=2, name="后来的名")])
    assert (await record_of(world, 1))["name"] == "税务的名"

    # A subject that turns out to be about another firm leaves the one it was about.
    await world.hear([registered(2, 7, subject=f"licence:{licence(1)}", revision=4)])
    assert [one["feed"] for one in (await record_of(world, 1))["sources"]] == ["tax-registrations"]


async def test_struck_off_with_people_still_insured(world: World) -> None:
    await world.push("employers", [employer(1)])
    await world.hear([registered(1), registered(1, 4, what=EnterpriseDeregistered, revision=2)])
    assert kinds(await record_of(world, 1)) == ["struck-off-elsewhere"]
    await world.push("insured-persons", [person(1, 1)])
    assert kinds(await record_of(world, 1)) == ["deregistered-with-insured", "struck-off-elsewhere"]
    await world.push("insured-persons", [person(1, 1, status="retired")], period="2008-06")
    record = await record_of(world, 1)
    assert kinds(record, "gone") == ["deregistered-with-insured"]


async def test_two_codes_on_one_row_name_the_other_firm(world: World) -> None:
    await world.hear([registered(1), registered(2)])
    await world.hear([taxed(1, licence_no=licence(2))])
    (conflict,) = await conflicts(world)
    assert (conflict["kind"], conflict["employer_id"]) == ("two-codes", await id_of(world, 1))
    assert {"source": "link", "value": f"lic:{licence(2)}", "subject": await id_of(world, 2)} in (
        conflict["evidence"]
    )


async def test_the_census_and_complaints_are_sources_too(world: World) -> None:
    # Nobody is known by the number yet: the place waits for whoever will be.
    await world.push(
        "census-units",
        [place(1, name="普查的名", org_code=org_code(1)), place(2, name="无号")],
        department="unit",
        units=[UNIT],
    )
    assert (await world.get("/employers", key=f"oc:{org_code(1)}")).json()["items"] == []
    await world.push("complaints", [complaint(1)], department="group-body")
    record = await record_of(world, 1)
    assert [one["feed"] for one in record["sources"]] == ["census-units", "complaints"]
    assert record["name"] == "普查的名"  # ranked by the plan, which a complaint is not
    await world.push(
        "census-units",
        [place(1, name="普查的名", org_code=org_code(1), void=True)],
        department="unit",
        units=[UNIT],
    )
    assert (await record_of(world, 1))["name"] == "本溪第1厂"


async def test_set_aside_until_the_evidence_changes(world: World) -> None:
    await world.hear([registered(1), taxed(1, name="税务的名")])
    (conflict,) = await conflicts(world)
    path = f"/employers/conflicts/{conflict['conflict_id']}"

    async def set_aside(tag: str | None, units: list[str] | None = None) -> Any:
        headers = world.headers("unit", units or [UNIT])
        if tag is not None:
            headers["If-Match"] = tag
        said = {"reason": "营业执照已更名，身份证210502197001019805"}
        return await world.http.post(f"{path}/set-aside", json=said, headers=headers)

    tag = (await world.get(path)).headers["ETag"]
    assert (await set_aside(None)).json()["code"] == "precondition-required"
    assert (await set_aside(tag, [OTHER])).status_code == 403
    done = await set_aside(tag)
    assert (done.status_code, done.json()["status"]) == (200, "set-aside")
    assert "197001019805" not in done.json()["reason"] and done.json()["set_aside_by"] == "tester"
    assert (await set_aside(tag)).json()["code"] == "precondition-failed"
    assert (await set_aside(done.headers["ETag"])).json()["code"] == "conflict-not-open"
    assert await conflicts(world) == []

    # The same words again, by another record: still set aside. Another word: open again.
    await world.hear([taxed(1, revision=2, name="税务的名", notified_on=date(2008, 6, 2))])
    assert [one["reason"] for one in await conflicts(world, status="set-aside")] != [None]
    await world.hear([taxed(1, revision=3, name="税务的新名")])
    (again,) = await conflicts(world)
    assert (again["conflict_id"], again["reason"]) == (conflict["conflict_id"], None)


async def test_counts_are_lengths_of_lists_and_stay_within_units(world: World) -> None:
    await world.hear([registered(n, unit=UNIT if n % 2 else OTHER) for n in range(1, 6)])
    await world.hear([taxed(n, name=f"税{n}", unit=UNIT) for n in range(1, 6)])
    whole = await conflicts(world)
    counts = (await world.get("/employers/conflicts/summary")).json()
    assert {(row["unit"], row["kind"]): row["count"] for row in counts} == dict(
        Counter((one["unit"], one["kind"]) for one in whole)
    )
    assert sum(row["count"] for row in counts) == len(whole) == 7
    for row in counts:
        assert len(await conflicts(world, unit=row["unit"], kind=row["kind"])) == row["count"]
    mine = await conflicts(world, "unit", [OTHER])
    assert mine and {one["unit"] for one in mine} == {OTHER}
    refused = await world.get(f"/employers/conflicts/{whole[0]['conflict_id']}", "unit", [OTHER])
    assert refused.status_code == 403
    assert (await world.get("/employers/conflicts", "tax")).status_code == 403

    # One page after another gives the same.
    paged, url = [], "/employers/conflicts?limit=2"
    while url:
        answer = await world.http.get(
            url.removeprefix("/enrollment/v1"), headers=world.headers("agency")
        )
        paged += answer.json()["items"]
        url = answer.json()["next"]
    assert paged == whole


@pytest.mark.parametrize("asked", ["溪第77", org_code(77), licence(77)])
async def test_search_reads_an_index_and_finds(world: World, asked: str) -> None:
    await world.hear([registered(n) for n in range(70, 80)])
    found = (await world.get("/employers", q=asked)).json()["items"]
    assert [row["name"] for row in found] == ["本溪第77厂"]


async def test_search_scans_no_table_at_size(world: World) -> None:
    async with world.runtime.database.transaction() as conn:
        driver = await raw(conn)
        await driver.execute(
            "INSERT INTO employers SELECT 'X' || n, name, '210502', false, 0, now(), name, "
            "array(SELECT substr(name, at, 2) FROM generate_series(1, length(name) - 1) AS at) "
            "FROM generate_series(1, 5000) AS n, "
            "LATERAL (SELECT '本溪第' || n || '厂' AS name) AS named"
        )
        await driver.execute(
            "INSERT INTO employer_keys SELECT 'oc:X' || n, 'X' || n, 'org-code', now() "
            "FROM generate_series(1, 5000) AS n"
        )
        # As after the next vacuum: what is new lies in the index, not in its list of the pending.
        await driver.execute("SELECT gin_clean_pending_list('employers_by_name')")
        await driver.execute("ANALYZE employers, employer_keys")
        before = await _seq_scans(driver)
        rows = await list_employers(
            conn, units=None, key=None, asked="第77厂", after=None, limit=11
        )
        rows += await list_employers(conn, units=None, key="X77", asked=None, after=None, limit=11)
        rows += await list_employers(conn, units=None, key=None, asked="X78", after=None, limit=11)
        assert [row["employer_id"] for row in rows] == ["X77", "X77", "X78"]
        assert await _seq_scans(driver) == before


async def _seq_scans(driver: Any) -> dict[str, int]:
    """Table → how often this transaction has read it from end to end."""
    cursor = await driver.execute(
        "SELECT relname, seq_scan FROM pg_stat_xact_user_tables "
        "WHERE relname IN ('employers', 'employer_keys')"
    )
    return dict(await cursor.fetchall())
