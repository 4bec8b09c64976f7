"""Sent blocks published again, with the positions they have, without holding up fresh facts.

How the relay takes them is told in ``shared.outbox.take``.
"""

import json
from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.outbox import CHANNEL


class Ordered(msgspec.Struct, frozen=True):
    """What ``republish`` has found to send again. ``first_blocks`` go before fresh ones."""

    blocks: int
    facts: int
    first_blocks: int


class Republishing(msgspec.Struct, frozen=True):
    """What is being published again: all of it, and of that what still waits.

    ``blocks`` and ``facts`` are those of the newest order, and of older ones what they left."""

    ordered_at: datetime
    blocks: int
    facts: int
    waiting_blocks: int
    waiting_facts: int


async def republish(
    conn: AsyncConnection,
    *,
    since: datetime | None = None,
    positions: tuple[int, int, int] | None = None,
    had: Mapping[int, int] | None = None,
) -> Ordered:
    """Have sent blocks sent again with the positions they have.

    Either all written ``since`` a moment (a rebuilt broker, a receiver taken back), or those
    holding any of ``positions`` = (partition, first, last) (a gap a consumer recorded). Receivers
    drop what they have had and accept what they recorded as missing. Intake goes on meanwhile.
    Raises ValueError without a choice.

    **Who goes first.** A receiver that lacks a position without knowing it must get it before any
    higher one: else the higher one comes through a gap, and when the older fact of the same
    subject follows, it is of an outdated revision and moves nothing, not even for the days it
    was true. So blocks with positions a receiver may lack unknowingly hold up fresh facts until
    they are sent. Not so blocks at or below ``had``, the lowest mark of all receivers by
    partition: all is had there, or known to be missing, and no order could mend it. Fresh facts
    go before these. A recorded gap lies below its receiver's mark by its nature. ``since``
    without ``had``: all of it goes first.
    """
    if since is None and positions is None:
        raise ValueError("say which blocks: since or positions")
    await conn.execute(text("LOCK TABLE outbox_heads IN EXCLUSIVE MODE"))
    if positions is None:
        ordered = await conn.execute(
            _AGAIN_SINCE,
            {
                "since": since,
                "had": json.dumps({str(p): position for p, position in (had or {}).items()}),
            },
        )
    else:
        partition, first, last = positions
        ordered = await conn.execute(
            _AGAIN_RANGE, {"partition": str(partition), "first": first, "last": last}
        )
    blocks, facts, first_blocks = ordered.one()
    await conn.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
    return Ordered(blocks, int(facts), first_blocks)


async def republishing(conn: AsyncConnection) -> Republishing | None:
    """How far it is; None when nothing waits to be sent again."""
    waiting = (await conn.execute(_WAITING_AGAIN)).one()
    if not waiting.blocks:
        return None
    ordered = (await conn.execute(_ORDERED_AGAIN)).one()
    return Republishing(
        ordered_at=ordered.ordered_at,
        blocks=ordered.blocks,
        facts=int(ordered.facts),
        waiting_blocks=waiting.blocks,
        waiting_facts=int(waiting.facts),
    )


# A block that goes first counts as never sent, as one that a relay died over.
_ORDER_AGAIN = """
WITH ordered AS (
  UPDATE outbox_blocks AS b SET again_since = now(),
    sent_at = CASE WHEN {first} THEN NULL ELSE sent_at END
  WHERE sent_at IS NOT NULL AND {which} RETURNING fact_count, sent_at
) SELECT count(*), coalesce(sum(fact_count), 0), count(*) FILTER (WHERE sent_at IS NULL)
FROM ordered
"""
_AGAIN_SINCE = text(
    _ORDER_AGAIN.format(
        which="created_at >= :since",
        first="EXISTS (SELECT FROM jsonb_each_text(b.first_positions) AS f (partition, position)"
        " WHERE CAST(f.position AS bigint) + CAST(b.counts ->> f.partition AS bigint) - 1"
        " > coalesce(CAST(CAST(:had AS jsonb) ->> f.partition AS bigint), 0))",
    )
)
_AGAIN_RANGE = text(
    _ORDER_AGAIN.format(
        which="CAST(first_positions ->> :partition AS bigint) <= :last"
        " AND CAST(first_positions ->> :partition AS bigint)"
        " + CAST(counts ->> :partition AS bigint) > :first",
        first="false",
    )
)
_WAITING_AGAIN = text(
    "SELECT count(*) AS blocks, coalesce(sum(fact_count), 0) AS facts FROM"
    " (SELECT fact_count FROM outbox_blocks WHERE again_since > sent_at UNION ALL"
    " SELECT fact_count FROM outbox_blocks WHERE sent_at IS NULL AND again_since IS NOT NULL) AS w"
)
_ORDERED_AGAIN = text(
    "SELECT max(again_since) AS ordered_at, count(*) AS blocks,"
    " coalesce(sum(fact_count), 0) AS facts FROM outbox_blocks,"
    " (SELECT max(again_since) AS newest FROM outbox_blocks) AS o"
    " WHERE again_since = newest OR again_since > sent_at"
    " OR (sent_at IS NULL AND again_since IS NOT NULL)"
)
