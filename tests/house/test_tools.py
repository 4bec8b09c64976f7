"""ruff, mypy and import-linter agree with the whole product."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from source import IMPORT_ROOTS, PACKAGES, ROOT


def run(*arguments: str) -> None:
    """A tool of this interpreter's environment, over the project; what it says on failure."""
    paths = os.pathsep.join(str(ROOT / folder) for folder in IMPORT_ROOTS)
    done = subprocess.run(
        arguments,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths, "NO_COLOR": "1", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def tool(command: str) -> str:
    """A command installed beside this interpreter."""
    path = Path(sys.executable).parent / command
    if not path.exists():
        pytest.skip(f"{command} is not installed here (development extra)")
    return str(path)


def test_ruff_finds_nothing() -> None:
    run(tool("ruff"), "check", ".")


def test_ruff_would_format_nothing() -> None:
    run(tool("ruff"), "format", "--check", ".")


@pytest.mark.slow
def test_types_hold() -> None:
    run(tool("mypy"), *(package for package in PACKAGES if (ROOT / package).is_dir()))


def test_imports_keep_to_the_contracts() -> None:
    run(tool("lint-imports"))
