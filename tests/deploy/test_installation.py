"""What the installation says before anything runs; tests/e2e/test_broker_city.py runs it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from kuomian.all_in_one import sole_server
from kuomian.compose import ComposeService
from kuomian.installation import Installation
from kuomian.installation.jobs import Jobs
from kuomian.installation.parts import options, parts_of, serves
from kuomian.kafka_install import KafkaMissing
from kuomian.words import Failure


def demo(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    paths = os.pathsep.join(path for path in sys.path if path)
    given = {"DATA_DIR": str(folder), "PYTHONPATH": paths, "ONCE": "1", "PORT": "0"}
    return subprocess.run(
        [sys.executable, "-m", "kuomian", "demo", "--on", "kafka"],
        env=os.environ | given | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_java_one_line_says_what_to_install(tmp_path: Path) -> None:
    done = demo(tmp_path, PATH=str(tmp_path))
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "no java is on the path" in line
    assert "openjdk" in line


def test_the_folder_of_another_kind_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    done = demo(tmp_path)
    assert done.returncode == 1
    assert "kuomian demo --on embedded" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["postgres"]


def test_what_does_not_start_leaves_the_folder_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KafkaMissing), Installation(tmp_path):
        pass
    with sole_server(tmp_path):
        pass


def test_parts_are_numbered_when_there_are_several() -> None:
    one = ComposeService("reporting-consumer", command=("serve", "reporting"))
    two = ComposeService("reporting-consumer", command=("serve", "reporting"), scale=2)
    assert parts_of(one) == ["reporting-consumer"]
    assert parts_of(two) == ["reporting-consumer-1", "reporting-consumer-2"]
    assert serves(one)
    assert serves(ComposeService("gateway"))
    assert not serves(ComposeService("migrate-reporting", command=("migrate", "reporting")))


def test_options_of_the_server_are_those_of_its_command() -> None:
    command = ("postgres", "-c", "jit=off", "-c", "wal_compression=on")
    assert options(command) == {"jit": "off", "wal_compression": "on"}


class TestJobs:
    PATH: Mapping[str, str] = {"PATH": "/usr/bin:/bin"}

    def test_one_that_fails_says_its_last_line(self, tmp_path: Path) -> None:
        with pytest.raises(Failure, match=r"once failed \(3\): it is so"):
            Jobs(tmp_path).run("once", ("sh", "-c", "echo no; echo it is so; exit 3"), self.PATH)

    def test_a_health_check_is_repeated_until_it_is_well(self, tmp_path: Path) -> None:
        check = f"test -e {tmp_path}/second || {{ touch {tmp_path}/second; exit 1; }}"
        Jobs(tmp_path).until_well("it", ("sh", "-c", check), self.PATH)
        assert (tmp_path / "second").exists()

    def test_nothing_runs_after_the_end(self, tmp_path: Path) -> None:
        jobs = Jobs(tmp_path)
        jobs.stop()
        with pytest.raises(Failure, match="given up"):
            jobs.run("late", ("touch", str(tmp_path / "x")), self.PATH)
        assert not (tmp_path / "x").exists()
