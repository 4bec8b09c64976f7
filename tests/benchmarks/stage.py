"""What measures run on: an embedded PostgreSQL with production's settings, a real Kafka where it
can be had, and services as processes of their own or as the all-in-one.

Everything lies in one folder that is deleted afterwards, on the disk of the checkout (a
``/tmp`` in memory would make every commit free).
"""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import psycopg

from kuomian.all_in_one import upgrade_all
from kuomian.data_dir import default_data_dir, prepare
from kuomian.demo.child import Child
from kuomian.demo.tokens import write_tokens
from kuomian.kafka_broker import KafkaBroker
from kuomian.kafka_install import KafkaMissing
from kuomian.processes import Part, Processes
from shared.embedded import EmbeddedPostgres
from shared.plan import Plan
from shared.ports import free_ports
from tests.benchmarks.machine import Placing
from tests.benchmarks.rounds import LeftOut

PARTITIONS: Final = 6
SHOWN: Final = (
    "server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_compression",
    "max_wal_size", "shared_buffers", "work_mem", "checkpoint_timeout", "autovacuum", "jit",
)  # fmt: skip
"""Settings of the server printed with the figures."""


@dataclass
class Stage:
    """The one server of a run, and where everything lies. A context manager."""

    placing: Placing
    folder: Path
    options: Mapping[str, str]

    @classmethod
    def new(cls, placing: Placing, options: Mapping[str, str] | None = None) -> Self:
        """A stage in a fresh folder; raises DataDirError where none can be made."""
        parent = prepare(default_data_dir())
        folder = prepare(parent / f"bench-run-{secrets.token_hex(4)}")
        return cls(placing, folder, options or {})

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.plan = Plan.default()
        self.tokens = write_tokens(self.folder, self.plan)
        self.keys = {
            name: f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}"
            for name in ("DATA_KEYS", "HASH_KEYS")
        }
        self.postgres = EmbeddedPostgres(self.folder, self.options)
        with self.placing.on(self.placing.server):
            self._stack.enter_context(self.postgres)
        self._broker: KafkaBroker | None = None
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def shown_settings(self) -> dict[str, str]:
        """The server's settings that matter."""
        with psycopg.connect(self.postgres.url(), autocommit=True) as admin:
            found = admin.execute(
                "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)",
                (list(SHOWN),),
            ).fetchall()
        known = {str(name): str(value) for name, value in found}
        return {name: known[name] for name in SHOWN if name in known}

    def fresh_databases(self) -> dict[str, str]:
        """Databases of all services and the embedded bus, empty and at head; name → URL."""
        for name in ("registration_feed", "tax_feed", "enrollment", "reporting", "bus"):
            self.postgres.drop_database(name)
        return asyncio.run(upgrade_all(self.postgres))

    def fresh_database(self, name: str) -> str:
        """An empty database; returns its URL."""
        self.postgres.drop_database(name)
        return self.postgres.create_database(name, name)

    def broker(self) -> KafkaBroker:
        """The broker, started at first use. Raises LeftOut where it cannot be had."""
        if self._broker is None:
            broker = KafkaBroker(self.folder / "kafka")
            try:
                with self.placing.on(self.placing.server):
                    self._stack.enter_context(broker)
            except KafkaMissing as missing:
                raise LeftOut(str(missing)) from missing
            self._broker = broker
        return self._broker

    def bus_settings(self, bus: str, databases: Mapping[str, str]) -> dict[str, str]:
        """Settings of a service that uses that bus; Kafka's topics are emptied first."""
        if bus == "kafka":
            broker = self.broker()
            empty_topics(broker)
            return broker.environment()
        return {"BUS": "postgres", "BUS_DATABASE_URL": databases["bus"]}

    @contextmanager
    def services(
        self,
        wanted: Sequence[tuple[str, str]],
        databases: Mapping[str, str],
        bus: Mapping[str, str],
        **more: str,
    ) -> Iterator[Running]:
        """(service, role) pairs, each a process of its own on Python's cores, ready inside."""
        settings = {
            **bus,
            **self.keys,
            "DATA_DIR": str(self.folder),
            "TOPIC_PARTITIONS": str(PARTITIONS),
            "LOG_LEVEL": "warning",
            **more,
        }
        ports = free_ports(len(wanted))
        parts = [
            Part(
                f"{name}-{role}",
                ("serve", name, "--role", role, "--port", str(port)),
                port,
                f"/{name}/health/ready",
                {**settings, "DATABASE_URL": databases[name]},
            )
            for (name, role), port in zip(wanted, ports, strict=True)
        ]
        # What they inherit; a variable meant for the benchmark is none of theirs.
        inherited = {name: value for name, value in os.environ.items() if name not in more}
        with ExitStack() as stack:
            with self.placing.on(self.placing.python):
                processes = stack.enter_context(Processes(parts, self.folder / "logs", inherited))
            doors = {
                name: part.address
                for (name, role), part in zip(wanted, parts, strict=True)
                if role == "api"
            }
            pids = {part.name: _pid_of(processes, part.name) for part in parts}
            yield Running(doors, pids, self.folder / "logs")

    @contextmanager
    def whole(self, name: str) -> Iterator[Whole]:
        """The all-in-one with a server of its own, the demo clock and an empty city."""
        folder = prepare(self.folder / name)
        try:
            tokens = write_tokens(folder, self.plan)
            child = Child(folder, free_ports(1)[0])
            with ExitStack() as stack:
                # Its PostgreSQL is its child and would share its cores: it is moved after.
                with self.placing.on(self.placing.python):
                    stack.enter_context(child)
                postgres = EmbeddedPostgres(folder).start()  # joins the one that runs
                move(_server_pid(folder), self.placing.server)
                yield Whole(child.url, child.pid, tokens, postgres)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Running:
    """Processes that are up: address of each door by service, process ids by part."""

    doors: dict[str, str]
    pids: dict[str, int]
    logs: Path


@dataclass(frozen=True)
class Whole:
    """The all-in-one that is up."""

    url: str
    pid: int
    tokens: dict[str, str]
    postgres: EmbeddedPostgres


def empty_topics(broker: KafkaBroker) -> None:
    """Delete every topic of ours and every group, so that a new world begins at nothing."""
    from confluent_kafka.admin import AdminClient

    admin = AdminClient({"bootstrap.servers": broker.address()})
    topics = [name for name in admin.list_topics(timeout=30).topics if not name.startswith("__")]
    if topics:
        for future in admin.delete_topics(topics).values():
            future.result(30)
    groups = [group.group_id for group in admin.list_consumer_groups().result(30).valid]
    if groups:
        for deleted in admin.delete_consumer_groups(groups).values():
            deleted.result(30)
    while any(
        not name.startswith("__") for name in admin.list_topics(timeout=30).topics
    ):  # deleting goes on after the answer
        pass


def make_topic(broker: KafkaBroker, name: str, partitions: int) -> None:
    """A topic of somebody else's than the product, which makes its own."""
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.cimpl import NewTopic

    admin = AdminClient({"bootstrap.servers": broker.address()})
    admin.create_topics([NewTopic(name, partitions, 1)])[name].result(30)


def move(pid: int, cores: frozenset[int]) -> None:
    """Put a process and its children, with all their threads, on these cores; those started
    later by any of them follow."""
    if not cores:
        return
    for one in [pid, *children_of(pid)]:
        for thread in Path(f"/proc/{one}/task").glob("[0-9]*"):
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), cores)


def children_of(pid: int) -> list[int]:
    """All processes below one, however deep; none where there is no ``/proc``."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text("utf-8", "replace")
        except OSError:
            continue
        parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(folder.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _server_pid(folder: Path) -> int:
    return int((folder / "postgres" / "postmaster.pid").read_text("utf-8").splitlines()[0])


def _pid_of(processes: Processes, name: str) -> int:
    running: dict[str, Any] = processes._running
    return int(running[name].pid)


PYTHON: Final = sys.executable
