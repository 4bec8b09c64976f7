"""Leads that no test of the present version has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enrollment.identity.store import lock_employers
from enrollment.leads.worth import store
from enrollment.leads.worth.projections import assess_employers, assess_persons
from enrollment.register.store.employers import lock_register

if TYPE_CHECKING:
    from shared.runtime import Runtime

HOLDERS_AT_ONCE = 1000


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
