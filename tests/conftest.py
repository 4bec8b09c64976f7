"""What every test may ask for: one PostgreSQL and one Kafka per session, fresh databases, a fixed
clock."""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from confluent_kafka.admin import AdminClient

from kuomian.kafka_broker import KafkaBroker
from kuomian.kafka_install import KafkaMissing
from shared.clock import FixedClock
from shared.embedded import EmbeddedPostgres

# What structlog does by itself draws tracebacks with every local variable: seconds, on a busy day.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)

# Nothing here has to survive a power cut.
TEST_OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
}


class PostgresForTests:
    """The session's server and a supply of databases, all owned by one role."""

    ROLE = "tester"

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        self._numbers = itertools.count(1)

    def fresh_database(self, template: str | None = None) -> str:
        """The URL of a new database, empty or a copy of the database named ``template``.

        A template must have no open sessions. Takes about 30 ms.
        """
        return self.server.create_database(f"test_{next(self._numbers)}", self.ROLE, template)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresForTests]:
    """One embedded PostgreSQL for the whole session, in a folder outside home folders."""
    folder = Path(tempfile.mkdtemp(prefix="kuomian-test-"))
    folder.chmod(0o755)  # as root the server runs under another user, which has to get through
    server = EmbeddedPostgres(folder, TEST_OPTIONS).start()
    try:
        yield PostgresForTests(server)
    finally:
        server.stop(immediate=True)
        # Many small databases: rm is several times faster than shutil here.
        subprocess.run(["rm", "-rf", folder], check=True)


@pytest.fixture
def database_url(postgres: PostgresForTests) -> str:
    """The URL of an empty database of this test's own."""
    return postgres.fresh_database()


@pytest.fixture(scope="session")
def kafka_broker() -> Iterator[KafkaBroker]:
    """One real Apache Kafka for the whole session, for tests marked ``kafka``.

    Where it cannot run the test is skipped and says why; under CI=true that is a failure.
    """
    folder = Path(tempfile.mkdtemp(prefix="kuomian-kafka-"))
    broker = KafkaBroker(folder)
    try:
        with broker:
            yield broker
    except KafkaMissing as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def empty_kafka(kafka_broker: KafkaBroker) -> KafkaBroker:
    """The session's broker without topics, hence without offsets of groups."""
    return emptied(kafka_broker)


def emptied(kafka_broker: KafkaBroker) -> KafkaBroker:
    """The broker, its topics deleted."""
    admin = AdminClient({"bootstrap.servers": kafka_broker.address()})
    topics = [name for name in admin.list_topics(timeout=30).topics if not name.startswith("__")]
    if topics:
        for deleted in admin.delete_topics(topics, operation_timeout=30).values():
            deleted.result(30)
    return kafka_broker


@pytest.fixture
def clock() -> FixedClock:
    """A clock standing at noon of 10 June 2008 in Benxi, the cut-off day of a first dekad."""
    return FixedClock(datetime(2008, 6, 10, 4, 0, tzinfo=UTC))
