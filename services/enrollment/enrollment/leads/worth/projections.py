"""The effectiveness test run over the leads of many holders at once, and its results kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.identity.store import lock_employers
from enrollment.leads.worth import rules, store
from enrollment.leads.worth.rules import Known
from enrollment.leads.worth.store import Segments, Worth
from enrollment.register.store.employers import lock_register

if TYPE_CHECKING:
    from shared.runtime import Runtime

HOLDERS_AT_ONCE = 1000


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


async def retest(runtime: Runtime) -> int:
    """Test every lead no test of the present version has seen: those an earlier release left, and
    all of them after ``RULE_VERSION`` moved. How many holders were looked at.

    A batch a transaction; killed at any point it goes on where it was, and two at once do no harm.
    """
    looked, last = 0, ""
    while True:
        async with runtime.database.transaction() as conn:
            employers = await store.untested(conn, "employer_id", last, HOLDERS_AT_ONCE)
            await lock_employers(conn, employers)
            await assess_employers(conn, employers, runtime.clock.now())
        looked += len(employers)
        if not employers:
            break
        last = employers[-1]
    last = ""
    while True:
        async with runtime.database.transaction() as conn:
            persons = await store.untested(conn, "person_key", last, HOLDERS_AT_ONCE)
            if not persons:
                return looked
            await lock_register(conn)
            await assess_persons(conn, persons, runtime.clock.now())
        looked += len(persons)
        last = persons[-1]


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
