"""The database going away is a bad moment, never a lost record."""

import asyncio
from collections.abc import AsyncIterator

import httpx

from kuomian.client import Api
from kuomian.demo.drain import drained
from shared.embedded import EmbeddedPostgres
from tests.e2e.conftest import Whole
from tests.e2e.test_bad_input import NDJSON, PERIOD, RECEIPTS, line

WAIT_SECONDS = 60


async def ready(url: str, service: str) -> bool:
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
        return (await client.get(f"/{service}/health/ready")).status_code == 200


class TestWithoutItsDatabase:
    async def test_a_push_is_answered_503_and_taken_later(self, whole: Whole) -> None:
        postgres = EmbeddedPostgres(whole.data_dir)
        headers = {
            "Authorization": f"Bearer {whole.tokens['tax']}",
            "Idempotency-Key": "while-away",
            "Content-Type": NDJSON,
        }
        query = {"period": PERIOD, "dry_run": "true"}
        postgres.kill()
        try:
            async with httpx.AsyncClient(base_url=whole.url, trust_env=False, timeout=60) as client:
                answer = await client.post(RECEIPTS, params=query, headers=headers, content=line())
                problem = answer.json()
                assert (answer.status_code, problem["code"]) == (503, "database-away")
                assert int(answer.headers["Retry-After"]) >= 1
                assert problem["title_zh"] != problem["title_en"]
                assert (await client.get("/tax-feed/health/live")).status_code == 200
                assert (await client.get("/tax-feed/health/ready")).status_code == 503
        finally:
            postgres.start()
        async with asyncio.timeout(WAIT_SECONDS):
            while not await ready(whole.url, "tax-feed"):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
        async with Api(whole.url, whole.tokens["tax"]) as api:
            pushed = await api.push(
                "tax-feed", "receipts", PERIOD, "while-away", body, dry_run=True
            )
            receipt = await api.receipt(pushed)
        assert receipt["applied"] == 1

    async def test_workers_come_back_by_themselves(self, whole: Whole) -> None:
        async with whole.api_as("operator") as api:
            flow = await drained(api)
        assert flow.waiting == ()

    async def test_nothing_was_kept_of_the_refused_push(self, whole: Whole) -> None:
        path = "/tax-feed/v1/deliveries"
        kept = [
            d
            async for d in whole.api.items(path, feed="receipts", limit=1000)
            if d["idempotency_key"] == "while-away"
        ]
        assert len(kept) == 1


async def body() -> AsyncIterator[bytes]:
    yield line()
