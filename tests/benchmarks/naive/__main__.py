"""``python -m tests.benchmarks.naive PORT DATABASE_URL [BROKERS]``."""

from __future__ import annotations

import sys

import uvicorn

from tests.benchmarks.naive.service import create_app

if __name__ == "__main__":
    port, database_url, *brokers = sys.argv[1:]
    uvicorn.run(
        create_app(database_url, brokers[0] if brokers else None),
        port=int(port),
        log_level="warning",
        access_log=False,
    )
