"""Every SQL statement of registration-feed beyond the shared mechanisms."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, RowMapping, Table, and_, not_, select, text, true
from sqlalchemy.ext.asyncio import AsyncConnection

from registration_feed import models

TABLES: dict[str, Table] = {
    "business-licences": models.business_licences,
    "organisation-codes": models.organisation_codes,
}

_VERSIONS = text(
    "SELECT revision, delivery_id, record_no, superseded_at FROM superseded_versions"
    " WHERE feed = :feed AND natural_key = :number AND revision IS NOT NULL"
    " ORDER BY revision DESC LIMIT 100"
)


async def list_enterprises(
    conn: AsyncConnection,
    feed: str,
    equal: Mapping[str, str | bool | None],
    units: Collection[str] | None,
    notified: bool | None,
    after: str | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Licences or certificates in order of number, at most ``limit`` of those after ``after``.

    ``equal``: column → value, None for any. ``units``: those the caller may see, None for all.
    ``notified``: those told to enrol, or those not; None for all.
    """
    table = TABLES[feed]
    wanted: list[ColumnElement[bool]] = [true()]
    wanted += [table.c[name] == value for name, value in equal.items() if value is not None]
    if units is not None:
        wanted.append(table.c.unit.in_(units))
    if notified is not None:
        untold = table.c.notified_on.is_(None)
        wanted.append(not_(untold) if notified else untold)
    if after is not None:
        wanted.append(table.c.natural_key > after)
    query = select(table).where(and_(*wanted)).order_by(table.c.natural_key).limit(limit)
    return (await conn.execute(query)).mappings().all()


async def find_enterprise(conn: AsyncConnection, feed: str, number: str) -> RowMapping | None:
    """One licence or certificate by its number, or None."""
    table = TABLES[feed]
    query = select(table).where(table.c.natural_key == number)
    return (await conn.execute(query)).mappings().one_or_none()


async def earlier_versions(conn: AsyncConnection, feed: str, number: str) -> Sequence[RowMapping]:
    """What stood before the current version of a number, newest first, at most 100."""
    found = await conn.execute(_VERSIONS, {"feed": feed, "number": number})
    return found.mappings().all()
