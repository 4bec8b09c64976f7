"""Everything a set-up says about the city, in a form in which two set-ups can be compared."""

from collections.abc import Iterator
from typing import Any

import psycopg

from kuomian.client import Api
from reporting.figures.rules import MEASURES, Segments
from shared.periods import Dekad

FIRST, LAST = Dekad.parse("2008-05-D1"), Dekad.parse("2008-11-D3")

_SEGMENT = ", ".join(f"s.{name}" for name in Segments._fields)
# Not when something was recorded, nor in which part of the ledger: that is the set-up's own.
_LEDGER = (
    f"SELECT r.account, u.code, {_SEGMENT}, r.effective_on, sum(r.q1), sum(r.q2), sum(r.q3)"
    " FROM rollups r JOIN unit_codes u ON u.id = r.unit JOIN segment_sets s ON s.id = r.segment"
    f" GROUP BY r.account, u.code, {_SEGMENT}, r.effective_on"
    " HAVING sum(r.q1) <> 0 OR sum(r.q2) <> 0 OR sum(r.q3) <> 0 ORDER BY"
    f" r.account, u.code, {_SEGMENT}, r.effective_on"
)


def dekads() -> Iterator[Dekad]:
    """Those of the city's story."""
    dekad = FIRST
    while dekad <= LAST:
        yield dekad
        dekad = dekad.next()


async def progress_of(api: Api) -> dict[str, Any]:
    """Dekad → every measure of every unit: opening, dekad, cumulative, pace, rank and all."""
    return {
        str(dekad): (
            await api.get("/reporting/v1/progress", period=str(dekad), measure=list(MEASURES))
        )["measures"]
        for dekad in dekads()
    }


def ledger_of(url: str) -> list[tuple[Any, ...]]:
    """What stands in the ledger of a reporting database, per account, unit, segment and day."""
    with psycopg.connect(url) as connection:
        return connection.execute(_LEDGER).fetchall()  # type: ignore[arg-type]
