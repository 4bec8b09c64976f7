"""Statements about arrivals, the office's marks and the notices given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, and_, func, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.chains import CAME_AT
from reporting.obligations.chase_rules import Kind, Told
from reporting.obligations.models import obligation_marks, obligation_notices
from reporting.obligations.rules import Came, Sender
from shared.events.deliveries import BY_OFFICER

_LOCK: Final = 0x6368617365  # "chase": one process at a time tells
_ARRIVED = text(
    "SELECT feed, period, department, unit, min(came_at) AS first_at,"
    " (array_agg(producer ORDER BY came_at, delivery_id))[1] AS producer,"
    " (array_agg(delivery_id ORDER BY came_at, delivery_id))[1] AS delivery_id,"
    " count(*) AS deliveries, bool_and(nil) AS all_nil"
    f" FROM (SELECT d.*, {CAME_AT} AS came_at FROM delivery_facts AS d WHERE received_at <= :as_of"
    # Of which every record was refused, it has brought nothing.
    " AND (nil OR sent_count > rejected_count)"
    f" AND mode <> '{BY_OFFICER}'"
    " AND (withdrawn_at IS NULL OR withdrawn_at > :as_of)) AS s"
    " GROUP BY feed, period, department, unit"
)


async def arrivals(
    conn: AsyncConnection, as_of: datetime
) -> dict[tuple[str, str], dict[Sender, Came]]:
    """What had come by then and was not withdrawn by then, by feed and period and by sender; a
    delivery that replaced others came when the first of them did. What officers decided on one by
    one is no delivery that anybody owes."""
    found: dict[tuple[str, str], dict[Sender, Came]] = {}
    for row in await conn.execute(_ARRIVED, {"as_of": as_of}):
        came = Came(row.first_at, row.producer, str(row.delivery_id), row.deliveries, row.all_nil)
        found.setdefault((row.feed, row.period), {})[Sender(row.department, row.unit)] = came
    return found


class Mark(NamedTuple):
    """A reason given or an excuse made, by whom and when; undone or not."""

    id: int
    obligation: str
    kind: str
    code: str
    words: str | None
    made_by: str
    made_at: datetime
    undone_by: str | None
    undone_at: datetime | None


_MARK = tuple(obligation_marks.c[name] for name in Mark._fields)


async def marks_at(
    conn: AsyncConnection, as_of: datetime, obligation: str | None = None
) -> dict[tuple[str, str], Mark]:
    """The marks that stood at the moment, by obligation and kind."""
    made = obligation_marks.c
    chosen = select(*_MARK).where(
        made.made_at <= as_of, or_(made.undone_at.is_(None), made.undone_at > as_of)
    )
    if obligation is not None:
        chosen = chosen.where(made.obligation == obligation)
    found = (Mark(*row) for row in await conn.execute(chosen.order_by(made.id)))
    return {(mark.obligation, mark.kind): mark for mark in found}


async def history(conn: AsyncConnection, obligation: str) -> list[Mark]:
    """Every mark ever made on it, oldest first."""
    chosen = select(*_MARK).where(obligation_marks.c.obligation == obligation)
    return [Mark(*row) for row in await conn.execute(chosen.order_by(obligation_marks.c.id))]


async def lock_mark(conn: AsyncConnection, obligation: str) -> None:
    """Until the transaction ends nobody else marks this obligation."""
    await conn.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('obligation:' || :id, 0))"),
        {"id": obligation},
    )


async def make_mark(conn: AsyncConnection, values: Mapping[str, Any]) -> None:
    """A new standing mark; what stood before has been undone (``undo_mark``)."""
    await conn.execute(insert(obligation_marks).values(**values))


async def undo_mark(
    conn: AsyncConnection, obligation: str, kind: str, by: str, at: datetime
) -> bool:
    """End the standing mark of the kind; False when there is none."""
    made = obligation_marks.c
    done = await conn.execute(
        obligation_marks.update()
        .where(made.obligation == obligation, made.kind == kind, made.undone_at.is_(None))
        # Not before it was made, should the clock have been set back.
        .values(undone_by=by, undone_at=func.greatest(made.made_at, at))
    )
    return done.rowcount > 0


async def be_the_one(conn: AsyncConnection) -> bool:
    """Whether no other transaction is telling; held to the end of this one."""
    found = await conn.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK})
    return bool(found.scalar_one())


async def told(conn: AsyncConnection) -> dict[tuple[str, Kind], Told]:
    """Every notice given so far."""
    given = obligation_notices.c
    rows = await conn.execute(
        select(given.obligation, given.kind, given.revision, given.standing, given.level)
    )
    return {(row[0], row[1]): Told(*row[2:]) for row in rows}


async def keep_notices(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Notices given now, in the transaction that publishes them."""
    statement = insert(obligation_notices)
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=["obligation", "kind"],
            set_={
                name: statement.excluded[name] for name in ("revision", "standing", "changed_at")
            },
        ),
        [dict(row) for row in rows],
    )


@dataclass(frozen=True, slots=True)
class NoticesAsked:
    """Which notices; None for any."""

    kind: str | None = None
    feed: str | None = None
    department: str | None = None
    unit: str | None = None
    period: str | None = None
    standing: bool | None = None


async def list_notices(
    conn: AsyncConnection,
    asked: NoticesAsked,
    after: tuple[datetime, str, str] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """In the order they were given, then by obligation and kind."""
    given = obligation_notices.c
    place = (given.told_at, given.obligation, given.kind)
    chosen = select(obligation_notices).where(*_notices(asked))
    if after is not None:
        chosen = chosen.where(tuple_(*place) > tuple_(*after))
    return (await conn.execute(chosen.order_by(*place).limit(limit))).all()


async def count_notices(conn: AsyncConnection, asked: NoticesAsked) -> dict[str, int]:
    """How many of each kind; their sum is the length of the list."""
    given = obligation_notices.c
    rows = await conn.execute(
        select(given.kind, func.count()).where(*_notices(asked)).group_by(given.kind)
    )
    return {row[0]: int(row[1]) for row in rows}


def _notices(asked: NoticesAsked) -> list[Any]:
    given = obligation_notices.c
    names = ("kind", "feed", "department", "unit", "period", "standing")
    wanted = ((given[name], getattr(asked, name)) for name in names)
    return [and_(column == value) for column, value in wanted if value is not None]
