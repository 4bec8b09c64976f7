"""The effectiveness test run over the leads of many holders at once, and its results kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.leads.worth import rules, store
from enrollment.leads.worth.rules import Known
from enrollment.leads.worth.store import Segments, Worth


async def assess_employers(
    conn: AsyncConnection, employers: Collection[str], assessed_at: datetime
) -> None:
    """Test every lead of these employers anew, as their evidence stands in this transaction: one
    read and one write for any number. The caller holds the employers' row locks."""
    found = await store.known_of_employers(conn, employers)
    await store.write_worth(conn, _tested(found, assessed_at))


async def assess_persons(
    conn: AsyncConnection, persons: Collection[str], assessed_at: datetime
) -> None:
    """The same of persons; the caller holds the register's lock."""
    found = await store.known_of_persons(conn, persons)
    await store.write_worth(conn, _tested(found, assessed_at))


def _tested(found: Sequence[tuple[str, Segments, Known]], assessed_at: datetime) -> list[Worth]:
    rows = []
    for lead_id, segments, known in found:
        effect, reasons = rules.test(known)
        persons, basis = rules.estimate(known)
        rows.append(
            Worth(
                lead_id,
                effect,
                ",".join(reasons),
                persons,
                basis,
                segments.household,
                segments.ownership,
                segments.trade,
                rules.RULE_VERSION,
                assessed_at,
            )
        )
    return rows
