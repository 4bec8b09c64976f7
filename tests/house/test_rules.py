"""House rules no tool knows: who may commit, read the environment, ask the time; names, sizes."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from source import ROOT, committed, dotted, name, package_files, texts, tree

LONGEST = 450
"""Lines of a file beyond which it must become a folder; about 300 are meant."""

Finding = tuple[Path, int, str]


def calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield node, dotted(node.func)


def imports(module: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            yield node.lineno, source
            yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)


def told(findings: Iterator[Finding] | list[Finding]) -> list[str]:
    return [f"{name(path)}:{line}: {what}" for path, line, what in findings]


def environment_reads(path: Path, module: ast.Module) -> list[Finding]:
    found = [
        (path, node.lineno, dotted(node))
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute)
        and dotted(node) in ("os.environ", "os.getenv", "os.environb", "os.putenv")
    ]
    taken = ("os.environ", "os.getenv")
    return found + [(path, line, what) for line, what in imports(module) if what in taken]


def clock_reads(path: Path, module: ast.Module) -> list[Finding]:
    asked = re.compile(
        r"(.*\.)?(datetime\.(now|utcnow|today)|date\.today"
        r"|time\.(time|time_ns|localtime|gmtime|ctime))"
    )
    found = [
        (path, node.lineno, dotted(node))
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and asked.fullmatch(dotted(node))
    ]
    return found + [(path, line, what) for line, what in imports(module) if what == "time.time"]


TRANSACTION = re.compile(r"\s*(BEGIN|COMMIT|END)\s*;?\s*", re.IGNORECASE)


def commits(path: Path, module: ast.Module) -> list[Finding]:
    """Commits of connections, and connections made past ``shared.database``."""
    opened = ("create_engine", "create_async_engine", "psycopg.connect", "AsyncConnection.connect")
    found = []
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            called = dotted(node.func)
            bus = called.endswith(("consumer.commit", "_joined.commit"))
            if (called.endswith(".commit") and not bus) or called.endswith(opened):
                found.append((path, node.lineno, called))
        elif isinstance(node, ast.Constant) and TRANSACTION.fullmatch(str(node.value)):
            found.append((path, node.lineno, str(node.value)))
    return found


MAY_OPEN = {
    "shared/database.py",
    "shared/migrate.py",  # Alembic's own runs
    "shared/embedded.py",  # makes roles and databases as the server's superuser
    "shared/bus/postgres.py",  # the embedded bus keeps a database of its own
    "shared/bus/postgres_group.py",
}


def test_only_settings_reads_the_environment() -> None:
    found = [f for p in package_files() for f in environment_reads(p, tree(p))]
    assert told([f for f in found if name(f[0]) != "shared/settings.py"]) == []


def test_only_the_clock_knows_the_time() -> None:
    found = [f for p in package_files() for f in clock_reads(p, tree(p))]
    assert told([f for f in found if name(f[0]) != "shared/clock.py"]) == []


def test_only_the_database_commits() -> None:
    found = [f for p in package_files() for f in commits(p, tree(p))]
    assert told([f for f in found if name(f[0]) not in MAY_OPEN]) == []


PURE_SHARED = ("shared.periods", "shared.identifiers", "shared.money", "shared.plan")
IMPURE_STDLIB = re.compile(
    "asyncio|concurrent|contextvars|ctypes|ftplib|glob|http|io|logging|multiprocessing|os|pathlib"
    "|queue|random|secrets|select|shelve|shutil|signal|smtplib|socket|sqlite3|ssl|subprocess"
    "|tempfile|threading|time|urllib|uuid"
)


def impure_imports(path: Path, module: ast.Module) -> list[Finding]:
    """What rules may not import: all but the pure standard library, the pure parts of shared,
    and rules of their own service."""
    service = path.relative_to(ROOT).parts[2] if "services" in path.parts else path.parts[-2]
    found = []
    for line, what in imports(module):
        root = what.split(".")[0]
        standard = root in sys.stdlib_module_names and not IMPURE_STDLIB.fullmatch(root)
        pure = any(what == p or what.startswith(p + ".") for p in PURE_SHARED) or what == "shared"
        own = root == service and "rules" in what.split(".")
        if not (standard or pure or own or root == "__future__"):
            found.append((path, line, what))
    return found


def rule_files() -> list[Path]:
    return [p for p in package_files() if p.name == "rules.py" or p.parent.name == "rules"]


def test_rules_are_pure() -> None:
    assert rule_files()
    assert told([f for p in rule_files() for f in impure_imports(p, tree(p))]) == []


def test_rules_neither_read_nor_wait() -> None:
    found = [
        (path, call.lineno, called)
        for path in rule_files()
        for call, called in calls(path)
        if called in ("open", "print", "input", "eval", "exec")
    ]
    found += [
        (path, node.lineno, "async")
        for path in rule_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.AsyncFunctionDef | ast.Await)
    ]
    assert told(found) == []


FORBIDDEN_NAMES = re.compile(r"(.*_)?(utils?|helpers?|common|manager|misc)", re.IGNORECASE)


def test_nothing_is_called_utils() -> None:
    files = [
        name(p)
        for p in committed()
        if any(FORBIDDEN_NAMES.fullmatch(x.split(".")[0]) for x in p.relative_to(ROOT).parts)
    ]
    classes = [
        (path, node.lineno, node.name)
        for path in package_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and re.search(r"(Utils?|Helpers?|Manager)$", node.name)
    ]
    assert files == []
    assert told(classes) == []


def test_files_stay_readable() -> None:
    lengths = {name(p): len(p.read_text("utf-8").splitlines()) for p in package_files()}
    long = {path: lines for path, lines in lengths.items() if lines > 350}
    if long:
        print("long files, to be split when next touched:", long)  # noqa: T201
    assert {path: lines for path, lines in long.items() if lines > LONGEST} == {}


# Put together here, so that this file is not its own finding.
MACHINE = re.compile(
    "|".join(
        [
            r"(?<![\w.-])/(" + "|".join(["work", "root", "home", "Users"]) + r")/[\w.-]+",
            r"/opt/" + "kv",
            r"(?<!\w)/tmp/" + "kuomian",
        ]
    )
)
ADDRESS = re.compile(
    r"\b(10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|172\.(1[6-9]|2\d|3[01])\.\d+\.\d+)\b"
    r"|https?://(?!maven\.apache\.org/POM/)"  # an XML namespace, nothing is fetched there
    r"[^\s\"'`)]*(pypi|npmjs|registry|artifactory|nexus|mirror|maven)[^\s\"'`)]*",
    re.IGNORECASE,
)


def places(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name(path)}:{no}: {found[0]}"
        for path, text in texts()
        for no, line in enumerate(text.splitlines(), 1)
        if (found := pattern.search(line))
    ]


def test_no_machine_is_named() -> None:
    assert places(MACHINE) == []


def test_no_registry_or_private_address() -> None:
    assert places(ADDRESS) == []


def test_the_constraints_pin_every_dependency_and_name_no_address() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if line.strip() and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][\w.+!-]*", pin)] == []
    named = {plain(pin.split("==")[0]) for pin in pins}
    assert len(named) == len(pins)
    wanted = list(project["project"]["dependencies"]) + project["build-system"]["requires"]
    for extra in project["project"].get("optional-dependencies", {}).values():
        wanted += extra
    missing = [w for w in wanted if plain(re.split(r"[\[<>=!~; ]", w)[0]) not in named]
    assert missing == []


def plain(package: str) -> str:
    """A package's name in its one standard form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", package).lower()


@pytest.mark.parametrize(
    ("check", "source"),
    [
        (environment_reads, "import os\nx = os.environ['A']"),
        (environment_reads, "from os import environ"),
        (clock_reads, "from datetime import datetime\ndatetime.now()"),
        (clock_reads, "import datetime\ndatetime.datetime.utcnow()"),
        (clock_reads, "import datetime as d\nf = d.date.today"),
        (clock_reads, "import time\ntime.time()"),
        (commits, "async def f(conn):\n    await conn.commit()"),
        (commits, "e = create_async_engine('x')"),
        (commits, "conn.execute('commit;')"),
        (impure_imports, "import os"),
        (impure_imports, "from shared.database import Database"),
        (impure_imports, "from shared import clock"),
        (impure_imports, "import sqlalchemy"),
        (impure_imports, "from tax_feed.store import x"),
    ],
)
def test_every_breach_is_seen(check: object, source: str) -> None:
    path = ROOT / "services/tax-feed/tax_feed/collection/rules.py"
    assert callable(check)
    assert check(path, ast.parse(source))
