"""What a dry run measures of the state: sums by unit, keys touched and keys left behind."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import raw
from shared.deliveries.standing import Standing
from shared.deliveries.store.rows import DeliveryRow


async def sums_by_unit(
    conn: AsyncConnection, standing: Standing | None
) -> Mapping[str | None, Mapping[str, int]]:
    """Unit (None: a department's own form) → name → sum, of the sums the feed names, if any."""
    if standing is None or not standing.figures:
        return {}
    driver = await raw(conn)
    cursor = await driver.execute(
        sql.SQL("SELECT unit, {sums} FROM {table} GROUP BY unit").format(
            sums=sql.SQL(", ").join(
                sql.SQL("coalesce((" + figure + ")::bigint, 0)")
                for figure in standing.figures.values()
            ),
            table=sql.Identifier(standing.table.name),
        )
    )
    names = list(standing.figures)
    return {unit: dict(zip(names, sums, strict=True)) for unit, *sums in await cursor.fetchall()}


async def touched(conn: AsyncConnection, standing: Standing, row: DeliveryRow) -> tuple[int, int]:
    """Keys it would bring, and keys whose state it would change."""
    driver = await raw(conn)
    cursor = await driver.execute(
        sql.SQL(
            "SELECT count(*) FILTER (WHERE revision = 1), count(*) FILTER (WHERE revision > 1) "
            "FROM {table} WHERE delivery_id = %s"
        ).format(table=sql.Identifier(standing.table.name)),
        (row.id,),
    )
    found = await cursor.fetchone()
    return (found[0], found[1]) if found else (0, 0)


async def left_behind(conn: AsyncConnection, standing: Standing, row: DeliveryRow) -> int:
    """Keys that stand by the superseded delivery and that this one does not name."""
    driver = await raw(conn)
    cursor = await driver.execute(
        sql.SQL(
            "SELECT count(*) FROM {table} AS s WHERE s.delivery_id = %s AND NOT EXISTS "
            "(SELECT FROM delivery_keys AS n WHERE n.delivery_id = %s AND n.natural_key = s.{key})"
        ).format(table=sql.Identifier(standing.table.name), key=sql.Identifier(standing.key)),
        (row.supersedes, row.id),
    )
    found = await cursor.fetchone()
    return found[0] if found else 0
