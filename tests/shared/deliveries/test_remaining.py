"""Whatever is pushed, corrected, superseded, listed in full and withdrawn: what stands is what the
deliveries that remain, applied from scratch, would have made; and everything adds up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.application import build_runtime, create_app
from shared.auth import Issuer
from shared.clock import FixedClock
from shared.deliveries.receipts import Counts
from shared.settings import Settings
from tests.conftest import PostgresForTests
from tests.shared.deliveries.conftest import Door
from tests.shared.deliveries.made_service import SERVICE, licence, lines
from tests.shared.deliveries.test_withdrawing import capitals, withdraw

RECORDS = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=5)
PUSH = st.tuples(st.just("push"), RECORDS, st.none())
LIST = st.tuples(st.just("list"), RECORDS, st.none())
WITHDRAW = st.tuples(st.just("withdraw"), st.none(), st.integers(0, 9))
SUPERSEDE = st.tuples(st.just("supersede"), RECORDS, st.integers(0, 9))
STEPS = st.lists(st.one_of(PUSH, PUSH, LIST, WITHDRAW, SUPERSEDE), min_size=2, max_size=7)
Step = tuple[str, list[tuple[int, int]] | None, int | None]


def body(records: list[tuple[int, int]]) -> bytes:
    return lines(*(licence(no, capital=str(capital)) for no, capital in records))


@asynccontextmanager
async def opened(url: str, made: Settings, folder: Path, clock: FixedClock) -> AsyncIterator[Door]:
    own = made.model_copy(update={"database_url": url, "bus_database_url": url})
    runtime = build_runtime(SERVICE, Settings.model_validate(own.model_dump()), clock=clock)
    app = create_app(SERVICE, runtime, roles=())
    transport = httpx.ASGITransport(app)
    base = "http://test/registration-feed/v1"
    async with httpx.AsyncClient(transport=transport, base_url=base) as http:
        door = Door(runtime, http, Issuer(folder))
        try:
            yield door
        finally:
            await door.worker.close()
            await runtime.database.close()


def from_scratch(deliveries: list[dict[str, Any]]) -> dict[str, int]:
    """Licence → capital of what remains, as the rules of versions have it."""
    state: dict[str, int] = {}
    for one in deliveries:
        if one["withdrawn"]:
            continue
        if one["full"]:
            state = {}
        state |= {str(no): capital * 100 for no, capital in one["records"]}
    return state


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
async def test_what_stands_is_what_remains(
    steps: list[Step],
    postgres: PostgresForTests,
    made_template: str,
    made_settings: Settings,
    tmp_path: Path,
    clock: FixedClock,
) -> None:
    url = postgres.fresh_database(made_template)
    async with opened(url, made_settings, tmp_path, clock) as door:
        made: list[dict[str, Any]] = []
        for kind, records, index in steps:
            living = [one for one in made if not one["withdrawn"]]
            aimed = living[(index or 0) % len(living)] if living else None
            query: dict[str, Any] = {}
            if kind == "withdraw":
                if aimed is not None:
                    await withdraw(door, aimed)
                    aimed["withdrawn"] = True
                continue
            if kind == "list":
                query = {"mode": "replace", "confirm_removals": 99}
            elif kind == "supersede" and aimed is not None:
                query = {"supersedes": aimed["delivery"]}
            delivery = await door.push(body(records or []), **query)
            assert delivery["status"] == "done"
            full = kind == "list"
            made.append({**delivery, "records": records, "full": full, "withdrawn": False})
            if "supersedes" in query and aimed is not None:
                aimed["withdrawn"] = True
        expected = from_scratch(made)
        assert {no: fen for no, fen in (await capitals(door)).items() if fen} == expected
        by = {str(row["delivery_id"]) for row in await door.rows("licences") if row["capital_fen"]}
        assert by <= {one["delivery"] for one in made if not one["withdrawn"]}
        await check_conservation(door)


async def check_conservation(door: Door) -> None:
    """Walk everything: records, chunks, receipts to the last link, sums by feed and period."""
    sums: dict[tuple[str, str], Counts] = {}
    for row in await door.rows("deliveries", "seq"):
        if row["dry_run"]:
            continue
        shown = (await door.get(f"/deliveries/{row['id']}", department="agency")).json()
        walked = Counts.of(
            b"".join(
                chunk["dispositions"]
                for chunk in await door.rows("delivery_chunks", "chunk_no")
                if chunk["delivery_id"] == row["id"]
            )
        )
        walked.conserve(row["sent_count"])
        assert shown["counts"] == walked.as_dict()
        last = shown["receipts"][-1]
        assert {name: last[name] for name in walked.as_dict()} == walked.as_dict()
        for receipt in shown["receipts"]:
            how = (receipt[name] for name in walked.as_dict())
            assert receipt["sent"] == sum(how) == row["sent_count"]
        where = (row["feed"], row["period"])
        sums[where] = sums.get(where, Counts()) + walked
    answer = (await door.get("/conservation", department="agency")).json()
    assert {(one["feed"], one["period"]) for one in answer["items"]} == sums.keys()
    for one in answer["items"]:
        counts = sums[(one["feed"], one["period"])]
        assert {name: one[name] for name in counts.as_dict()} == counts.as_dict()
        assert one["sent"] == counts.total
        assert one["balanced"]
    total = sum(sums.values(), Counts())
    assert {name: answer["total"][name] for name in total.as_dict()} == total.as_dict()


async def test_everything_adds_up_for_ever(door: Door) -> None:
    held = [licence(no, shop_no=f"s{no % 2}") for no in range(1, 26)]
    first = await door.push(lines(*held, licence(30), licence(30), b"{}"))
    await check_conservation(door)
    await door.push(lines({"shop_no": "s1"}), "shops", period="2008-06-D1")
    await check_conservation(door)
    answer = await door.http.post(
        f"/deliveries/{first['delivery']}/records/2/resolution",
        json={"action": "reject", "reason": "no such shop"},
        headers=door.token(),
    )
    assert answer.json()["disposition"] == "rejected", answer.text
    await check_conservation(door)
    await door.push(b"", nil=True, period="2008-05")
    await withdraw(door, first)
    await check_conservation(door)
    shown = await door.delivery(first["delivery"])
    kinds = [receipt.get("kind") for receipt in shown["receipts"]]
    assert kinds == [None, "resolved", "resolved", "resolved", "withdrawn"]
    only = (await door.get("/conservation", feed="shops", period="2008-06-D1")).json()
    assert [(one["feed"], one["sent"]) for one in only["items"]] == [("shops", 1)]
