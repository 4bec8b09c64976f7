"""A real Apache Kafka broker on this machine, for the tests and ``make demo-kafka``.

One node, broker and controller in one process (KRaft), on 127.0.0.1 only, reachable in four ways:
PLAINTEXT, SASL_PLAINTEXT and SASL_SSL (SCRAM-SHA-512, one made user), and SSL under a certificate
authority of its own. What it needs to come back as the same broker — ports, cluster, password —
lies in ``broker.json`` (mode 0600) beside the data.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self
from uuid import uuid4

from kuomian.data_dir import write_private
from kuomian.kafka_certificates import make_certificates
from kuomian.kafka_install import DEFAULT_CACHE, kafka_command
from kuomian.words import Failure
from shared.ports import free_ports

Protocol = Literal["PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL"]
PROTOCOLS: Final[tuple[Protocol, ...]] = ("PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL")
USER: Final = "kuomian"
START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 30.0
READY: Final = "Kafka Server started"

# The broker ends with whoever started it, however that one ends: a shell stands between, whose
# standard input (a pipe) ends then. $1 is the file for the broker's process id.
_TOGETHER: Final = """
exec 3<&0; file=$1; shift
"$@" </dev/null 3<&- & broker=$!
echo $broker >"$file"
{ cat <&3 >/dev/null; kill -9 $broker 2>/dev/null; } &
watch=$!; exec 3<&-
wait $broker; code=$?
kill $watch 2>/dev/null
exit $code
"""


class KafkaBrokerError(Failure):
    """The broker does not start or stop; the text says where its log is."""


@dataclass(frozen=True)
class _Notes:
    ports: dict[str, int]
    cluster: str
    password: str


class KafkaBroker:
    """One broker over ``data_dir``. A context manager: ready inside, stopped after.

    ``kill`` is SIGKILL; ``start`` after it (or after ``stop``) brings the same broker back, with
    its data, on the same ports.
    """

    def __init__(
        self, data_dir: Path, cache_dir: Path = DEFAULT_CACHE, *, heap_megabytes: int = 512
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.log = self.data_dir / "kafka.log"
        self.ca_file = self.data_dir / "ca.pem"
        self._cache_dir = cache_dir
        self._heap = heap_megabytes
        self._notes_file = self.data_dir / "broker.json"
        self._pid_file = self.data_dir / "kafka.pid"
        self._shell: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Return when clients are served; about five seconds, eight the first time.

        Raises KafkaMissing when this machine cannot run it, KafkaBrokerError when it does not
        come up within ``START_SECONDS``.
        """
        java = self._java()
        if not self._notes_file.exists():
            self._prepare(java)
        self._launch([*java, "kafka.Kafka", str(self.data_dir / "broker.properties")])
        return self

    def prepare(self) -> None:
        """Make what it needs before its first start, if need be: ``address`` is known then."""
        if not self._notes_file.exists():
            self._prepare(self._java())

    def stop(self) -> None:
        """Stop in order (SIGTERM), by force when that takes too long. May be called twice."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, as a power cut of the process; returns when it is gone."""
        self._end(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._shell is not None and self._shell.poll() is None

    def address(self, protocol: Protocol = "PLAINTEXT") -> str:
        """``127.0.0.1:port`` of a listener."""
        return f"127.0.0.1:{self._notes().ports[protocol]}"

    @property
    def password(self) -> str:
        """The made user's password."""
        return self._notes().password

    def environment(self, protocol: Protocol = "PLAINTEXT") -> dict[str, str]:
        """The settings of a service that uses this broker, by environment variable."""
        found = {
            "BUS": "kafka",
            "KAFKA_BOOTSTRAP_SERVERS": self.address(protocol),
            "KAFKA_SECURITY_PROTOCOL": protocol,
        }
        if protocol.endswith("SSL"):
            found["KAFKA_CA_FILE"] = str(self.ca_file)
        if protocol.startswith("SASL"):
            found["KAFKA_SASL_MECHANISM"] = "SCRAM-SHA-512"
            found["KAFKA_SASL_USERNAME"] = USER
            found["KAFKA_SASL_PASSWORD"] = self.password
        return found

    def _java(self) -> list[str]:
        return kafka_command(self._cache_dir, heap_megabytes=self._heap)

    # -- the first start --------------------------------------------------------------------

    def _prepare(self, run: list[str]) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        certificates = make_certificates()
        self.ca_file.write_text(certificates.authority)
        write_private(self.data_dir / "broker.pem", certificates.broker)
        notes = _Notes(
            ports=dict(zip([*PROTOCOLS, "CONTROLLER"], free_ports(5), strict=True)),
            cluster=uuid4().hex[:22],
            password=secrets.token_urlsafe(18),
        )
        properties = self.data_dir / "broker.properties"
        write_private(properties, configuration(self.data_dir, notes.ports))
        scram = f"SCRAM-SHA-512=[name={USER},password={notes.password}]"
        command = [*run, "kafka.tools.StorageTool", "format", "--standalone"]
        command += ["-t", notes.cluster, "-c", str(properties), "--add-scram", scram]
        command += ["--ignore-formatted"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            words = " ".join((done.stdout + done.stderr).split())[-500:]
            raise KafkaBrokerError(f"Kafka 存储未能格式化 · storage not formatted: {words}")
        write_private(self._notes_file, json.dumps(asdict(notes), indent=1))

    def _notes(self) -> _Notes:
        try:
            return _Notes(**json.loads(self._notes_file.read_text("utf-8")))
        except FileNotFoundError:
            raise KafkaBrokerError(f"no broker was ever started in {self.data_dir}") from None

    # -- starting and ending ----------------------------------------------------------------

    def _launch(self, command: list[str]) -> None:
        if self.running:
            return
        self._pid_file.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            begin = log.tell()
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", _TOGETHER, "sh", str(self._pid_file), *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for whoever started it
            )
        try:
            self._wait_until_ready(begin)
        except BaseException:
            self.kill()
            raise

    def _wait_until_ready(self, begin: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        with self.log.open("rb") as log:
            log.seek(begin)
            said = b""
            while READY.encode() not in said:
                if not self.running:
                    raise KafkaBrokerError(f"Kafka 未能启动 · the broker ended: {self._last()}")
                if time.monotonic() > deadline:
                    raise KafkaBrokerError(f"Kafka 未能就绪 · not ready: {self._last()}")
                said = said[-len(READY) :] + log.read()
                time.sleep(0.05)

    def _end(self, by: signal.Signals) -> None:
        shell, self._shell = self._shell, None
        if shell is None:
            return
        assert shell.stdin is not None  # noqa: S101 - a pipe was asked for
        with contextlib.suppress(ProcessLookupError, FileNotFoundError, ValueError):
            os.kill(int(self._pid_file.read_text()), by)
        with contextlib.suppress(subprocess.TimeoutExpired):
            shell.wait(STOP_SECONDS)
        shell.stdin.close()  # which kills what is left
        shell.wait(STOP_SECONDS)

    def _last(self) -> str:
        lines = self.log.read_text("utf-8", "replace").strip().splitlines()
        wrong = [line for line in lines if " ERROR " in line or " FATAL " in line] or lines
        return f"{wrong[-1][:500] if wrong else ''} ({self.log})"


def configuration(data_dir: Path, ports: dict[str, int]) -> str:
    """``broker.properties``: production semantics on one node, with little of everything."""
    places = {name: f"{name}://127.0.0.1:{port}" for name, port in ports.items()}
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{ports['CONTROLLER']}",
        "listeners": ",".join(places.values()),
        "advertised.listeners": ",".join(places[name] for name in PROTOCOLS),
        "listener.security.protocol.map": ",".join(
            ["CONTROLLER:PLAINTEXT", *(f"{name}:{name}" for name in PROTOCOLS)]
        ),
        "inter.broker.listener.name": "PLAINTEXT",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        **{
            f"listener.name.{name.lower()}.scram-sha-512.sasl.jaas.config": scram
            for name in ("SASL_PLAINTEXT", "SASL_SSL")
        },
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(data_dir / "broker.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(data_dir / "ca.pem"),
        "log.dirs": str(data_dir / "log"),
        # Topics are made by code; a name written wrongly is to be heard of.
        "auto.create.topics.enable": "false",
        "default.replication.factor": "1",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "3",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "3",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # A group of two is complete at once, and a dead member is missed soon.
        "group.initial.rebalance.delay.ms": "100",
        "group.min.session.timeout.ms": "1000",
        # A broker killed and started again is let in when its old session is over.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        "num.network.threads": "2",
        "num.io.threads": "2",
        "background.threads": "2",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
