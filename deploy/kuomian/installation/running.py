"""The context manager: everything the file says, in its order, each with its own settings.

Only what cannot be the same on one machine is replaced: names of containers by addresses of
127.0.0.1, ports, folders, and how the broker is reached. PostgreSQL is the embedded server, set
up by the same script and with the same options; Kafka is the broker of ``kuomian.kafka_broker``
with a configuration of its own; the gateway is ``kuomian.gateway``. Images, limits, confinement
and restarting are an engine's business and not done here.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from kuomian import data_dir as folder
from kuomian.all_in_one import sole_server
from kuomian.compose import Compose, ComposeService, read_compose, read_variables
from kuomian.data_dir import CHECKOUT, write_private
from kuomian.installation.jobs import Jobs
from kuomian.installation.parts import (
    GATEWAY,
    KAFKA,
    OUTSIDE,
    POSTGRES,
    apis,
    options,
    parts_of,
    serves,
)
from kuomian.installation.places import Places, mounts
from kuomian.installation.programs import KAFKA_HOME, Programs
from kuomian.kafka_broker import KafkaBroker, Protocol
from kuomian.processes import Doors, Part, Processes
from kuomian.words import Failure
from shared.embedded import EmbeddedPostgres
from shared.ports import free_ports
from shared.settings import inheritable_environment

COMPOSE_FILE: Final = CHECKOUT / "docker-compose.yml"
INIT_FOLDER: Final = "/docker-entrypoint-initdb.d/"
LOOK_SECONDS: Final = 0.3


class Installation:
    """``docker compose up --wait`` over ``data_dir``. A context manager: everything healthy
    inside, all gone after; the data stays, and the next start finds it.

    ``scale`` is ``--scale``; a service scaled to more than one has parts ``NAME-1``, ``NAME-2``.
    ``variables`` stand above those of ``data_dir/.env``, which ``make-env.sh`` writes once.
    ``protocol`` is how the services reach the broker. ``broker`` is one that runs already and
    stays. ``postgres_options`` stand above the file's. Raises Failure (KafkaMissing,
    ComposeError, AlreadyServed, EmbeddedPostgresError) with the name of what does not start.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        scale: Mapping[str, int] | None = None,
        variables: Mapping[str, str] | None = None,
        protocol: Protocol = "PLAINTEXT",
        broker: KafkaBroker | None = None,
        postgres_options: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.broker = broker or KafkaBroker(self.data_dir / KAFKA)
        self._broker_is_ours = broker is None
        self._protocol: Protocol = protocol
        self._scale, self._variables = dict(scale or {}), dict(variables or {})
        self._postgres_options = dict(postgres_options or {})
        self._programs = Programs(self.data_dir / "programs.here")
        self._jobs = Jobs(self.data_dir / "logs")
        self._stack = ExitStack()
        self._ending = threading.Event()
        self._postgres_started = threading.Event()

    # -- all of it --------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self._prepare()
        except BaseException:
            self._stack.close()
            raise
        try:
            self._up()
        except BaseException:
            self._down()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._down()

    @property
    def compose(self) -> Compose:
        """The file as read, scaled."""
        return self._compose

    @property
    def url(self) -> str:
        """The one address of everything: the gateway's."""
        return self._processes.parts[GATEWAY].address

    @property
    def postgres(self) -> EmbeddedPostgres:
        """The server; its superuser sees all databases."""
        return self._postgres

    @property
    def log_dir(self) -> Path:
        """The logs of processes and jobs; the broker and PostgreSQL keep their own."""
        return self.data_dir / "logs"

    def names(self) -> list[str]:
        """Everything that can be started and stopped, in an order in which it may be."""
        services = self._compose.services.values()
        return [*OUTSIDE, *(name for one in services if serves(one) for name in parts_of(one))]

    def address(self, name: str) -> str:
        """``http://127.0.0.1:port`` of a process."""
        return self._processes.parts[name].address

    def database_url(self, service: str) -> str:
        """A service's own database, as it is told of it."""
        given = self._compose.services[f"{service}-api"].environment["DATABASE_URL"]
        return self._places().here(given)

    def doors(self) -> Doors:
        """The way to the APIs past the gateway."""
        apis = {
            name.removesuffix("-api"): part.address
            for name, part in self._processes.parts.items()
            if name.endswith("-api")
        }
        return Doors(apis)

    # -- one of it --------------------------------------------------------------------------

    def start(self, name: str) -> None:
        """Start what does not run. Of a process it is not ready yet when this returns
        (``wait_until_ready``); PostgreSQL and Kafka are, on the addresses they had."""
        if name == POSTGRES:
            self._postgres.start(take_over=True)
        elif name == KAFKA:
            self.broker.start()
        else:
            self._processes.start(name)

    def stop(self, *names: str) -> dict[str, int]:
        """SIGTERM, all of them at once; returns when they have ended, with the exit codes of
        processes."""
        processes = [name for name in names if name not in OUTSIDE]
        codes = self._processes.stop(*processes) if processes else {}
        if POSTGRES in names:
            self._postgres.stop()
        if KAFKA in names:
            self.broker.stop()
        return codes

    def suspend(self, name: str) -> None:
        """SIGSTOP a process: it lives and does nothing, until ``resume``."""
        self._processes.suspend(name)

    def resume(self, name: str) -> None:
        """SIGCONT a process."""
        self._processes.resume(name)

    def start_what_is_down(self) -> None:
        """Start everything that was stopped or killed; returns when all is ready."""
        running = self._processes.running
        for name in self.names():
            if name in OUTSIDE or name not in running:
                self.start(name)
        self.wait_until_ready()

    def kill(self, name: str) -> None:
        """SIGKILL; returns when it is gone."""
        if name == POSTGRES:
            self._postgres.kill()
        elif name == KAFKA:
            self.broker.kill()
        else:
            self._processes.kill(name)

    def wait_until_ready(self, *names: str) -> None:
        """Return when these processes, by default all that run, are ready. Raises Failure."""
        self._processes.wait_until_ready(*names)

    def check(self) -> None:
        """Raise Failure for a process that ended by itself."""
        self._processes.check()
        if self._broker_is_ours and not self.broker.running:
            raise Failure(f"Kafka 已结束 · the broker ended: {self.broker.log}")

    def wait(self) -> None:
        """Return, with Failure, when a part ends by itself."""
        while True:
            self.check()
            time.sleep(LOOK_SECONDS)

    # -- coming up --------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Everything that is known before the first process: variables, file, ports."""
        if not COMPOSE_FILE.is_file():
            raise Failure("没有 docker-compose.yml · it is run from a checkout only")
        folder.prepare(self.data_dir)
        self._stack.enter_context(sole_server(self.data_dir))
        self._programs.write()
        given = {**self._env_file(), **self._variables}
        port = given["GATEWAY_PORT"] if "GATEWAY_PORT" in self._variables else str(free_ports(1)[0])
        given |= {"GATEWAY_PORT": port, "PUBLIC_URL": f"http://127.0.0.1:{port}"}
        given |= self._variables
        text = COMPOSE_FILE.read_text("utf-8")
        self._compose = read_compose(text, given).scaled(self._scale)
        self._processes = Processes((), self.log_dir, self._inherited())
        self._ports = self._choose_ports()
        wanted = options(self._compose.services[POSTGRES].command) | self._postgres_options
        self._postgres = EmbeddedPostgres(self.data_dir, wanted)
        if self._broker_is_ours:
            self.broker.prepare()

    def _env_file(self) -> dict[str, str]:
        file = self.data_dir / ".env"
        if not file.exists():
            made = self._jobs.output("sh", str(CHECKOUT / "deploy/compose/make-env.sh"))
            write_private(file, made)
        return read_variables(file.read_text("utf-8"))

    def _choose_ports(self) -> dict[str, int]:
        """A port for each part that answers, by its name."""
        names = [
            part
            for service in self._compose.services.values()
            if serves(service) and service.name != GATEWAY
            for part in parts_of(service)
        ]
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        return ports | {GATEWAY: int(self._compose.services[GATEWAY].ports[0].split(":")[1])}

    def _up(self) -> None:
        """Each service as soon as what it waits for is as it should be."""
        services = self._compose.services
        done: dict[str, Future[None]] = {}

        def bring(service: ComposeService) -> None:
            for other in service.depends_on:
                done[other].result()
            if self._ending.is_set():
                raise Failure("已中止 · given up")
            self._bring_up(service)

        with ThreadPoolExecutor(len(services)) as pool:
            try:
                for name, service in services.items():
                    done[name] = pool.submit(bring, service)
                for name in services:
                    done[name].result()
            except BaseException:
                self._ending.set()
                self._jobs.stop()
                self._processes.stop()
                raise

    def _bring_up(self, service: ComposeService) -> None:
        """Return when it is healthy, or for a job when it has ended well: then every condition
        another service may have holds."""
        if service.name == POSTGRES:
            self._start_postgres(service)
        elif service.name == KAFKA:
            if not self.broker.running:
                self.broker.start()
            self._jobs.until_well(
                KAFKA, self._here(service, service.healthcheck), self._inherited()
            )
        elif serves(service):
            names = parts_of(service)
            for name in names:
                self._processes.add(self._part(name, service))
                self._processes.start(name)
            self._processes.wait_until_ready(*names)
        else:
            self._run_job(service)

    def _start_postgres(self, service: ComposeService) -> None:
        """The server, its health, and as its image does over an empty volume, the init scripts."""
        self._postgres.start(take_over=True)
        self._postgres_started.set()
        server = urlsplit(self._postgres.url())
        environment = {
            **self._inherited(self._postgres.programs),
            **service.environment,
            "POSTGRES_USER": server.username or "",
            "PGHOST": server.hostname or "",
            "PGPORT": str(server.port),
            "PGPASSWORD": server.password or "",
        }
        self._jobs.until_well(POSTGRES, service.healthcheck, environment)
        set_up = self.data_dir / ".databases"
        if not set_up.exists():
            for path, script in sorted(self._mounts(service).items()):
                if path.startswith(INIT_FOLDER):
                    self._jobs.run(POSTGRES, ("/bin/sh", script), environment)
            set_up.touch()

    def _run_job(self, service: ComposeService) -> None:
        command = self._here(service, (*service.entrypoint, *service.command))
        if not service.entrypoint:
            command = (sys.executable, "-m", "kuomian", *command)
        environment = {
            **self._inherited(),
            **self._places(service).environment(service.environment),
            "KAFKA_HOME": str(self._programs.kafka_home),
        }
        self._jobs.run(service.name, command, environment)

    def _part(self, name: str, service: ComposeService) -> Part:
        port = self._ports[name]
        if service.name == GATEWAY:
            doors = [f"{n}={self.address(f'{n}-api')}" for n in apis(service)]
            command: tuple[str, ...] = (GATEWAY, "--port", str(port), *doors)
            return Part(name, command, port, urlsplit(service.healthcheck[-1]).path, {})
        own = self._places(service).environment(service.environment)
        own |= {"HOST": "127.0.0.1", "PORT": str(port)}
        if "KAFKA_BOOTSTRAP_SERVERS" in own:
            reached = self.broker.environment(self._protocol)
            own |= {key: value for key, value in reached.items() if key.startswith("KAFKA_")}
        # Its healthcheck is kuomian.probe QUESTION, which asks this.
        ready = f"/{service.command[1]}/health/{service.healthcheck[-1]}"
        return Part(name, service.command, port, ready, own)

    # -- names ------------------------------------------------------------------------------

    def _here(self, service: ComposeService, words: tuple[str, ...]) -> tuple[str, ...]:
        return self._places(service).all_here(words)

    def _places(self, service: ComposeService | None = None) -> Places:
        """As far as it is known now: PostgreSQL has an address once it was started."""
        addresses = {f"{KAFKA}:9092": self.broker.address()}
        if self._postgres_started.is_set():
            addresses[f"{POSTGRES}:5432"] = urlsplit(self._postgres.url()).netloc.rpartition("@")[2]
        for other in self._compose.services.values():
            if serves(other) and (inside := other.environment.get("PORT")):
                port = self._ports[parts_of(other)[0]]
                addresses[f"{other.name}:{inside}"] = f"127.0.0.1:{port}"
        paths = self._mounts(service) if service is not None else {}
        return Places(addresses, {**paths, KAFKA_HOME: str(self._programs.kafka_home)})

    def _mounts(self, service: ComposeService) -> dict[str, str]:
        return mounts(service.volumes, CHECKOUT, {"identity": self.data_dir})

    def _inherited(self, *programs: Path) -> dict[str, str]:
        """No setting but those the file gives; programs found here first."""
        found = inheritable_environment()
        path = [str(self._programs.folder), *map(str, programs), found.get("PATH", "/usr/bin:/bin")]
        return {**found, "PATH": ":".join(path)}

    # -- going down -------------------------------------------------------------------------

    def _down(self) -> None:
        self._ending.set()
        with ExitStack() as last:
            last.callback(self._stack.close)
            last.callback(self._postgres.stop)
            if self._broker_is_ours:
                last.callback(self.broker.stop)
            last.callback(self._processes.stop)
            last.callback(self._jobs.stop)
