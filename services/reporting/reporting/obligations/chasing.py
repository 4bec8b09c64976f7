"""The periodic work: reminders before due moments and chases after them, told once (F44).

Told is what stands in ``obligation_notices``; the fact goes to the outbox in the same transaction.
So a run repeated, killed half-way or done by two processes at once tells nothing twice.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from reporting.obligations import chase_rules, report, store
from reporting.obligations.chase_rules import Notice
from shared.events import Fact
from shared.events.reporting import ObligationOverdue, ObligationReminded
from shared.plan import Chasing
from shared.runtime import Runtime


async def tell(runtime: Runtime) -> int:
    """Give every reminder and chase that is due by the clock now; returns how many.

    None while another process is at it, or where the plan wants none. One statement more than
    reading obligations costs. Raises DatabaseAway.
    """
    chasing = runtime.plan.chasing
    if chasing is None:
        return 0
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        if not await store.be_the_one(conn):
            return 0
        found = await report.stood(conn, runtime.plan, now)
        told = await store.told(conn)
        notices = chase_rules.notices(found.standings, told, now, chasing)
        if notices:
            await store.keep_notices(conn, [_row(notice, now) for notice in notices])
            await runtime.outbox.write(conn, [_fact(notice, now, chasing) for notice in notices])
    return len(notices)


def _row(notice: Notice, now: datetime) -> dict[str, Any]:
    owed = notice.about.owed
    return {
        "obligation": owed.id,
        "kind": notice.kind,
        "feed": owed.feed,
        "department": owed.department,
        "unit": owed.unit,
        "period": owed.period,
        "due_at": owed.due_at,
        "level": notice.level,
        "revision": notice.revision,
        "standing": notice.standing,
        "told_at": now,
        "changed_at": now,
    }


def _fact(notice: Notice, now: datetime, chasing: Chasing) -> Fact:
    owed = notice.about.owed
    state: dict[str, Any] = {
        "key": owed.feed,
        "subject": f"{notice.kind}:{owed.id}",
        "revision": notice.revision,
        "recorded_at": now,
        "correction": notice.revision > 1,
        "obligation": owed.id,
        "feed": owed.feed,
        "department": owed.department,
        "unit": owed.unit,
        "period": owed.period,
        "cut_off_on": owed.cut_off_on,
        "due_at": owed.due_at,
    }
    if notice.level is None:
        return ObligationReminded(**state)
    return ObligationOverdue(
        **state,
        level=notice.level,
        level_code=chasing.levels.rows[notice.level - 1].code,
        standing=notice.standing,
    )
