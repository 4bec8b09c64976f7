"""The project's own files, as the house rules look at them."""

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "shared",
    "services/registration-feed/registration_feed",
    "services/tax-feed/tax_feed",
    "services/enrollment/enrollment",
    "services/reporting/reporting",
    "deploy/kuomian",
)
IMPORT_ROOTS = (
    ".",
    "services/registration-feed",
    "services/tax-feed",
    "services/enrollment",
    "services/reporting",
    "deploy",
)
_SKIPPED = {".git", ".venv", ".data", ".cache", "node_modules", "__pycache__", "dist", "build"}


@functools.cache
def committed() -> tuple[Path, ...]:
    """Every file that is or would be committed; without git, every file but caches."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        paths = [p for p in ROOT.rglob("*") if not _SKIPPED & set(p.relative_to(ROOT).parts)]
    return tuple(sorted(path for path in paths if path.is_file()))


def texts() -> Iterator[tuple[Path, str]]:
    """Committed text files with their contents."""
    for path in committed():
        try:
            yield path, path.read_text("utf-8")
        except UnicodeDecodeError:
            continue


def package_files() -> list[Path]:
    """The Python files of the product itself, without tests and migrations."""
    found = []
    for package in PACKAGES:
        found += sorted((ROOT / package).rglob("*.py"))
    return [path for path in found if "migrations" not in path.parts]


@functools.cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"), str(path))


def name(path: Path) -> str:
    """A file's path from the root, for messages."""
    return path.relative_to(ROOT).as_posix()


def dotted(node: ast.expr) -> str:
    """``a.b.c`` of an attribute chain, as far as it is one."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "()"
