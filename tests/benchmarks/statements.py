"""What PostgreSQL says of the statements of a while: cost of each, and plans that scan."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

OPTIONS: Final[Mapping[str, str]] = {
    "shared_preload_libraries": "pg_stat_statements,auto_explain",
    "pg_stat_statements.track": "all",
    "auto_explain.log_format": "json",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_min_duration": "-1",
    "log_line_prefix": "",
}
"""What the server is started with."""
LARGE: Final = 5_000
"""A scan that reads fewer rows than this is none to worry about."""
STAGED: Final = re.compile(r"stage_|posting_")


@dataclass(frozen=True)
class Cost:
    """One statement over a while."""

    query: str
    calls: int
    total_ms: float
    blocks: int

    @property
    def mean_ms(self) -> float:
        return self.total_ms / max(self.calls, 1)


@dataclass(frozen=True)
class Scan:
    """A plan node that read a whole table."""

    query: str
    table: str
    rows: int


@dataclass(frozen=True)
class Seen:
    """Costs, the dearest first, scans, the largest first, and the last plan of every statement."""

    costs: list[Cost]
    scans: list[Scan]
    plans: Mapping[str, Mapping[str, Any]]


class Server:
    """Asks one server about its statements, as its superuser."""

    def __init__(self, url: str, log: Path) -> None:
        self._conn = psycopg.connect(url, autocommit=True)
        self._conn.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        self._log, self._from = log, 0

    def begin(self) -> None:
        """Forget what was before; plans are logged from now on."""
        self._conn.execute("SELECT pg_stat_statements_reset()")
        self._explain("0")
        self._from = self._log.stat().st_size

    def end(self) -> Seen:
        """What was seen since ``begin``; of superusers, who only look, nothing."""
        self._explain("-1")
        rows = self._conn.execute(
            "SELECT s.query, s.calls, s.total_exec_time, s.shared_blks_hit + s.shared_blks_read"
            " FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid"
            " JOIN pg_roles r ON r.oid = s.userid"
            " WHERE d.datname <> 'postgres' AND NOT r.rolsuper ORDER BY s.total_exec_time DESC"
        ).fetchall()
        with self._log.open("rb") as log:
            log.seek(self._from)
            said = log.read().decode("utf-8", "replace")
        plans = {_one_line(plan.get("Query Text")): plan for plan in plans_in(said)}
        return Seen([Cost(*row) for row in rows], scans_in(said), plans)

    def bytes_on_disk(self) -> int:
        """Size of all databases."""
        found = self._conn.execute("SELECT sum(pg_database_size(oid)) FROM pg_database").fetchone()
        return int(found[0]) if found else 0

    def close(self) -> None:
        """End the session."""
        self._conn.close()

    def _explain(self, duration: str) -> None:
        statement = f"ALTER SYSTEM SET auto_explain.log_min_duration = {duration}"
        self._conn.execute(statement.encode())
        self._conn.execute("SELECT pg_reload_conf()")


def scans_in(log: str) -> list[Scan]:
    """Every node of the logged plans that read a table of ``LARGE`` rows from end to end. Pure."""
    found: dict[tuple[str, str], Scan] = {}
    for plan in plans_in(log):
        query = _one_line(plan.get("Query Text"))[:160]
        for node in nodes(plan.get("Plan", {})):
            table = str(node.get("Relation Name"))
            # What was staged for the statement is there to be read from end to end.
            if node.get("Node Type") != "Seq Scan" or STAGED.match(table):
                continue
            loops = int(node.get("Actual Loops", 1))
            read = node.get("Actual Rows", 0) + node.get("Rows Removed by Filter", 0)
            rows = int(read * loops)
            key = (query, table)
            if rows >= LARGE and (key not in found or found[key].rows < rows):
                found[key] = Scan(query, key[1], rows)
    return sorted(found.values(), key=lambda scan: -scan.rows)


def quiet(url: str) -> str:
    """The address for a session whose own statements are not logged; for superusers."""
    return f"{url}?options=-c%20auto_explain.log_min_duration%3D-1"


def _one_line(query: object) -> str:
    return " ".join(str(query or "").split())


def plans_in(log: str) -> Iterator[Mapping[str, Any]]:
    """The JSON documents after each ``plan:``; what is cut off is left out. Pure."""
    decoder = json.JSONDecoder()
    for piece in log.split("plan:")[1:]:
        text = piece.replace("\n\t", "\n").lstrip()
        try:
            document, _ = decoder.raw_decode(text)
        except json.JSONDecodeError:
            continue
        if isinstance(document, dict):
            yield document


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A plan's nodes, however deep."""
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)
