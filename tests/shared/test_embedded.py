"""The embedded server: starts, is joined, survives being killed, keeps services apart."""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from shared.embedded import EmbeddedPostgres, EmbeddedPostgresError
from tests.conftest import TEST_OPTIONS, PostgresForTests


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="kuomian-embedded-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def _one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def test_life_of_a_server(folder: Path) -> None:
    durable = {**TEST_OPTIONS, "synchronous_commit": "on"}
    with EmbeddedPostgres(folder, durable) as server:
        url = server.create_database("tax_feed", "tax_feed")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS a")
        second = EmbeddedPostgres(folder).start()
        assert not second.started_here
        assert second.url("tax_feed", "tax_feed") == url
        second.stop()
        assert _one(url, "SELECT current_user::text") == "tax_feed"
        collation = "SELECT datcollate FROM pg_database WHERE datname = current_database()"
        assert _one(url, collation) == "C"

        with psycopg.connect(url) as connection:
            backend = connection.info.backend_pid
            server.kill()
            assert not _runs(backend)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url, connect_timeout=1)
        assert (folder / "postgres" / "postmaster.pid").exists()
        server.start()
        assert server.started_here
        assert _one(server.url("tax_feed", "tax_feed"), "SELECT a FROM kept") == 1

        server.stop(immediate=True)
        # Of a server long gone, its number now someone else's: ours.
        (folder / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n")
        server.start()
        assert _one(server.url("tax_feed", "tax_feed"), "SELECT a FROM kept") == 1
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=1)


def test_databases_are_made_once_and_closed_to_others(postgres: PostgresForTests) -> None:
    server = postgres.server
    ours = server.create_database("ours", "role_ours")
    assert server.create_database("ours", "role_ours") == ours
    server.create_database("theirs", "role_theirs")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(server.url("theirs", "role_ours"))
    with psycopg.connect(ours) as connection:
        connection.execute("CREATE TABLE template_content AS SELECT 7 AS a")
    copy = server.create_database("copy", "role_ours", template="ours")
    assert _one(copy, "SELECT a FROM template_content") == 7
    server.drop_database("copy")
    server.drop_database("copy")


def test_passwords_are_for_the_owner_only_and_required(postgres: PostgresForTests) -> None:
    server = postgres.server
    notes = server.data_dir / "server.json"
    assert stat.S_IMODE(notes.stat().st_mode) == 0o600
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(re.sub(r":[0-9a-f]+@", ":guess@", server.url()))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server under another user")
def test_a_home_folder_is_refused_with_advice(folder: Path) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)
    with pytest.raises(EmbeddedPostgresError, match="outside home folders"):
        EmbeddedPostgres(home / "data").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
def test_an_ordinary_user_runs_it_as_himself(folder: Path) -> None:
    shutil.chown(folder, "nobody")
    child = os.fork()
    if child == 0:  # pragma: no cover - the other process
        code = 1
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            with EmbeddedPostgres(folder, TEST_OPTIONS) as server:
                code = 0 if _one(server.create_database("a", "a"), "SELECT 0") == 0 else 2
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
