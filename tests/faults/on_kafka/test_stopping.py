"""Processes asked to end while they are at work: in order, within their grace, nothing lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from kuomian.city import Planned
from kuomian.client import NDJSON, Api
from kuomian.demo.load import streamed
from tests.faults.conftest import Faults
from tests.faults.on_kafka.system import GROUPS, System, until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

API = "tax-feed-api"
FEED = "receipts"
PUSH = f"/tax-feed/v1/feeds/{FEED}/deliveries"


async def test_relays_and_consumers_end_in_the_middle_of_work(
    system: System, faults: Faults
) -> None:
    await system.adds_up()
    names = [*system.named("relay"), *system.named("consumer")]
    left = []
    async for _ in system.moments(system.portion(1), 1):
        codes = await asyncio.to_thread(system.running.stop, *names)
        assert codes == dict.fromkeys(names, 0)
        # They took their leave: nobody has to wait for their sessions to run out.
        left = [await system.shares(group) for group in GROUPS]
        for name in names:
            system.running.start(name)
    assert left == [[]] * len(GROUPS)
    held = await system.adds_up()
    faults.survived(
        "each relay and consumer", "SIGTERM during load", times=len(names), held=f"exit 0; {held}"
    )


async def test_a_door_closes_with_requests_open(system: System, faults: Faults) -> None:
    """A request that waits for its receipt is answered before the end, an upload that gets
    through is taken, and one that does not may be repeated under its number."""
    await system.adds_up()
    pushed = next(d for d in system.city.deliveries if d.feed == FEED and d.records > 1)
    goes_on, never = asyncio.Event(), asyncio.Event()
    async with department(system, pushed) as client:
        with nobody_judges(system.running.database_url("tax-feed")):
            waits = asyncio.ensure_future(rehearse(client, pushed, "waits", wait=60))
            await until_accepted(client)
            through = await begun(client, pushed, "through", goes_on)
            cut_off = await begun(client, pushed, "cut-off", never)
            stopping = asyncio.ensure_future(asyncio.to_thread(system.running.stop, API))
            assert await waits == 202
            goes_on.set()
            assert await through == 202
            assert await stopping == {API: 0}
            never.set()
            assert await cut_off not in (201, 202)
    system.running.start(API)
    await asyncio.to_thread(system.running.wait_until_ready)
    async with Api(system.running.address(API), system.tokens[pushed.role]) as api:
        for key in ("waits", "through", "cut-off"):
            body = streamed(pushed)
            again = await api.push("tax-feed", FEED, pushed.period, key, body, dry_run=True)
            assert (await api.receipt(again))["sent"] == pushed.records
    async with department(system, pushed) as client:
        assert await accepted(client) == {"waits": 1, "through": 1, "cut-off": 1}
    held = await system.adds_up()
    faults.survived(
        API, "SIGTERM with a wait and uploads open", times=3, held=f"exit 0, 3 receipts; {held}"
    )


def department(system: System, pushed: Planned) -> httpx.AsyncClient:
    """The sender at the service's own door; nothing is tried twice."""
    headers = {"Authorization": f"Bearer {system.tokens[pushed.role]}"}
    address = system.running.address(API)
    return httpx.AsyncClient(base_url=address, headers=headers, timeout=90, trust_env=False)


async def rehearse(
    client: httpx.AsyncClient,
    pushed: Planned,
    key: str,
    *,
    wait: int = 0,
    body: AsyncIterator[bytes] | None = None,
) -> int | None:
    """Push without effect on the figures; the status, or None when nobody answers."""
    headers = {"Idempotency-Key": key, "Content-Type": NDJSON}
    query = {"period": pushed.period, "dry_run": "true", "wait": str(wait)}
    content = body if body is not None else b"".join(pushed.body())
    try:
        answer = await client.post(PUSH, params=query, headers=headers, content=content)
    except httpx.TransportError:
        return None
    return answer.status_code


async def begun(
    client: httpx.AsyncClient, pushed: Planned, key: str, goes_on: asyncio.Event
) -> asyncio.Task[int | None]:
    """An upload whose first half is with the service, and whose second half waits."""
    half_sent = asyncio.Event()

    async def halves() -> AsyncIterator[bytes]:
        first, *rest = pushed.body()
        yield first
        half_sent.set()
        await goes_on.wait()
        yield b"".join(rest)

    uploading = asyncio.create_task(rehearse(client, pushed, key, body=halves()))
    await half_sent.wait()
    # On a connection made after that one: the service has it in hand once this is answered.
    async with httpx.AsyncClient(base_url=client.base_url, trust_env=False) as other:
        assert (await other.get("/tax-feed/health/live")).status_code == 200
    return uploading


async def accepted(client: httpx.AsyncClient) -> dict[str, int]:
    """How many deliveries there are under each of our numbers."""
    answer = await client.get("/tax-feed/v1/deliveries", params={"feed": FEED, "limit": 1000})
    found = Counter(d["idempotency_key"] for d in answer.json()["items"] if d["dry_run"])
    return dict(found)


async def until_accepted(client: httpx.AsyncClient) -> None:
    async def known() -> bool:
        return await accepted(client) == {"waits": 1}

    await until(known, "the delivery is accepted")


@contextmanager
def nobody_judges(database_url: str) -> Iterator[None]:
    """Hold the feed's own lock, as a worker busy with a long chunk does."""
    with psycopg.connect(database_url) as conn:
        conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"feed/{FEED}",))
        yield
