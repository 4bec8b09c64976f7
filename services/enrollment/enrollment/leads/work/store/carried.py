"""Whose work counts with whose: leads of employers that were found to be one."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads.changes import Stored
from shared.database import raw


async def targets(conn: AsyncConnection, moves: Mapping[str, str]) -> list[tuple[str, str]]:
    """(lead of an old employer that was worked on, lead of the new one that goes on), for those
    that have one of the same kind. ``moves``: old → new."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT a.lead_id, t.lead_id FROM unnest(%s::text[], %s::text[]) AS m (old, new) "
        "JOIN leads a ON a.employer_id = m.old AND a.void AND a.outcome = 'merged' "
        "JOIN lead_work w ON w.lead_id = a.lead_id AND w.version > 0 "
        "CROSS JOIN LATERAL (SELECT l.lead_id FROM leads l WHERE l.employer_id = m.new "
        "AND l.kind = a.kind AND NOT l.void "
        "ORDER BY l.status = 'closed', l.ordinal DESC LIMIT 1) AS t ORDER BY t.lead_id, a.lead_id",
        (list(moves), list(moves.values())),
    )
    return await cursor.fetchall()


async def joined(conn: AsyncConnection, employer_id: str) -> list[tuple[str, str]]:
    """(lead of the employer, lead with which its work was ever counted)."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT DISTINCT l.lead_id, n.lead_id FROM leads l JOIN lead_entries n "
        "ON n.kind = 'joined' AND n.code = l.lead_id WHERE l.employer_id = %s ORDER BY 2, 1",
        (employer_id,),
    )
    return await cursor.fetchall()


async def above(conn: AsyncConnection, lead_id: str) -> list[str]:
    """Leads with which this one's work was ever counted, through others too."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "WITH RECURSIVE up (lead_id) AS (SELECT n.lead_id FROM lead_entries n "
        "WHERE n.kind = 'joined' AND n.code = %(lead)s UNION SELECT n.lead_id FROM up "
        "JOIN lead_entries n ON n.kind = 'joined' AND n.code = up.lead_id) "
        "SELECT lead_id FROM up WHERE lead_id <> %(lead)s ORDER BY lead_id",
        {"lead": lead_id},
    )
    return [row[0] for row in await cursor.fetchall()]


async def standing(conn: AsyncConnection, lead_id: str) -> Stored | None:
    """The lead, unless it has ended."""
    driver = await raw(conn)
    cursor = await driver.execute(
        f"SELECT {', '.join(Stored._fields)} FROM leads WHERE lead_id = %s AND status <> 'closed'",
        (lead_id,),
    )
    row = await cursor.fetchone()
    return None if row is None else Stored._make(row)
