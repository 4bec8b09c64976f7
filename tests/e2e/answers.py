"""Everything a set-up says about the city, in a form in which two set-ups can be compared."""

from collections.abc import Iterator
from typing import Any

import psycopg

from kuomian.client import Api
from reporting.figures.rules import MEASURES, Account, Segments
from shared.periods import Dekad

FIRST, LAST = Dekad.parse("2008-05-D1"), Dekad.parse("2008-11-D3")

# Whether a lead that stands was advanced since it was opened depends on whether what two offices
# told of it on following days was applied together: that it stands, and since when, does not.
_STANDS = f"CASE WHEN r.account = {Account.LEAD.value} THEN '' ELSE s.status END"
_SEGMENT = ", ".join(_STANDS if name == "status" else f"s.{name}" for name in Segments._fields)
# Whether a gap between what the tax office counts and the register was ever seen, and from which
# day, depends on which of two services' facts came first when they are days apart in the story and
# moments apart in the load. Which leads stand open in the end, and since when, does not.
_DAY = f"CASE WHEN r.account = {Account.LEAD.value} THEN NULL ELSE r.effective_on END"
# Not when something was recorded, nor in which part of the ledger: that is the set-up's own.
_LEDGER = (
    f"SELECT r.account, u.code, {_SEGMENT}, {_DAY}, sum(r.q1), sum(r.q2), sum(r.q3)"
    " FROM rollups r JOIN unit_codes u ON u.id = r.unit JOIN segment_sets s ON s.id = r.segment"
    f" GROUP BY r.account, u.code, {_SEGMENT}, {_DAY}"
    " HAVING sum(r.q1) <> 0 OR sum(r.q2) <> 0 OR sum(r.q3) <> 0"
)
_LEADS = (
    "SELECT kind, unit, gap, opened_on, count(*) FROM leads WHERE closed_on IS NULL"
    " GROUP BY kind, unit, gap, opened_on"
)


def dekads() -> Iterator[Dekad]:
    """Those of the city's story."""
    dekad = FIRST
    while dekad <= LAST:
        yield dekad
        dekad = dekad.next()


async def progress_of(api: Api) -> dict[str, Any]:
    """Dekad → measure → every unit: opening, dekad, cumulative, pace, rank and all."""
    found: dict[str, Any] = {}
    for dekad in dekads():
        asked = {"period": str(dekad), "measure": list(MEASURES)}
        tables = (await api.get("/reporting/v1/progress", **asked))["measures"]
        by_name = {table["name"]: table for table in tables}
        leads = by_name.pop("leads-open")
        found[str(dekad)] = by_name
    # In the end only, for the reason given above.
    found["leads-open"] = {row["unit"]["code"]: row["cumulative"]["value"] for row in leads["rows"]}
    return found


def ledger_of(url: str) -> set[tuple[Any, ...]]:
    """What stands in the ledger of a reporting database, per account, unit, segment and day."""
    return _rows(url, _LEDGER)


def leads_of(url: str) -> set[tuple[Any, ...]]:
    """How many leads of each kind stand open in an enrollment database, by unit, gap and day."""
    return _rows(url, _LEADS)


def _rows(url: str, statement: str) -> set[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return set(connection.execute(statement.encode()))
