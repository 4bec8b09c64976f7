"""The checkers of manifests: kept outside the checkout and out of constraints.txt, each set in a
virtual environment of its own, made by the run that needs it under CI, elsewhere by hand.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).parent / "requirements"
KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1"


def in_ci() -> bool:
    """Where a missing tool is a failure, and is fetched first."""
    return bool(os.environ.get("CI"))


def cache() -> Path:
    """Outside the checkout, kept from run to run."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "kuomian" / "deploy-tools"


def checkers() -> Path:
    """The ``bin`` of the environment with the small checkers; skips where it is not there."""
    lines = (REQUIREMENTS / "manifests.txt").read_text("utf-8").splitlines()
    return environment("manifests", lines)


def checkov() -> Path:
    """The ``bin`` of checkov's own environment."""
    return environment("checkov", (REQUIREMENTS / "checkov.txt").read_text("utf-8").splitlines())


def sbom() -> Path:
    """The ``bin`` of the environment with the tool that writes bills of materials."""
    return environment("sbom", (REQUIREMENTS / "sbom.txt").read_text("utf-8").splitlines())


def image_environment() -> Path:
    """The ``bin`` of an environment with what an image installs: what pyproject.toml asks for at
    the versions of constraints.txt, no extras, no installer."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    constraints = ROOT / "constraints.txt"
    return environment("image", project["dependencies"], constraints)


def environment(name: str, requirements: Iterable[str], constraints: Path | None = None) -> Path:
    """The ``bin`` of a virtual environment holding just these, made under CI when it is missing."""
    wanted = [line.strip() for line in requirements if line.strip()]
    options = ["--constraint", str(constraints)] if constraints else []
    pinned = constraints.read_text("utf-8") if constraints else ""
    digest = hashlib.sha256("\n".join([sys.version, *wanted, pinned]).encode()).hexdigest()[:12]
    folder = cache() / f"{name}-{digest}"
    stamp = folder / "complete"
    if not stamp.exists():
        if not in_ci():
            pytest.skip(
                f"{name}: not installed; CI=true makes it, or: python -m venv --without-pip "
                f"{folder} && python -m pip --python {folder}/bin/python install "
                f"{' '.join([*options, *map(repr, wanted)])} && touch {stamp}"
            )
        with _alone(name):
            if not stamp.exists():
                run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder))
                run(
                    *(sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"),
                    *("--python", str(folder / "bin" / "python"), "install", "--only-binary"),
                    *(":all:", *options, *wanted),
                )
                stamp.touch()
    return folder / "bin"


def kustomize() -> list[str]:
    """The command that renders a folder, given after it."""
    kubectl = shutil.which("kubectl")
    if kubectl is not None and _kustomize_version(kubectl) >= (5, 5):
        return [kubectl, "kustomize"]
    built = shutil.which("kustomize") or str(cache() / "kustomize")
    if not Path(built).exists():
        if not in_ci() or shutil.which("go") is None:
            told = f"kubectl or kustomize is needed: GOBIN={cache()} go install {KUSTOMIZE}"
            pytest.fail(told) if in_ci() else pytest.skip(told)
        with _alone("kustomize"):
            run("go", "install", KUSTOMIZE, GOBIN=str(cache()))
    return [built, "build"]


def _kustomize_version(kubectl: str) -> tuple[int, ...]:
    try:
        found = json.loads(run(kubectl, "version", "--client", "-o", "json"))
        return tuple(int(part) for part in found["kustomizeVersion"].lstrip("v").split(".")[:2])
    except (AssertionError, ValueError, KeyError):
        return (0,)


def from_debian(program: str, package: str) -> str:
    """Where a program lies that ``deploy/debian.sh`` installs; skips where it is not there."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is not None:
        return found
    told = f"{program} is needed: apt-get install --no-install-recommends {package}"
    if in_ci():
        pytest.fail(told)
    pytest.skip(told)


def run(*command: str, ok: tuple[int, ...] = (0,), given: str | None = None, **env: str) -> str:
    """Standard output of a command that must end well; its words where it does not."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1", **env},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in ok, (
        f"{' '.join(command[:4])} …: {done.returncode}\n{done.stdout[-6000:]}{done.stderr[-4000:]}"
    )
    return done.stdout


@contextmanager
def _alone(name: str) -> Iterator[None]:
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
