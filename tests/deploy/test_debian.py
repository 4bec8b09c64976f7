"""What comes from Debian is installed where it may be, else asked for in one line."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy import tools

SCRIPT = tools.ROOT / "deploy/debian.sh"
LINE = "apt-get install --no-install-recommends"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder that is the whole PATH: what a bare machine has, for somebody not root."""
    folder = tmp_path / "bin"
    folder.mkdir()
    put(folder, "id", "echo 1000")
    put(folder, "sh", 'exec /bin/sh "$@"')
    return folder


def put(folder: Path, name: str, does: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)


def run(programs: Path, tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The script, a copy of it that looks for programs in the folder alone."""
    copy = tmp_path / "debian.sh"
    text = SCRIPT.read_text("utf-8")
    assert text.count("/usr/sbin/") == 1
    copy.write_text(text.replace("/usr/sbin/", f"{programs}/"))
    return subprocess.run(
        ["/bin/sh", str(copy)],
        env={"PATH": str(programs), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def wanted() -> list[tuple[str, str]]:
    (listed,) = re.findall(r"^wanted='([^']+)'", SCRIPT.read_text("utf-8"), re.MULTILINE)
    return [(line.split()[0], line.split()[1]) for line in listed.splitlines()]


def test_nothing_is_said_when_nothing_is_missing(programs: Path, tmp_path: Path) -> None:
    for program, _ in wanted():
        put(programs, program, "true")
    done = run(programs, tmp_path, CI="true")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_who_may_not_install_is_told_the_line_and_ci_fails(programs: Path, tmp_path: Path) -> None:
    told = run(programs, tmp_path)
    assert told.returncode == 0
    assert f"{LINE} {' '.join(package for _, package in wanted())}" in told.stderr
    assert run(programs, tmp_path, CI="true").returncode != 0


def test_root_installs_without_starting_a_service(programs: Path, tmp_path: Path) -> None:
    put(programs, "id", "echo 0")
    made = " ".join(f"{programs}/{program}" for program, _ in wanted())
    put(
        programs,
        "apt-get",
        f'echo "$SYSTEMD_OFFLINE $*" >> {tmp_path}/called\n'
        f'case "$*" in *install*) for it in {made}; do echo >$it; /bin/chmod +x $it; done;; esac',
    )
    done = run(programs, tmp_path, CI="true")
    assert done.returncode == 0, done.stderr
    update, install = (tmp_path / "called").read_text().splitlines()
    assert update == "1 -qq update"
    assert install.startswith("1 -qq -y install --no-install-recommends ")
    assert done.stdout.startswith("安装")


def test_an_install_that_fails_is_said(programs: Path, tmp_path: Path) -> None:
    put(programs, "id", "echo 0")
    put(programs, "apt-get", "exit 100")
    done = run(programs, tmp_path, CI="true")
    assert done.returncode != 0
    assert LINE in done.stderr


def test_every_program_tests_ask_for_is_listed() -> None:
    asked: set[tuple[str, str]] = set()
    for test in (tools.ROOT / "tests").rglob("*.py"):
        asked |= set(re.findall(r'from_debian\("([^"]+)", "([^"]+)"\)', test.read_text("utf-8")))
    assert asked == set(wanted())
    assert "sh deploy/debian.sh" in (tools.ROOT / "Makefile").read_text("utf-8")
