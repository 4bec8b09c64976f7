"""Held records listed with what they wait for, and an officer's word on them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.shared.deliveries.conftest import Door
from tests.shared.deliveries.made_service import licence, lines


async def decide(
    door: Door, delivery: dict[str, Any], no: int, action: str, **caller: Any
) -> httpx.Response:
    return await door.http.post(
        f"/deliveries/{delivery['delivery']}/records/{no}/resolution",
        json={"action": action, "reason": "looked into 210502197001019805"},
        headers=door.token(**caller),
    )


@pytest.fixture
async def held(door: Door) -> dict[str, Any]:
    return await door.push(lines(licence(1), licence(2, shop_no="a"), licence(3, shop_no="b")))


async def test_are_listed_with_what_each_waits_for(door: Door, held: dict[str, Any]) -> None:
    first = (await door.get("/held-records", limit=1)).json()
    (item,) = first["items"]
    assert (item["no"], item["feed"], item["waiting_for"]) == (2, "business-licences", "shop:a")
    assert item["held_at"].endswith("Z")
    assert item["delivery"] == held["delivery"]
    assert first["next"] is not None
    assert len((await door.get("/held-records", department="agency")).json()["items"]) == 2
    assert (await door.get("/held-records", department="tax")).json()["items"] == []
    assert (await door.get("/held-records", feed="shops")).json()["items"] == []


async def test_rejected_by_an_officer_is_counted_and_tells_who(
    door: Door, held: dict[str, Any]
) -> None:
    answer = await decide(door, held, 2, "reject", department="agency")
    assert answer.json()["disposition"] == "rejected"
    after = await door.delivery(held["delivery"])
    assert after["counts"] == {"applied": 1, "duplicate": 0, "rejected": 1, "held": 1}
    assert after["problems"] == {"record-refused": 1, "shop-unknown": 1}
    told = after["receipts"][-1]["resolution"]
    assert (told["no"], told["action"], told["department"]) == (2, "reject", "agency")
    record = (await door.get(f"/deliveries/{held['delivery']}/records/2")).json()
    assert record["disposition"] == "rejected"
    (resolution,) = record["resolutions"]
    assert (resolution["subject"], resolution["reason"]) == (
        "tester",
        "looked into 210502**********05",
    )
    assert "agency" in record["problems"][0]["zh"]
    await door.push(lines({"shop_no": "a"}), "shops", period="2008-06-D1")
    assert (await door.delivery(held["delivery"]))["counts"] == after["counts"]
    again = await decide(door, held, 2, "reject", department="agency")
    assert (again.status_code, again.json()["code"]) == (409, "record-not-held")


async def test_released_goes_through_the_same_gate(door: Door, held: dict[str, Any]) -> None:
    assert (await decide(door, held, 2, "release")).json()["disposition"] == "held"
    await door.worker.drain()
    after = await door.delivery(held["delivery"])
    assert after["counts"]["held"] == 2
    record = (await door.get(f"/deliveries/{held['delivery']}/records/2")).json()
    assert [one["action"] for one in record["resolutions"]] == ["release"]


async def test_is_not_for_everybody_and_only_for_what_is_held(
    door: Door, held: dict[str, Any]
) -> None:
    assert (await decide(door, held, 2, "reject", department="auditor")).status_code == 403
    assert (await decide(door, held, 2, "reject", department="tax")).status_code == 404
    assert (await decide(door, held, 1, "reject")).json()["code"] == "record-not-held"
    assert (await decide(door, held, 9, "reject")).status_code == 404
