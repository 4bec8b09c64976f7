"""A worker process of its own, for a test that kills it: works until nothing is left."""

from __future__ import annotations

import asyncio
import json
import sys

from shared.application import build_runtime
from shared.deliveries.worker import DeliveryWorker
from shared.settings import load_settings
from tests.shared.deliveries.made_service import SERVICE


async def main() -> None:
    settings = load_settings(**json.loads(sys.argv[1]), bus="kafka", kafka_bootstrap_servers="none")
    runtime = build_runtime(SERVICE, settings)
    worker = DeliveryWorker(runtime)
    try:
        await worker.drain()
    finally:
        await worker.close()
        await runtime.database.close()


if __name__ == "__main__":
    asyncio.run(main())
