"""What the leading group's office says of an obligation: why it was late, or that it is excused.

A mark is never changed: another one takes its place, or it is undone, each with who and when, so
that any past moment can still be asked about.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.obligations import report, store
from reporting.obligations.report import Wanted
from reporting.obligations.rules import Owed
from reporting.obligations.schemas import MarkGiven
from shared.crypto import mask_within
from shared.plan import LateReason, Plan
from shared.problems import field_error, problem
from shared.runtime import Runtime

REASON: Final = "reason"
EXCUSE: Final = "excuse"


async def mark(
    conn: AsyncConnection, runtime: Runtime, obligation: str, kind: str, given: MarkGiven, by: str
) -> None:
    """Make the mark the one that stands; nothing happens where it does already.

    Problems: ``not-found``; ``parameter-invalid`` for a code that is not in the plan's list, does
    not excuse, or needs words; ``conflict`` for a reason of what is not late.
    """
    plan, now = runtime.plan, runtime.clock.now()
    owed = report.find_owed(plan, now, obligation)
    if owed is None:
        raise problem("not-found")
    reason = _reason(plan, kind, given)
    await store.lock_mark(conn, obligation)
    if kind == REASON:
        await _require_missed(conn, runtime, owed)
    words = None if given.words is None else mask_within(given.words)
    standing = (await store.marks_at(conn, now, obligation)).get((obligation, kind))
    if standing is not None and (standing.code, standing.words) == (reason.code, words):
        return
    # Also one that a clock set back does not see yet.
    await store.undo_mark(conn, obligation, kind, by, now)
    await store.make_mark(
        conn,
        {
            "obligation": obligation,
            "kind": kind,
            "code": reason.code,
            "words": words,
            "made_by": by,
            "made_at": now,
        },
    )


async def undo(
    conn: AsyncConnection, runtime: Runtime, obligation: str, kind: str, by: str
) -> None:
    """End the mark that stands; problem ``not-found`` when there is none."""
    await store.lock_mark(conn, obligation)
    if not await store.undo_mark(conn, obligation, kind, by, runtime.clock.now()):
        raise problem("not-found")


async def _require_missed(conn: AsyncConnection, runtime: Runtime, owed: Owed) -> None:
    wanted = Wanted(feed=owed.feed, department=owed.department, unit=owed.unit, period=owed.period)
    found = await report.stood(conn, runtime.plan, runtime.clock.now(), wanted)
    [one] = [one for one in found.standings if one.owed.id == owed.id]
    if one.days_late == 0:
        raise problem(
            "conflict",
            reason=f"{owed.id} 未逾期(现为 {one.state})"
            f" · {owed.id} is not late (it is {one.state})",
        )


def _reason(plan: Plan, kind: str, given: MarkGiven) -> LateReason:
    allowed = [one.code for one in plan.late_reasons if kind == REASON or one.excuses]
    reason = plan.find_late_reason(given.code)
    if reason is None or reason.code not in allowed:
        error = field_error("pattern-mismatch", "/code", {"expected": ", ".join(allowed)})
        raise problem("parameter-invalid", errors=[error], count=1)
    if reason.text_needed and given.words is None:
        error = field_error("field-missing", "/words", {"field": "words"})
        raise problem("parameter-invalid", errors=[error], count=1)
    return reason
