"""An officer's application: judged as a delivery's record would be, kept until another decides.

Approved, it goes into the register as a delivery of one record, so that the register knows one way
in only: the same judge, the same order, the same facts, the same account of every record.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import msgspec

from enrollment.register.feeds import FEEDS
from enrollment.register.refusals import FORBIDDEN, forbidden_ground
from enrollment.register.store import officers as store
from enrollment.register.store.applications import Table, applications
from shared.auth import Caller
from shared.crypto import SealedColumn
from shared.deliveries.accepting import Push, accept, new_delivery_id
from shared.deliveries.feed import DeliveryInfo, Feed, JudgeContext, RowProblem
from shared.deliveries.numbers import decode_numbered, judge_records
from shared.deliveries.records import shown
from shared.events.deliveries import BY_OFFICER
from shared.periods import Dekad
from shared.problems import field_error, problem
from shared.runtime import Runtime

BY_OFFICERS: Final = {
    feed.name: feed
    for feed in FEEDS
    if feed.name in ("person-applications", "employer-applications")
}
_TABLES: Final[dict[str, Table]] = {
    "person-applications": "person_applications",
    "employer-applications": "employer_applications",
}
PENDING, APPROVED, REFUSED = "pending", "approved", "refused"


def _place(application_id: str) -> bytes:
    return application_id.encode()


SEALED_APPLICATIONS = SealedColumn("officer_applications", "sealed", ("application_id",), _place)


def resource_of(application_id: str) -> str:
    """The application as its ETag names it."""
    return f"register-application:{application_id}"


def judged(runtime: Runtime, feed: Feed, caller: Caller, record: dict[str, Any]) -> bytes:
    """The record as it is kept. Raises ``parameter-invalid`` with all that is wrong with it."""
    body = msgspec.json.encode(record)
    (decoded,), _ = decode_numbered(feed.record, [body], runtime.settings.max_record_bytes)
    if isinstance(decoded, tuple):
        raise _invalid(feed, decoded)
    now = runtime.clock.now()
    info = DeliveryInfo("", feed.name, caller.department, caller.units, _period(runtime), now)
    ctx = JudgeContext(info, runtime.plan, runtime.secrecy, runtime.clock.today())
    (verdict,), _ = judge_records(feed.judge, [decoded], ctx)
    if verdict.problems:
        raise _invalid(feed, verdict.problems)
    return body


def _period(runtime: Runtime) -> str:
    return str(Dekad.of(runtime.clock.today()))


def _invalid(feed: Feed, found: tuple[RowProblem, ...]) -> Exception:
    errors = [
        field_error(one.code, f"body/record{one.pointer}", one.params, feed.texts) for one in found
    ]
    return problem("parameter-invalid", errors=errors, count=len(errors))


async def propose(runtime: Runtime, feed: Feed, caller: Caller, record: dict[str, Any]) -> str:
    """Keep an application until somebody else decides; returns its id. Raises ``conflict`` when
    its number stands for another already."""
    body = judged(runtime, feed, caller, record)
    now = runtime.clock.now()
    application_id = str(new_delivery_id(now))
    row = {
        "application_id": application_id,
        "version": 1,
        "feed": feed.name,
        **{name: record.get(name) for name in _PLAIN},
        "sealed": runtime.secrecy.encrypt(body, _place(application_id)),
        "state": PENDING,
        "maker": caller.subject,
        "made_at": now,
    }
    number = record["application_no"]
    async with runtime.database.transaction() as conn:
        # Approved, it would be a correction of the application of that number, not one of its own.
        told = await applications(conn, _TABLES[feed.name], {number})
        kept = not told and await store.insert_application(conn, row)
    if not kept:
        raise problem(
            "conflict", reason=f"申请编号 {number} 已用过 · application {number} exists already"
        )
    return application_id


_PLAIN = (
    "application_no",
    "action",
    "unit",
    "applied_on",
    "effective_on",
    "employed_from",
    "agency_no",
)


def record_shown(runtime: Runtime, row: dict[str, Any]) -> Any:
    """What was applied for, personal fields masked."""
    return shown(BY_OFFICERS[row["feed"]], _opened(runtime, row))


def _opened(runtime: Runtime, row: dict[str, Any]) -> bytes:
    return runtime.secrecy.decrypt(bytes(row["sealed"]), _place(row["application_id"]))


@asynccontextmanager
async def deciding(runtime: Runtime, application_id: str) -> AsyncIterator[None]:
    """Nobody else decides on the application within the block; ``conflict`` where somebody is.

    Held by a connection beside the pool: accepting takes one of the pool itself, and deciders who
    each held one while they waited for a second would wait for each other once it is exhausted.
    """
    async with runtime.database.direct() as own:
        if not await store.take_decision(own, application_id):
            raise problem(
                "conflict", reason="他人正在审核该申请 · somebody else is deciding on it just now"
            )
        yield


async def guard_refusal(
    runtime: Runtime, caller: Caller, row: dict[str, Any], reason: str | None, note: str | None
) -> None:
    """Raise ``refusal-forbidden`` for a ground the plan forbids, the attempt on record whatever
    becomes of the request; ``parameter-invalid`` for what is no reason of the list (O82)."""
    ground = forbidden_ground(runtime.plan, reason, note)
    if ground is not None:
        async with runtime.database.transaction() as conn:
            await store.log_attempt(
                conn,
                {
                    "application_id": row["application_id"],
                    "unit": row["unit"],
                    "officer": caller.subject,
                    "department": caller.department,
                    "ground": ground,
                    "said": " / ".join(one for one in (reason, note) if one),
                    "attempted_at": runtime.clock.now(),
                },
            )
        code = runtime.plan.find_code(FORBIDDEN, ground)
        quoted = runtime.plan.obligation("O82")
        raise problem(
            "refusal-forbidden",
            ground_zh=code.zh if code else ground,
            ground_en=code.en if code else ground,
            clause=quoted.clause,
            quote=quoted.quote,
        )
    if reason is None or runtime.plan.find_code("refusal-reasons", reason) is None:
        errors = [field_error("code-unknown", "body/reason", {"value": reason or "—"})]
        raise problem("parameter-invalid", errors=errors, count=1)


async def into_register(runtime: Runtime, caller: Caller, row: dict[str, Any]) -> UUID:
    """Send an approved application on its way; sent again it is the same delivery. It is none of
    those the department or unit owes, and is marked so."""
    body = _opened(runtime, row)

    async def pieces() -> AsyncIterator[bytes]:
        yield body

    push = Push(
        period=_period(runtime),
        idempotency_key=f"application-{row['application_id']}",
        content_type="application/x-ndjson",
        content_length=len(body),
        content_encoding=None,
        content_digest=None,
        nil=False,
        dry_run=False,
        mode=BY_OFFICER,
    )
    accepted = await accept(runtime, BY_OFFICERS[row["feed"]], caller, push, pieces())
    return accepted.id
