"""What departments say of having told an enterprise to enrol."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads.work import models
from shared.copying import copy_into
from shared.database import raw


async def keep_notices(
    conn: AsyncConnection,
    told: Mapping[str, tuple[int, date | None]],
    known: Set[str],
) -> None:
    """Subject → (revision, day told); an older state than the one known changes nothing.
    ``known``: all subjects of these of which anything can have been told before."""
    columns = ("subject", "revision", "notified_on")
    first = [(subject, *told[subject]) for subject in sorted(told) if subject not in known]
    if first:
        await copy_into(conn, models.lead_notices, columns, first)
    later = sorted(known & told.keys())
    if not later:
        return
    driver = await raw(conn)
    await driver.execute(
        "INSERT INTO lead_notices (subject, revision, notified_on) "
        "SELECT * FROM unnest(%s::text[], %s::int[], %s::date[]) "
        "ON CONFLICT (subject) DO UPDATE SET revision = EXCLUDED.revision, "
        "notified_on = EXCLUDED.notified_on WHERE lead_notices.revision < EXCLUDED.revision",
        (later, [told[one][0] for one in later], [told[one][1] for one in later]),
    )
